import ipaddr from 'ipaddr.js';
import { everyRole, failed, passed, type HostCheck, type MeshCheck, type Subject } from './check.ts';

const hostName: HostCheck = {
  id: 'HOST-NAME',
  scope: 'host',
  severity: 'strict',
  roles: everyRole,
  title: 'A name Kubernetes takes',
  prevents: 'the Node is registered under a name nobody asked for, or not at all',
  evaluate({ expected }) {
    // RFC 1123 label; a Node's name is a DNS subdomain of at most 253 characters.
    const isGood = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(expected.name);
    if (isGood) return passed(expected.name);
    return failed(
      `"${expected.name}" is no host name`,
      'use small letters, digits and hyphens, at most 63 of them, and begin and end with a letter or digit',
    );
  },
};

const ports: HostCheck = {
  id: 'HOST-PORTS',
  scope: 'host',
  severity: 'strict',
  roles: everyRole,
  title: 'Ports that are free',
  prevents: 'the API server, etcd or the kubelet cannot listen and restarts for ever',
  evaluate({ facts, expected }) {
    // What runs on a machine prepared for this very cluster is ours: an operation that goes on after a crash.
    if (facts.ownedBy === expected.cluster.uid) return passed('prepared for this cluster before');
    const taken = facts.listeningPorts.filter(({ port }) => expected.ports.includes(port));
    if (taken.length === 0) return passed(`${expected.ports.join(', ')} are free`);
    return failed(
      taken.map(({ port, process }) => `port ${port} is taken by ${process}`).join(', '),
      `stop ${[...new Set(taken.map(({ process }) => process))].join(' and ')} on ${expected.name}, or choose another machine`,
    );
  },
};

const leftovers: HostCheck = {
  id: 'HOST-LEFTOVERS',
  scope: 'host',
  severity: 'strict',
  roles: everyRole,
  title: 'No other Kubernetes on the machine',
  prevents: "an old cluster's certificates or etcd data are taken for the new one's",
  evaluate({ facts, expected }) {
    if (facts.ownedBy === expected.cluster.uid) return passed('prepared for this cluster before');
    if (facts.ownedBy !== undefined)
      return failed(
        `the machine belongs to another cluster of Remuda (uid ${facts.ownedBy})`,
        'delete it from that cluster first, or choose another machine',
      );
    if (facts.leftovers.length === 0) return passed('none');
    return failed(
      `found ${facts.leftovers.join(', ')}`,
      `if nothing of it is needed any more, run kubeadm reset on ${expected.name} and remove these paths; Remuda never removes what it did not make`,
    );
  },
};

const address: HostCheck = {
  id: 'HOST-ADDRESS',
  scope: 'host',
  severity: 'strict',
  roles: everyRole,
  title: 'The address it was given',
  prevents: 'certificates and etcd peers name an address that the machine does not have',
  field: 'nodeNetwork.ranges',
  evaluate({ facts, expected }) {
    const own = facts.addresses.map(({ cidr }) => cidr.split('/')[0]);
    if (own.includes(expected.address)) return passed(expected.address);
    return failed(
      `the machine has ${own.join(', ') || 'no address'}, not ${expected.address}`,
      `give ${expected.name} the address ${expected.address}, or write the address it has into the answer file`,
    );
  },
};

/** Whether two networks share an address. */
function overlap(a: string, b: string): boolean {
  const [first, second] = [ipaddr.parseCIDR(a), ipaddr.parseCIDR(b)];
  if (first[0].kind() !== second[0].kind()) return false;
  const [wide, narrow] = first[1] <= second[1] ? [first, second] : [second, first];
  return narrow[0].match(wide[0], wide[1]);
}

