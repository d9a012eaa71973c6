import type { DocumentProblem } from '../issue.ts';
import { contains, countAddresses, formatAddress, overlaps, parseAddress } from '../schema/address.ts';
import { type Addressing, addressingOf, freeNetwork, type Placed, subjectOf } from './addressing.ts';
import { formatPath } from '../schema/walk.ts';
import { type ClusterContext, plural } from './context.ts';
import { countMachines } from './counting.ts';

/** Pods of a machine live in a block of this prefix length (kube-controller-manager's default for IPv4). */
const POD_BLOCK = 24;
/** kube-apiserver takes no service network larger than this prefix length. */
const LARGEST_SERVICE_PREFIX = 12;
/** Fewer addresses than a /24 run out with the first real application. */
const SMALLEST_SERVICE_PREFIX = 24;

const all = (addressing: Addressing): Placed[] => [
  ...(addressing.node ? [addressing.node] : addressing.machines),
  ...addressing.pods,
  ...addressing.services,
  ...addressing.loadBalancer,
];

/** Networks that must share no address. */
export function overlappingNetworks(context: ClusterContext): DocumentProblem[] {
  const addressing = addressingOf(context);
  const { pods, services, loadBalancer, machines, node, endpoint } = addressing;
  const nodes: readonly Placed[] = node ? [node] : machines;
  const pairs: [Placed, Placed][] = [
    ...cross(nodes, pods),
    ...cross(nodes, services),
    ...cross(pods, services),
    ...cross(pods, loadBalancer),
    ...cross(services, loadBalancer),
    ...cross(machines, loadBalancer),
    ...cross(pods, endpoint && !node ? [endpoint] : []),
    ...cross(services, endpoint && !node ? [endpoint] : []),
  ];
  return pairs
    .filter(([first, second]) => overlaps(first.range, second.range))
    .map((pair) => overlapProblem(pair, context, addressing));
}

const cross = (left: readonly Placed[], right: readonly Placed[]): [Placed, Placed][] =>
  left.flatMap((first) => right.map((second): [Placed, Placed] => [first, second]));

function overlapProblem(
  [first, second]: [Placed, Placed],
  context: ClusterContext,
  addressing: Addressing,
): DocumentProblem {
  const isSecondWritten = context.isWritten(second.path);
  const [here, there] = isSecondWritten || !context.isWritten(first.path) ? [second, first] : [first, second];
  const isDefault = !context.isWritten(there.path) && there.path[1] === 'clusterNetwork';
  const note = isDefault ? ' (the default)' : '';
  const otherDefault = `Write another network in ${formatPath(there.path.slice(0, -1))}.`;
  const prefix = /\/(\d+)$/.exec(here.range.text)?.[1];
  const taken = all(addressing)
    .filter((placed) => placed !== here)
    .map((placed) => placed.range);
  const free = prefix === undefined ? undefined : freeNetwork(Number(prefix), taken);
  const otherNetwork =
    free === undefined
      ? 'Choose addresses that nothing else uses.'
      : `Choose another network, such as ${free}.`;
  return {
    code: 'SPEC-044',
    path: here.path,
    summary: `${here.range.text} of ${here.name} overlaps ${there.range.text} of ${there.name}${note}.`,
    remedy: isDefault && here === addressing.node ? otherDefault : otherNetwork,
    related: [there.path],
  };
}

/** Room for a /24 of pods on every machine, at the peak of a replacement. */
export function podRoom(context: ClusterContext): DocumentProblem[] {
  const { desired, surge } = countMachines(context.cluster);
  return addressingOf(context).pods.flatMap(({ path, range }) => {
    const blocks = range.prefix > POD_BLOCK ? 0 : 2 ** (POD_BLOCK - range.prefix);
    if (blocks >= desired + surge) return [];
    const prefix = Math.max(8, POD_BLOCK - Math.ceil(Math.log2(desired + surge)));
    return [
      {
        code: 'SPEC-045',
        path,
        summary: `${range.text} has room for the pods of ${plural(blocks, 'machine')} (a /24 each), but ${peak(desired, surge)}.`,
        remedy: `Choose a network with a prefix of /${prefix} or shorter.`,
        related: [
          ['spec', 'controlPlane', 'replicas'],
          ['spec', 'workers'],
        ],
      },
    ];
  });
}

