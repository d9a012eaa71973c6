import { z } from 'zod';
import type { ControlPlaneAccess } from '../../contract/ports/etcd.ts';
import type { KubernetesObject } from '../../contract/ports/kubernetes.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { accessSchema } from '../cluster-settings.ts';
import { type DeletionNote, isGivenUp, readNote, requireOwn, writeNote } from '../deletion-note.ts';
import { awaitGoing, type GoingObject, goingObject, holdOf, someOf } from '../going-objects.ts';
import { releaseRun } from '../limits.ts';
import { type ReleasedEntry, type ReleaseFacts, releasePolicySchema } from '../../contract/released.ts';

const inputSchema = z.strictObject({ access: accessSchema, policy: releasePolicySchema });
type Input = z.infer<typeof inputSchema>;

/** An object behind which stands, or may stand, a balancer outside of the machines. */
interface Balanced extends GoingObject {
  /** Where it is reached, as its controller tells. */
  readonly addresses: readonly string[];
}

const balancedSchema = z.object({
  spec: z.object({ type: z.string().optional() }).optional(),
  status: z
    .object({
      loadBalancer: z
        .object({
          ingress: z
            .array(z.object({ ip: z.string().optional(), hostname: z.string().optional() }))
            .nullish(),
        })
        .nullish(),
      addresses: z.array(z.object({ value: z.string() })).nullish(),
    })
    .optional(),
});

function balanced(object: KubernetesObject): Balanced {
  const { status } = balancedSchema.parse(object);
  const ingress = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
  const named = (status?.addresses ?? []).map(({ value }) => value);
  return { ...goingObject(object), addresses: [...ingress, ...named] };
}

const isBalancer = (service: KubernetesObject): boolean =>
  balancedSchema.parse(service).spec?.type === 'LoadBalancer' || goingObject(service).finalizers.length > 0;

const gatewayCrd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  name: 'gateways.gateway.networking.k8s.io',
} as const;

const crdSchema = z.object({
  spec: z.object({ versions: z.array(z.object({ name: z.string(), served: z.boolean() })) }),
});

/** Gateways, where the cluster has that API. */
async function gateways(context: StepContext, access: ControlPlaneAccess): Promise<KubernetesObject[]> {
  const found = await context.kubernetes.get(access, gatewayCrd);
  if (found === undefined) return [];
  const version = crdSchema.parse(found).spec.versions.find(({ served }) => served)?.name;
  if (version === undefined) return [];
  const apiVersion = `gateway.networking.k8s.io/${version}`;
  return context.kubernetes.list(access, { apiVersion, kind: 'Gateway' });
}

/**
 * Services of type LoadBalancer, and every Service, Ingress and Gateway that a controller keeps track of outside: its
 * finalizer says so. Others are served from inside the cluster and go with it.
 */
async function allBalanced(context: StepContext, access: ControlPlaneAccess): Promise<Balanced[]> {
  const { kubernetes } = context;
  const [services, ingresses, doors] = await Promise.all([
    kubernetes.list(access, { apiVersion: 'v1', kind: 'Service' }),
    kubernetes.list(access, { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' }),
    gateways(context, access),
  ]);
  const held = [...ingresses, ...doors].filter((object) => goingObject(object).finalizers.length > 0);
  return [...services.filter(isBalancer), ...held]
    .map(balanced)
    .toSorted((one, other) => one.title.localeCompare(other.title));
}

const entryOf = ({ title, uid, addresses }: Balanced): ReleasedEntry => ({
  type: 'load balancer',
  id: uid,
  name: addresses.length === 0 ? `of ${title}` : `${addresses.join(', ')} of ${title}`,
});

function factsOf({ entries }: DeletionNote, still: readonly Balanced[]): ReleaseFacts {
  const left = new Set(still.map(({ uid }) => uid));
  return {
    lists: {
      of: 'balancers',
      gone: entries.filter(({ id }) => !left.has(id)),
      kept: [],
      left: still.map((one) => ({
        ...entryOf(one),
        why: `${holdOf(one)}; it was not waited for, as chosen`,
      })),
    },
  };
}

/**
 * Deletes what has balancers outside of the machines, and waits until the controllers that made those have taken them
 * away: once the machines are gone nobody would (complaint 16). Names what holds an object, and who could let it go.
 */
export const servicesRelease = defineStep<Input, ReleaseFacts>({
  kind: 'services.release',
  version: 1,
  nature: 'ensure',
  phase: 'teardown',
  destructive: true,
  title: () => 'Give back load balancers: delete Services, Ingresses and Gateways that have one',
  schema: inputSchema,
  limits: releaseRun,
  async observe(context, { access, policy }) {
    const [there, note] = await Promise.all([
      allBalanced(context, access),
      readNote(context, access, 'services'),
    ]);
    if (there.length === 0) return { state: 'done', facts: factsOf(note, []) };
    const untold = there.filter(({ since }) => since === undefined);
    if (untold.length > 0 || note.since === undefined)
      return {
        state: 'todo',
        why: `still there: ${someOf(
          there.map(({ title }) => title),
          ', ',
        )}`,
      };
    if (isGivenUp(note, policy, context.now())) return { state: 'done', facts: factsOf(note, there) };
    const what = `${someOf(
      there.map(({ title }) => title),
      ', ',
    )} to be let go`;
    return awaitGoing(there, { what, now: context.now(), cluster: context.cluster.name });
  },
  async apply(context, { access }) {
    await requireOwn(context, access);
    const there = await allBalanced(context, access);
    await writeNote(context, access, 'services', there.map(entryOf));
    for (const { title, reference, since } of there) {
      if (since !== undefined) continue;
      await context.kubernetes.remove(access, reference);
      context.log(`${title} is told to go`);
    }
  },
});