const routes: HostCheck = {
  id: 'NET-ROUTES',
  scope: 'host',
  severity: 'strict',
  roles: everyRole,
  title: 'Cluster networks that are not in use already',
  prevents:
    'pods or Services take the addresses of something real, which then cannot be reached from the cluster',
  field: 'clusterNetwork',
  evaluate({ facts, expected }) {
    // Once the pod network is up, its own bridge and routes lie inside podCidr.
    if (facts.ownedBy === expected.cluster.uid) return passed('prepared for this cluster before');
    const wanted = { pods: expected.podCidr, services: expected.serviceCidr };
    const clashes = facts.routes
      .filter(({ destination }) => destination !== 'default' && ipaddr.isValidCIDR(destination))
      .flatMap((route) =>
        Object.entries(wanted)
          .filter(([, cidr]) => overlap(cidr, route.destination))
          .map(
            ([kind, cidr]) =>
              `${kind} ${cidr} overlaps the route to ${route.destination} on ${route.interface}`,
          ),
      );
    if (clashes.length === 0)
      return passed(`${expected.podCidr} and ${expected.serviceCidr} clash with no route`);
    return failed(
      clashes.join('; '),
      'choose other networks in clusterNetwork.pods or clusterNetwork.services',
    );
  },
};

const virtualAddress: MeshCheck = {
  id: 'NET-VIP',
  scope: 'mesh',
  severity: 'strict',
  title: 'The endpoint address is free',
  prevents: 'two machines answer for the API address, and every second request fails',
  field: 'controlPlane.endpoint.host',
  evaluate({ subjects, reaches }) {
    const vip = subjects.find(({ expected }) => expected.virtualAddress !== undefined)?.expected
      .virtualAddress;
    if (vip === undefined) return passed('not held by Remuda');
    const isOurs = subjects.some(
      ({ facts, expected }) =>
        facts.ownedBy === expected.cluster.uid &&
        facts.addresses.some(({ cidr }) => cidr.split('/')[0] === vip),
    );
    if (isOurs) return passed(`${vip} is held by a master of this cluster`);
    const seenFrom = Object.entries(reaches)
      .filter(([, found]) =>
        found.some(({ to, reachable, neighbour }) => to === vip && (reachable || neighbour === true)),
      )
      .map(([machine]) => machine);
    if (seenFrom.length === 0) return passed(`${vip} answers to nobody`);
    return failed(
      `${vip} already answers (seen from ${seenFrom.join(', ')})`,
      'choose a free address, or switch off what holds it',
    );
  },
};

const uniqueness: MeshCheck = {
  id: 'NET-UNIQUE',
  scope: 'mesh',
  severity: 'strict',
  title: 'Machines that can be told apart',
  prevents:
    'cloned machines share an identity: one Node flaps between two machines, or etcd refuses the second',
  evaluate({ subjects }) {
    const kinds: readonly (readonly [string, (subject: (typeof subjects)[number]) => string | undefined])[] =
      [
        ['machine id', ({ facts }) => facts.machineId],
        ['product UUID', ({ facts }) => facts.productUuid],
        ['name', ({ expected }) => expected.name],
        ['address', ({ expected }) => expected.address],
      ];
    const doubles = kinds.flatMap(([what, valueOf]) => {
      const groups = Map.groupBy(
        subjects.filter((subject) => valueOf(subject) !== undefined),
        valueOf,
      );
      return [...groups]
        .filter(([, members]) => members.length > 1)
        .map(
          ([value, members]) =>
            `${members.map(({ expected }) => expected.name).join(', ')} share the ${what} ${value}`,
        );
    });
    if (doubles.length === 0) return passed('names, addresses and machine ids are unique');
    return failed(
      doubles.join('; '),
      'on a cloned machine remove /etc/machine-id, run systemd-machine-id-setup and reboot',
    );
  },
};