const peak = (desired: number, surge: number): string =>
  surge === 0
    ? `the cluster has ${plural(desired, 'machine')}`
    : `the cluster has ${plural(desired, 'machine')} and ${surge} more while machines are replaced`;

/** Bounds of the service network. */
export function serviceRoom(context: ClusterContext): DocumentProblem[] {
  return addressingOf(context).services.flatMap(({ path, range }) => {
    const isTooLarge = range.prefix < LARGEST_SERVICE_PREFIX;
    if (!isTooLarge && range.prefix <= SMALLEST_SERVICE_PREFIX) return [];
    return [
      {
        code: 'SPEC-046',
        path,
        summary: isTooLarge
          ? `${range.text} is larger than the API server accepts for Services.`
          : `${range.text} has only ${range.last - range.first + 1} of the addresses that Services need.`,
        remedy: `Choose a prefix from /${LARGEST_SERVICE_PREFIX} to /${SMALLEST_SERVICE_PREFIX}.`,
      },
    ];
  });
}

/** Addresses for all machines at the peak of a replacement. */
export function machineRoom(context: ClusterContext): DocumentProblem[] {
  const { machines } = addressingOf(context);
  if (machines.length === 0) return [];
  const { desired, surge } = countMachines(context.cluster);
  const count = countAddresses(machines.map((placed) => placed.range));
  if (count >= desired + surge) return [];
  const lacking = desired + surge - count;
  const path = ['spec', 'nodeNetwork', 'ranges'];
  const related = [
    ['spec', 'controlPlane', 'replicas'],
    ['spec', 'workers'],
  ];
  if (!context.isWritten(path))
    return [
      {
        code: 'SPEC-047',
        path: ['spec', 'workers'],
        summary: `The lab's subnet has addresses for ${plural(count, 'machine')}, but ${peak(desired, surge)}.`,
        remedy: `Ask for ${lacking} fewer, or write the ranges of a larger subnet in nodeNetwork.`,
        related,
      },
    ];
  return [
    {
      code: 'SPEC-047',
      path,
      summary: `The ranges hold ${count} ${count === 1 ? 'address' : 'addresses'}, but ${peak(desired, surge)}.`,
      remedy: `Add at least ${lacking} more.`,
      related,
    },
  ];
}

/** Addresses with a use of their own must not be handed to machines or Services. */
export function reservedAddresses(context: ClusterContext): DocumentProblem[] {
  const { machines, loadBalancer, endpoint, gateway, servers, node } = addressingOf(context);
  const singles = [endpoint, gateway, ...servers].filter((placed) => placed !== undefined);
  const pools = [...machines, ...loadBalancer];
  const inside = singles.flatMap((placed) =>
    pools
      .filter((pool) => contains(pool.range, placed.range.first))
      .map((pool) => ({
        code: placed === endpoint ? 'SPEC-048' : 'SPEC-049',
        path: placed.path,
        summary: `${subjectOf(placed)} lies in ${pool.range.text}, the addresses of ${pool.name}.`,
        remedy: 'Choose an address outside the range, or make the range smaller.',
        related: [pool.path],
      })),
  );
  const isSame = endpoint && gateway && endpoint.range.first === gateway.range.first;
  if (isSame)
    inside.push({
      code: 'SPEC-055',
      path: endpoint.path,
      summary: `${endpoint.range.text} is both the API address and the gateway.`,
      remedy: 'Choose an address nobody uses.',
      related: [gateway.path],
    });
  if (!node) return inside;
  const edges = [
    { address: node.range.first, what: 'the network itself' },
    { address: node.range.last, what: 'the broadcast address' },
  ];
  const onEdge = [...machines, ...singles].flatMap((placed) =>
    edges
      .filter((edge) => contains(placed.range, edge.address))
      .map((edge) => ({
        code: 'SPEC-050',
        path: placed.path,
        summary: `${subjectOf({ ...placed, range: { first: edge.address, last: edge.address, text: formatAddress(edge.address) } }, machines.includes(placed))} is ${edge.what} of ${node.range.text}.`,
        remedy: 'Leave the first and the last address of the network out.',
        related: [
          ['spec', 'nodeNetwork', 'prefix'],
          ['spec', 'nodeNetwork', 'gateway'],
        ],
      })),
  );
  return [...inside, ...onEdge];
}

