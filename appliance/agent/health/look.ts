import type { HealthLook, Sight } from '../../../provisioners/contract/health.ts';
import type { MachineRef, MachineRole } from '../../../provisioners/contract/machine.ts';
import type { ObservedCertificate } from '../../../provisioners/contract/observed.ts';
import type { ControlPlaneAccess } from '../../../provisioners/contract/ports/etcd.ts';
import type { Ports } from '../../../provisioners/contract/ports.ts';
import { Problem } from '../../../provisioners/contract/problem.ts';
import type { ProviderMachine } from '../../../provisioners/contract/provider.ts';
import type { Duration, Instant } from '../../../provisioners/contract/time.ts';
import { tagOf } from '../../../provisioners/kubernetes/versions.ts';
import { nodeOf } from '../observe.ts';
import type { WatchedCluster } from '../protocol/watch.ts';

/**
 * What changes slowly is looked at so seldom: which machines the provider has, ends of certificates, free disk. Each
 * costs a visit on every master, and a call to the provider; clouds count those.
 */
const slowly: Duration = 10 * 60_000;

/** What was found in the last slow look. */
interface Slow {
  readonly at: number;
  readonly machines: readonly ProviderMachine[] | undefined;
  readonly certificates: ReadonlyMap<string, readonly ObservedCertificate[]>;
  readonly disks: ReadonlyMap<string, Readonly<Record<string, number>>>;
}

const nothingYet: Slow = {
  at: Number.NEGATIVE_INFINITY,
  machines: undefined,
  certificates: new Map(),
  disks: new Map(),
};

/** Looks at one cluster again and again, in a constant number of list calls and one small question a master. */
export class HealthEye {
  #slow: Slow = nothingYet;

  /** Looks once. Whatever cannot be seen is said, never guessed. Never throws a problem. */
  async look(ports: Ports, cluster: WatchedCluster, now: Instant): Promise<HealthLook> {
    await this.#lookSlowly(ports, cluster, now);
    const masters = this.#masters(cluster);
    const asked = masters.filter(({ name }) => this.#isUp(name));
    const etcd = this.#ofRole(cluster, 'etcd');
    const apart = etcd.filter(({ name }) => this.#isUp(name));
    const access: ControlPlaneAccess = {
      masters: asked,
      apiPort: cluster.apiPort,
      ...(etcd.length === 0 ? {} : { etcd: apart }),
    };
    const versions = await Promise.all(asked.map(async (master) => versionOf(ports, access, master)));
    const apiServers = Object.fromEntries(asked.map(({ name }, index) => [name, versions[index]]));
    const isAnswering = versions.some((version) => version !== undefined);
    const names = masters.map(({ name }) => name);
    const silent = { unseen: `No API server answers (asked: ${names.join(', ') || 'no master'}).` };
    const isOff = { unseen: `No machine of etcd is on: ${etcd.map(({ name }) => name).join(', ')}.` };
    const nobodyToAsk = etcd.length === 0 ? silent : isOff;
    const [nodes, members, endpoint] = await Promise.all([
      isAnswering
        ? sightOf('The nodes could not be listed', async () =>
            (await ports.kubernetes.list(access, { apiVersion: 'v1', kind: 'Node' })).map(nodeOf),
          )
        : silent,
      (access.etcd ?? asked).length === 0
        ? nobodyToAsk
        : sightOf('etcd did not answer', () => ports.etcd.members(access)),
      isAnswering ? endpointOf(ports, access, cluster) : undefined,
    ]);
    return {
      cluster: cluster.context.cluster.name,
      at: now,
      masters: names,
      ...(etcd.length === 0 ? {} : { etcd: etcd.map(({ name }) => name) }),
      apiServers,
      ...(endpoint === undefined ? {} : { endpoint }),
      nodes,
      members,
      ...this.#slowSights(
        names,
        etcd.map(({ name }) => name),
      ),
      isChanging: cluster.isChanging,
      expected: cluster.isChanging
        ? []
        : Object.keys(cluster.references).filter(
            (name) => !etcd.some((one) => one.name === name) && cluster.leaving?.includes(name) !== true,
          ),
      kubernetesVersion: tagOf(cluster.kubernetesVersion),
    };
  }

  /** The next look sees everything anew: machines have come or gone. */
  forget(): void {
    this.#slow = { ...this.#slow, at: nothingYet.at };
  }

  /** Machines that were met and that the provider, where it could be asked, knows as masters. */
  #masters(cluster: WatchedCluster): readonly MachineRef[] {
    return this.#ofRole(cluster, 'control-plane');
  }

