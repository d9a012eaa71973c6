import {
  type HealthCondition,
  type HealthLook,
  type HealthNumbers,
  type HealthType,
  healthTypes,
} from '../contract/health.ts';
import type { ObservedCertificate } from '../contract/observed.ts';
import { certificateInventory } from './certificate-inventory.ts';
import { diskSpace } from './health-disk.ts';
import { etcdHealthy } from './health-etcd.ts';
import { keeperOf } from './kubeadm-certificates.ts';

/** Names side by side; of many, the first ones and how many more. */
const named = (names: readonly string[]): string =>
  names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;

const good = (type: HealthType, reason: string, message: string): HealthCondition => ({
  type,
  status: 'True',
  reason,
  message,
});

const unknown = (type: HealthType, message: string): HealthCondition => ({
  type,
  status: 'Unknown',
  reason: 'NotSeen',
  message,
});

const only = (names: readonly string[]): { machine?: string } => {
  const [first] = names;
  return names.length === 1 && first !== undefined ? { machine: first } : {};
};

/**
 * Masters whose API servers are to answer: one that an operation makes has none before it is marked as finished, and one
 * that it has cordoned is about to have none.
 */
const mastersOf = ({ masters, apiServers, nodes, isChanging }: HealthLook): readonly string[] =>
  masters.filter(
    (name) =>
      !isChanging ||
      'unseen' in nodes ||
      apiServers[name] !== undefined ||
      nodes.seen.some((node) => node.name === name && node.configDigest !== undefined && !node.unschedulable),
  );

/** Each master's own API server, and the address by which the cluster is reached. */
function apiServerHealthy(look: HealthLook): HealthCondition {
  const type = 'ApiServerHealthy';
  const { cluster, etcd, apiServers, endpoint } = look;
  const masters = mastersOf(look);
  if (masters.length === 0) return unknown(type, 'No master of the cluster could be asked.');
  const silent = masters.filter((name) => apiServers[name] === undefined);
  if (silent.length === masters.length)
    return {
      type,
      status: 'False',
      severity: 'critical',
      reason: 'NoneAnswers',
      message: `No API server answers (asked: ${named(masters)}).`,
      remedy: `Look whether the masters are on and reachable from the agent, then at ${etcd === undefined ? 'kube-apiserver and etcd on them' : `kube-apiserver on them and at etcd on ${named(etcd)}`}.`,
      ...only(silent),
    };
  if (endpoint !== undefined && !endpoint.isAnswering)
    return {
      type,
      status: 'False',
      severity: 'critical',
      reason: 'EndpointSilent',
      message: `The API does not answer at ${endpoint.address}, while it does on ${named(masters.filter((name) => !silent.includes(name)))}.`,
      remedy: 'Look at keepalived and haproxy on the masters, or at the balancer that holds the address.',
    };
  if (silent.length > 0)
    return {
      type,
      status: 'False',
      severity: 'warning',
      reason: 'SomeSilent',
      message: `The API server on ${named(silent)} does not answer or is not ready; the others do.`,
      remedy: `Look at the machine; if it is lost: remuda machine replace ${cluster} ${silent[0] ?? 'NAME'}`,
      ...only(silent),
    };
  return good(type, 'AllAnswer', `The API servers on ${named(masters)} answer.`);
}

/** Every machine that is to be a Node is one, and Ready. A cordon is no illness. */
function nodesReady({ cluster, nodes: sight, expected }: HealthLook): HealthCondition {
  const type = 'NodesReady';
  if ('unseen' in sight) return unknown(type, sight.unseen);
  const nodes = sight.seen;
  const unready = nodes.filter(({ ready }) => !ready);
  const absent = expected.filter((name) => !nodes.some((node) => node.name === name));
  const names = [...unready.map(({ name }) => name), ...absent];
  if (names.length === 0) {
    const isOne = nodes.length === 1;
    return good(type, 'AllReady', isOne ? 'The node is Ready.' : `All ${nodes.length} nodes are Ready.`);
  }
  const because = unready
    .slice(0, 3)
    .map(({ name, notReadyBecause = 'it does not say why' }) => `${name}: ${notReadyBecause}`);
  const gone = absent.length === 0 ? [] : [`no Node: ${named(absent)}`];
  const isAll = unready.length === nodes.length;
  return {
    type,
    status: 'False',
    severity: isAll ? 'critical' : 'warning',
    reason: unready.length > 0 ? 'NodesNotReady' : 'NodesMissing',
    message: `${names.length} of ${nodes.length + absent.length} nodes are not Ready. ${[...because, ...gone].join('; ')}`,
    remedy: `Look at the machine and its kubelet; if it is lost: remuda machine replace ${cluster} ${names[0] ?? 'NAME'}`,
    ...only(names),
  };
}