const clocks: MeshCheck = {
  id: 'NET-CLOCK',
  scope: 'mesh',
  severity: 'bypassable',
  title: 'Clocks that agree',
  prevents: 'certificates are "not yet valid", and etcd warns of clock difference and loses leases',
  field: 'nodeNetwork.ntp',
  evaluate({ subjects }) {
    if (subjects.length < 2) return passed('one machine');
    const readings = subjects.map(({ facts, expected }) => ({
      name: expected.name,
      // Machines are asked at different moments: what counts is how far each is from the one who asked.
      clock: facts.clock - (facts.askedAt ?? 0),
      doubt: facts.clockUncertainty,
    }));
    const earliest = readings.reduce((a, b) => (b.clock < a.clock ? b : a));
    const latest = readings.reduce((a, b) => (b.clock > a.clock ? b : a));
    const offset = latest.clock - earliest.clock - latest.doubt - earliest.doubt;
    const saw = `${Math.max(0, offset).toFixed(2)} s between ${latest.name} and ${earliest.name}`;
    // etcd warns from one second on (etcd: "prober found high clock drift", 1 s).
    if (offset <= 1) return passed(saw);
    return failed(
      `${saw}; at most 1 s is allowed`,
      'set up time synchronisation (nodeNetwork.ntp), and wait until the machines agree',
    );
  },
};

const reach: MeshCheck = {
  id: 'NET-REACH',
  scope: 'mesh',
  severity: 'strict',
  title: 'Every machine reaches every other',
  prevents: 'a master joins, and etcd then cannot reach its new member: the quorum is gone',
  evaluate({ subjects, reaches }) {
    const addresses = new Map(subjects.map(({ expected }) => [expected.address, expected.name]));
    const cut = Object.entries(reaches).flatMap(([from, found]) =>
      found
        .filter(({ to, reachable }) => addresses.has(to) && !reachable)
        .map(({ to }) => `${from} does not reach ${addresses.get(to)} (${to})`),
    );
    if (cut.length === 0) return passed(`all ${subjects.length} machines reach each other`);
    return failed(cut.join('; '), 'look at firewalls, VLANs and routes between these machines');
  },
};

const packetSize: MeshCheck = {
  id: 'NET-MTU',
  scope: 'mesh',
  severity: 'bypassable',
  title: 'One packet size everywhere',
  prevents: 'small requests work and large ones hang: the least obvious failure of a pod network',
  evaluate({ subjects, reaches }) {
    const addresses = new Set(subjects.map(({ expected }) => expected.address));
    const seen = Object.entries(reaches).flatMap(([from, found]) =>
      found.filter(({ to, mtu }) => addresses.has(to) && mtu > 0).map(({ to, mtu }) => ({ from, to, mtu })),
    );
    const smallest = seen.reduce((least, each) => Math.min(least, each.mtu), Number.POSITIVE_INFINITY);
    const largest = seen.reduce((most, each) => Math.max(most, each.mtu), 0);
    if (seen.length === 0) return passed('one machine');
    if (smallest === largest && smallest >= 1280) return passed(`${smallest} bytes between all`);
    const narrow = seen.find(({ mtu }) => mtu === smallest);
    return failed(
      `${smallest} bytes from ${narrow?.from} to ${narrow?.to}, ${largest} elsewhere`,
      'set the same MTU on every interface and switch port on the way',
    );
  },
};

/** What the configuration of all kubelets is taken from, in words. */
const groundOf = ({ facts }: Subject): string =>
  `control groups version ${facts.cgroupVersion} by ${facts.declared.cgroupDriver ?? 'systemd'}`;

const alike: MeshCheck = {
  id: 'NET-ALIKE',
  scope: 'mesh',
  severity: 'strict',
  title: 'Machines of one kind',
  prevents:
    'kubeadm gives every kubelet the settings of the first master: on another kind of machine it never starts',
  evaluate({ subjects }) {
    const kinds = Map.groupBy(subjects, groundOf);
    if (kinds.size <= 1) return passed([...kinds.keys()].join() || 'no machines');
    const seen = [...kinds].map(
      ([kind, members]) => `${members.map(({ expected }) => expected.name).join(', ')}: ${kind}`,
    );
    return failed(seen.join('; '), 'make all machines of a cluster from the same image');
  },
};

/** Checks of one machine's place in the network. */
export const networkHostChecks: readonly HostCheck[] = [hostName, ports, leftovers, address, routes];

/** Checks between machines. */
export const meshChecks: readonly MeshCheck[] = [
  virtualAddress,
  uniqueness,
  alike,
  clocks,
  reach,
  packetSize,
];