  #ofRole({ references }: WatchedCluster, asked: MachineRole): readonly MachineRef[] {
    const { machines } = this.#slow;
    const roles = new Map(machines?.map(({ name, role }) => [name, role]));
    // A machine that the provider has no longer is nothing; before it could be asked, anything may be a master.
    const unknown = machines === undefined ? 'control-plane' : undefined;
    return Object.values(references).filter(
      ({ name, hostKeys }) => hostKeys.length > 0 && (roles.get(name) ?? unknown) === asked,
    );
  }

  /** A machine that is off is not waited for at every look: it counts as silent. */
  #isUp(name: string): boolean {
    const machine = this.#slow.machines?.find((one) => one.name === name);
    return machine === undefined || machine.state === 'running';
  }

  async #lookSlowly(ports: Ports, cluster: WatchedCluster, now: Instant): Promise<void> {
    const at = Date.parse(now);
    if (at - this.#slow.at < slowly) return;
    const machines = await sightOf('', () => ports.provider.machines.list(cluster.context.cluster));
    const before = this.#slow;
    this.#slow = { ...before, at, machines: 'seen' in machines ? machines.seen : before.machines };
    const masters = [...this.#masters(cluster), ...this.#ofRole(cluster, 'etcd')].filter(({ name }) =>
      this.#isUp(name),
    );
    const certificates = new Map(before.certificates);
    const disks = new Map(before.disks);
    await Promise.all(
      masters.map(async (master) => {
        const { name } = master;
        const [ends, facts] = await Promise.all([
          sightOf('', () => ports.host.certificates(master)),
          sightOf('', () => ports.host.facts(master)),
        ]);
        // What was seen before stays: an end does not move because nobody answers just now.
        if ('seen' in ends)
          certificates.set(
            name,
            ends.seen.map((end) => ({ machine: name, name: end.name, notAfter: end.notAfter })),
          );
        if ('seen' in facts) disks.set(name, facts.seen.freeDisk);
      }),
    );
    this.#slow = { ...this.#slow, certificates, disks };
  }

  #slowSights(
    masters: readonly string[],
    etcd: readonly string[],
  ): Pick<HealthLook, 'certificates' | 'disks'> {
    const visited = [...masters, ...etcd];
    const nobody = {
      unseen: `No master${etcd.length === 0 ? '' : ' and no machine of etcd'} could be visited yet.`,
    };
    const ends = visited.flatMap((name) => this.#slow.certificates.get(name) ?? []);
    const free = visited.flatMap((name) => {
      const paths = this.#slow.disks.get(name);
      return paths === undefined ? [] : [[name, paths] as const];
    });
    return {
      certificates: ends.length === 0 ? nobody : { seen: ends },
      disks: free.length === 0 ? nobody : { seen: Object.fromEntries(free) },
    };
  }
}

async function versionOf(
  ports: Ports,
  access: ControlPlaneAccess,
  master: MachineRef,
): Promise<string | undefined> {
  const seen = await sightOf('', () => ports.kubernetes.version(access, master));
  return 'seen' in seen ? seen.seen : undefined;
}

async function endpointOf(
  ports: Ports,
  access: ControlPlaneAccess,
  { endpoint }: WatchedCluster,
): Promise<HealthLook['endpoint']> {
  if (endpoint === undefined) return undefined;
  const seen = await sightOf('', () => ports.kubernetes.versionAtEndpoint(access, endpoint));
  return {
    address: `${endpoint.host}:${endpoint.port}`,
    isAnswering: 'seen' in seen && seen.seen !== undefined,
  };
}

/** What was seen, or why not. Our own mistakes do not hide behind "could not be seen". */
async function sightOf<Value>(what: string, look: () => Promise<Value>): Promise<Sight<Value>> {
  try {
    return { seen: await look() };
  } catch (error) {
    if (!(error instanceof Problem) && !(error instanceof DOMException)) throw error;
    return { unseen: `${what}: ${error.message}` };
  }
}