/** The certificate that ends first, of those that anybody checks; undefined when there is none. */
const firstToEnd = (certificates: readonly ObservedCertificate[]): ObservedCertificate | undefined =>
  certificates
    .filter(({ name }) => keeperOf(name) !== 'nobody')
    .toSorted((one, other) => Date.parse(one.notAfter) - Date.parse(other.notAfter))[0];

function certificatesValid({ certificates: sight, at, etcd }: HealthLook): HealthCondition {
  const type = 'CertificatesValid';
  if ('unseen' in sight) return unknown(type, sight.unseen);
  const first = firstToEnd(sight.seen);
  if (first === undefined)
    return unknown(
      type,
      `No certificate was found on the masters${etcd === undefined ? '' : ' and the machines of etcd'}.`,
    );
  // The inventory knows of which an end is nobody's worry; a notice, 90 days before, is no ill health yet.
  const { certificates } = certificateInventory(sight.seen, at);
  const ending = certificates.find(({ level }) => level !== 'ok' && level !== 'notice');
  if (ending === undefined)
    return good(
      type,
      'NoneEndsSoon',
      `The first to end is ${first.name} on ${first.machine}, on ${first.notAfter.slice(0, 10)}.`,
    );
  const { machine, name, notAfter, level } = ending;
  const isOver = level === 'expired';
  return {
    type,
    status: 'False',
    severity: level === 'warning' ? 'warning' : 'critical',
    reason: isOver ? 'Expired' : 'EndsSoon',
    message: `The certificate ${name} on ${machine} ${isOver ? 'ended' : 'ends'} on ${notAfter}.`,
    remedy:
      'See all of them with `remuda certificates list`, and renew them with `remuda certificates renew`.',
    machine,
  };
}

/** Vendor and restamped builds add a suffix of their own: v1.20.3-restamped. */
const isVersion = (found: string, asked: string): boolean =>
  found === asked || found.startsWith(`${asked}-`) || found.startsWith(`${asked}+`);

function versionsAligned({
  apiServers,
  nodes: sight,
  kubernetesVersion,
  isChanging,
}: HealthLook): HealthCondition {
  const type = 'VersionsAligned';
  const servers = Object.entries(apiServers).flatMap(([name, version]) =>
    version === undefined ? [] : [{ name, version, what: `API server on ${name}` }],
  );
  const kubelets = ('seen' in sight ? sight.seen : []).flatMap(({ name, kubeletVersion }) =>
    kubeletVersion === '' ? [] : [{ name, version: kubeletVersion, what: `kubelet on ${name}` }],
  );
  const all = [...servers, ...kubelets];
  if (all.length === 0) return unknown(type, 'No version could be seen.');
  const other = all.filter(({ version }) => !isVersion(version, kubernetesVersion));
  if (other.length === 0) return good(type, 'AsAsked', `Everything that answers is ${kubernetesVersion}.`);
  if (isChanging)
    return good(
      type,
      'BeingChanged',
      'An operation works on the cluster; other versions are there meanwhile.',
    );
  return {
    type,
    status: 'False',
    severity: 'warning',
    reason: 'OtherVersions',
    message: `${kubernetesVersion} is asked for; ${named(other.map(({ what, version }) => `${what} is ${version}`))}.`,
    remedy: 'Apply the answer file: what has another version is brought to the one that is asked for.',
    ...only([...new Set(other.map(({ name }) => name))]),
  };
}

/** What one look means, a condition of each type in the order of `healthTypes`. Pure. */
export const conditionsOf = (look: HealthLook): readonly HealthCondition[] => [
  apiServerHealthy(look),
  etcdHealthy(look),
  nodesReady(look),
  certificatesValid(look),
  versionsAligned(look),
  diskSpace(look),
];

/** All that can be said when nothing could be looked at. */
export const unseenConditions = (message: string): readonly HealthCondition[] =>
  healthTypes.map((type) => unknown(type, message));

/** The numbers of one look. */
export function numbersOf({ nodes, members, certificates }: HealthLook): HealthNumbers {
  const end = 'seen' in certificates ? firstToEnd(certificates.seen)?.notAfter : undefined;
  return {
    ...('seen' in nodes
      ? { nodesReady: nodes.seen.filter(({ ready }) => ready).length, nodesTotal: nodes.seen.length }
      : {}),
    ...('seen' in members
      ? {
          etcdMembers: members.seen.length,
          etcdHealthy: members.seen.filter(({ healthy }) => healthy).length,
        }
      : {}),
    ...(end === undefined ? {} : { nearestCertificateEnd: end }),
  };
}