/** Machines, gateway and a virtual address stand in one network. */
export function insideNetwork(context: ClusterContext): DocumentProblem[] {
  const { machines, endpoint, gateway, node } = addressingOf(context);
  if (!node) return [];
  const placed = [...machines, endpoint, gateway].filter((item) => item !== undefined);
  return placed
    .filter(({ range }) => range.first < node.range.first || range.last > node.range.last)
    .map((item) => ({
      code: 'SPEC-050',
      path: item.path,
      summary: `${subjectOf(item, machines.includes(item))} is not inside ${node.range.text} of ${node.name}.`,
      remedy: `Choose ${item.range.first === item.range.last ? 'an address' : 'addresses'} from ${formatAddress(node.range.first + 1)} to ${formatAddress(node.range.last - 1)}.`,
      related: [
        ['spec', 'nodeNetwork', 'prefix'],
        ['spec', 'nodeNetwork', 'gateway'],
      ],
    }));
}

/** Ranges of one pool that share addresses. */
export function repeatedRanges(context: ClusterContext): DocumentProblem[] {
  const { machines, loadBalancer } = addressingOf(context);
  return [machines, loadBalancer].flatMap((pool) =>
    pool.flatMap((later, index) => {
      const earlier = pool.slice(0, index).find((candidate) => overlaps(candidate.range, later.range));
      if (!earlier) return [];
      return [
        {
          code: 'SPEC-051',
          path: later.path,
          summary: `The range ${later.range.text} overlaps ${earlier.range.text}, written before it.`,
          remedy: 'Write every address once.',
          related: [earlier.path],
        },
      ];
    }),
  );
}

/** What a provider needs to be told, and what the lab cannot use. */
export function requiredAddresses({ cluster, provider }: ClusterContext): DocumentProblem[] {
  const type = provider?.spec.type;
  const { nodeNetwork, controlPlane } = cluster.spec;
  const { host } = controlPlane.endpoint;
  const problems: DocumentProblem[] = [];
  if ((type === 'vsphere' || type === 'metal') && nodeNetwork === undefined)
    problems.push({
      code: 'SPEC-063',
      path: ['spec', 'nodeNetwork'],
      summary: `"spec.nodeNetwork" is missing: a ${type} provider must be told which addresses the machines may take.`,
      remedy: 'Add nodeNetwork with ranges, prefix and gateway.',
    });
  if (type !== undefined && type !== 'lab' && type !== 'ec2' && host === undefined)
    problems.push({
      code: 'SPEC-064',
      path: ['spec', 'controlPlane', 'endpoint', 'host'],
      summary: `"spec.controlPlane.endpoint.host" is missing: with a ${type} provider nobody else chooses the API address.`,
      remedy: "Add a free address of the machines' network, or a DNS name.",
    });
  const isNamed = type === 'lab' && host !== undefined && parseAddress(host) === undefined;
  if (isNamed)
    problems.push({
      code: 'SPEC-066',
      path: ['spec', 'controlPlane', 'endpoint', 'host'],
      summary: `"${host}" is a name, and the lab has no DNS that could know it.`,
      remedy: "Write an address of the lab's subnet, or leave the field out.",
    });
  return problems;
}
