import { z } from 'zod';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import type { KubernetesObject } from '../contract/ports/kubernetes.ts';
import type { StepContext } from '../contract/step.ts';

/** What is to be true of a whole cluster. */
interface Expected {
  readonly nodes: readonly string[];
  readonly voters: readonly string[];
  readonly kubernetesVersion: string;
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly access: ControlPlaneAccess;
}

const nodeSchema = z.object({
  status: z
    .object({
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), message: z.string().optional() }))
        .optional(),
    })
    .optional(),
});

/** Why a Node is not Ready, in Kubernetes' own words; undefined when it is. */
export function complaintOf(node: KubernetesObject): string | undefined {
  const ready = nodeSchema.parse(node).status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') return undefined;
  return `${node.metadata.name} is not Ready: ${ready?.message ?? 'it has not reported yet'}`;
}

async function awaitedNodes(context: StepContext, { nodes, access }: Expected): Promise<string[]> {
  const found = await context.kubernetes.list(access, { apiVersion: 'v1', kind: 'Node' });
  const byName = new Map(found.map((node) => [node.metadata.name, node]));
  return nodes.flatMap((name) => {
    const node = byName.get(name);
    return node === undefined ? [`the Node ${name} is not there`] : (complaintOf(node) ?? []);
  });
}

async function awaitedVoters(context: StepContext, { voters, access }: Expected): Promise<string[]> {
  const members = await context.etcd.members(access);
  const lacking = voters.filter((name) => !members.some((member) => member.name === name && !member.learner));
  const strangers = members.filter(({ name, learner }) => learner || !voters.includes(name));
  const unwell = members.filter(({ healthy, started }) => started && !healthy);
  return [
    ...lacking.map((name) => `etcd has no voter ${name}`),
    ...strangers.map(({ id, name }) => `etcd has a member that should not be: ${name === '' ? id : name}`),
    ...unwell.map(({ name }) => `etcd on ${name} is not healthy`),
  ];
}

/** Each master's own: through the endpoint, those that are not ready would never be met. */
async function awaitedApiServers(
  context: StepContext,
  { access, kubernetesVersion }: Expected,
): Promise<string[]> {
  const awaited = access.masters.map(async (master) => {
    const version = await context.kubernetes.version(access, master);
    if (version === undefined) return [`the API server on ${master.name} is not ready`];
    return isOfVersion(version, kubernetesVersion)
      ? []
      : [`the API server on ${master.name} still answers as ${version}`];
  });
  return (await Promise.all(awaited)).flat();
}

/** Whether what somebody reports is a version; restamped and vendor builds add a suffix: v1.20.3-restamped…. */
export const isOfVersion = (reported: string | undefined, version: string): boolean =>
  reported === version || reported?.startsWith(`${version}-`) === true;

async function awaitedEndpoint(context: StepContext, expected: Expected): Promise<string[]> {
  const { endpoint, kubernetesVersion, access } = expected;
  const version = await context.kubernetes.versionAtEndpoint(access, endpoint);
  if (isOfVersion(version, kubernetesVersion)) return [];
  const saw = version === undefined ? 'does not answer' : `answers as ${version}`;
  return [`the API at ${endpoint.host}:${endpoint.port} ${saw}`];
}

/** What a cluster still lacks of being as expected, one sentence each; empty when it is all there. */
export async function awaitedOfCluster(context: StepContext, expected: Expected): Promise<string[]> {
  const awaited = await Promise.all([
    awaitedNodes(context, expected),
    awaitedVoters(context, expected),
    awaitedApiServers(context, expected),
    awaitedEndpoint(context, expected),
  ]);
  return awaited.flat();
}
