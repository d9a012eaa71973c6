import { z } from 'zod';
import type { ControlPlaneAccess } from '../../contract/ports/etcd.ts';
import type { KubernetesObject, ObjectReference } from '../../contract/ports/kubernetes.ts';
import { Transient } from '../../contract/problem.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import { accessSchema, type NoFacts } from '../cluster-settings.ts';
import { cordonOf } from '../cordon.ts';
import { quick } from '../limits.ts';
import { marksReference } from '../marks.ts';
import { configAnnotation, cordonAnnotation, drainAnnotation } from '../node-mark.ts';
import { peopleBindings } from './cluster-access-grant.ts';

const annotations = [configAnnotation, cordonAnnotation, drainAnnotation] as const;

/** Namespace of the accounts whose tokens Remuda gave to people; their bindings begin with the prefix. */
const peopleNamespace: ObjectReference = { apiVersion: 'v1', kind: 'Namespace', name: 'remuda-access' };
const personPrefix = 'remuda:person-';

const bindingNamed = (name: string): ObjectReference => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  name,
});

const nodeVersionSchema = z.object({
  metadata: z.object({ name: z.string(), resourceVersion: z.string() }),
});

const isMarked = ({ metadata }: KubernetesObject): boolean =>
  annotations.some((key) => metadata.annotations?.[key] !== undefined);

/** The token with which machines join. */
async function joinToken(context: StepContext): Promise<ObjectReference> {
  const [id = ''] = (await context.secrets.clusterKeys()).bootstrapToken.split('.');
  return { apiVersion: 'v1', kind: 'Secret', namespace: 'kube-system', name: `bootstrap-token-${id}` };
}

/** What of Remuda is in the cluster; the marks last, because they say whose it is. */
async function tiesOf(context: StepContext, access: ControlPlaneAccess) {
  const { kubernetes } = context;
  const bindings = await kubernetes.list(access, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
  });
  const known = new Set(peopleBindings);
  const people = bindings
    .map(({ metadata }) => metadata.name)
    .filter((name) => known.has(name) || name.startsWith(personPrefix))
    .map(bindingNamed);
  const others = [await joinToken(context), peopleNamespace, marksReference];
  const found = await Promise.all(others.map((reference) => kubernetes.get(access, reference)));
  const nodes = await kubernetes.list(access, { apiVersion: 'v1', kind: 'Node' });
  // A namespace goes when its controller has emptied it.
  const isGoing = (index: number): boolean => found[index]?.metadata['deletionTimestamp'] !== undefined;
  const isThere = (index: number): boolean => found[index] !== undefined;
  return {
    objects: [...people, ...others.filter((_, index) => isThere(index) && !isGoing(index))],
    going: others.filter((_, index) => isGoing(index)),
    nodes: nodes.filter(isMarked),
  };
}

/** Takes our marks off a Node, and with them a cordon of ours: nobody would release it any more. */
async function unmark(
  context: StepContext,
  access: ControlPlaneAccess,
  node: KubernetesObject,
): Promise<void> {
  const { metadata } = nodeVersionSchema.parse(node);
  const cordon = cordonOf(node);
  const removed = Object.fromEntries(annotations.map((key) => [key, null]));
  const isClosed = cordon.state === 'theirs';
  const answer = await context.kubernetes.setUnschedulable(access, metadata, isClosed, removed);
  if (answer === 'outdated')
    throw new Transient('NODE-002', `The Node ${metadata.name} has changed meanwhile.`, {
      machine: metadata.name,
    });
}

/**
 * Marks on Nodes, rights and accounts of people, and the mark whose the cluster is. Whoever had access by way of Remuda
 * has none from then on; what runs is not touched.
 */
export const clusterTiesRemove = defineStep<{ access: ControlPlaneAccess }, NoFacts>({
  kind: 'cluster-ties.remove',
  version: 1,
  nature: 'ensure',
  phase: 'removal',
  destructive: false,
  title: () => "Remove Remuda's marks and people's access by way of Remuda from the cluster",
  schema: z.strictObject({ access: accessSchema }),
  limits: quick,
  async observe(context, { access }) {
    const { objects, going, nodes } = await tiesOf(context, access);
    if (objects.length + nodes.length === 0 && going.length > 0) {
      const what = `${going.map(({ kind, name }) => `${kind} ${name}`).join(', ')} to be gone`;
      return { state: 'pending', what, since: context.now(), usually: seconds(15) };
    }
    if (objects.length + nodes.length === 0) return { state: 'done', facts: {} };
    const names = [
      ...nodes.map(({ metadata }) => `Node ${metadata.name}`),
      ...objects.map(({ kind, name }) => `${kind} ${name}`),
    ];
    return { state: 'todo', why: `Remuda's marks are still on ${names.join(', ')}` };
  },
  async apply(context, { access }) {
    const { objects, nodes } = await tiesOf(context, access);
    for (const node of nodes) await unmark(context, access, node);
    for (const reference of objects) await context.kubernetes.remove(access, reference);
  },
});
