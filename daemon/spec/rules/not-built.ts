import type { DocumentProblem } from '../issue.ts';
import type { Path } from '../schema/walk.ts';
import type { ClusterContext } from './context.ts';

interface Unbuilt {
  readonly path: Path;
  /** The subject of "is not built yet". */
  readonly what: string;
  /** What to write meanwhile. */
  readonly instead: string;
}

/** Fields of the design whose behaviour comes with a later release: accepted only where they change nothing. */
export function notBuiltYet(context: ClusterContext): DocumentProblem[] {
  return [...addons(context), ...network(context), ...operations(context), ...kubeadm(context)].map(
    ({ path, what, instead }) => ({
      code: 'SPEC-090',
      path,
      atKey: true,
      summary: `${what} is known to the answer file, but not built in this version of Remuda.`,
      remedy: instead,
    }),
  );
}

function addons({ cluster }: ClusterContext): Unbuilt[] {
  const { addons: asked } = cluster.spec;
  const base: Path = ['spec', 'addons'];
  const plugin = asked.network.type;
  const sections = (['loadBalancer', 'gateway', 'storage', 'registry'] as const)
    .filter((name) => asked[name] !== undefined)
    .map((name) => ({
      path: [...base, name],
      what: `The add-on "${name}"`,
      instead: 'Leave it out; it can be added to the running cluster later.',
    }));
  if (plugin === 'routed-bridge') return sections;
  return [
    {
      path: [...base, 'network', 'type'],
      what: `The network plugin "${plugin}"`,
      instead: 'Write type: routed-bridge.',
    },
    ...sections,
  ];
}

function network({ cluster, provider }: ClusterContext): Unbuilt[] {
  const { clusterNetwork, controlPlane, etcd, workers } = cluster.spec;
  const found: Unbuilt[] = [];
  for (const name of ['pods', 'services'] as const)
    if (clusterNetwork[name].cidrBlocks.length > 1)
      found.push({
        path: ['spec', 'clusterNetwork', name, 'cidrBlocks'],
        what: `A second network for ${name}`,
        instead: 'Keep one network.',
      });
  if (controlPlane.endpoint.exposure === 'public')
    found.push({
      path: ['spec', 'controlPlane', 'endpoint', 'exposure'],
      what: 'A public API address',
      instead: 'Write exposure: internal.',
    });
  if (provider?.spec.type !== 'lab') return found;
  const groups = [
    { machine: controlPlane.machine, path: ['spec', 'controlPlane', 'machine', 'disks'] },
    { machine: etcd.machine, path: ['spec', 'etcd', 'machine', 'disks'] },
    ...workers.map((group, index) => ({
      machine: group.machine,
      path: ['spec', 'workers', index, 'machine', 'disks'],
    })),
  ];
  for (const { machine, path } of groups)
    if (machine.disks.length > 0)
      found.push({ path, what: 'Giving disks to lab machines', instead: 'Leave "disks" out.' });
  return found;
}

function operations({ cluster }: ClusterContext): Unbuilt[] {
  const { proxy } = cluster.spec;
  const used: Unbuilt[] = [];
  const isProxied =
    proxy.http !== undefined ||
    proxy.https !== undefined ||
    [proxy.exceptions, proxy.trustedCAs, proxy.registryMirrors].some((list) => list.length > 0);
  if (isProxied)
    used.push({ path: ['spec', 'proxy'], what: 'The proxy', instead: 'Leave "proxy" out or empty.' });
  return used;
}

function kubeadm({ cluster }: ClusterContext): Unbuilt[] {
  const { patches, extraArgs } = cluster.spec.kubeadm;
  const components = Object.entries(extraArgs)
    .filter(([, args]) => Object.keys(args).length > 0)
    .map(([name]) => ({
      path: ['spec', 'kubeadm', 'extraArgs', name],
      what: `Passing extra flags to ${name}`,
      instead: 'Leave them out.',
    }));
  if (patches.length === 0) return components;
  return [
    { path: ['spec', 'kubeadm', 'patches'], what: 'Patching kubeadm', instead: 'Leave "patches" out.' },
    ...components,
  ];
}
