import { z } from 'zod';
import type { KubernetesObject, ObjectReference } from '../contract/ports/kubernetes.ts';
import type { Observation } from '../contract/step.ts';
import { type Instant, minutes } from '../contract/time.ts';

const metadataSchema = z.object({
  name: z.string(),
  namespace: z.string().optional(),
  uid: z.string().default(''),
  finalizers: z.array(z.string()).default([]),
  deletionTimestamp: z.string().optional(),
});

/** An object that is to go, or is going. */
export interface GoingObject {
  /** `Service shop/web`. */
  readonly title: string;
  readonly uid: string;
  readonly reference: ObjectReference;
  /** Who wants to do something before it goes: the names of its finalizers, but the garbage collector's. */
  readonly finalizers: readonly string[];
  /** Since when it is told to go. */
  readonly since?: Instant;
}

/** The finalizers that the API server and its garbage collector set themselves for a moment. */
const collectors = new Set(['foregroundDeletion', 'orphan']);

/** Reads what matters of an object that is to go. */
export function goingObject(object: KubernetesObject): GoingObject {
  const { name, namespace, uid, finalizers, deletionTimestamp } = metadataSchema.parse(object.metadata);
  const { apiVersion, kind } = object;
  const isIn = namespace === undefined ? {} : { namespace };
  return {
    title: `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`,
    uid,
    reference: { apiVersion, kind, name, ...isIn },
    finalizers: finalizers.filter((one) => !collectors.has(one)),
    ...(deletionTimestamp === undefined ? {} : { since: deletionTimestamp }),
  };
}

/** Whose finalizers they are, by how they begin (the projects' own documentation and source). */
const controllers: readonly (readonly [RegExp, string])[] = [
  [/^service\.kubernetes\.io\/load-balancer-cleanup$/, 'the cloud controller manager'],
  [/^(service|ingress|gateway)\.k8s\.aws\//, 'the AWS Load Balancer Controller'],
  [/^group\.ingress\.k8s\.aws\//, 'the AWS Load Balancer Controller'],
  [/^networking\.gke\.io\//, "Google's load balancer controller"],
  [/^kubernetes\.io\/pvc-protection$/, 'kube-controller-manager, once no pod uses the claim'],
  [/^kubernetes\.io\/pv-protection$/, 'kube-controller-manager, once no claim is bound to the volume'],
  [/^external-attacher\//, "the attacher of the volume's CSI driver"],
  [/^external-provisioner\.volume\.kubernetes\.io\//, "the provisioner of the volume's CSI driver"],
];

/** A finalizer and who takes it off. */
export function explainFinalizer(finalizer: string): string {
  const known = controllers.find(([pattern]) => pattern.test(finalizer));
  return known === undefined ? `${finalizer} (whoever set it)` : `${finalizer} (${known[1]})`;
}

/** A cloud takes a balancer or a disk away within a minute or two; this much longer, and somebody should look. */
const patience = minutes(3);

/** What holds an object that was told to go. */
export const holdOf = ({ title, finalizers, since = '' }: GoingObject): string =>
  finalizers.length === 0
    ? `${title} was told to go at ${since} and is still there`
    : `${title} was told to go at ${since} and is held by ${finalizers.map(explainFinalizer).join(', ')}`;

/** A few of many, and how many more there are. */
export function someOf(words: readonly string[], separator = '; '): string {
  const shown = words.slice(0, 3).join(separator);
  return words.length > 3 ? `${shown}${separator}and ${words.length - 3} more` : shown;
}

/** How a person goes on without what does not go. */
export const waysOut = (cluster: string): string =>
  `It goes on by itself then. To go on without it, cancel this operation and ask again; what does not go is listed as left: remuda delete ${cluster} --when-blocked skip`;

/**
 * The wait for objects that were told to go: what, whose finalizer, since when; blocked once it takes too long.
 * `also`: what else somebody should know of the first of them.
 */
export function awaitGoing<Facts>(
  going: readonly GoingObject[],
  { what, now, cluster, also }: { what: string; now: Instant; cluster: string; also?: string | undefined },
): Observation<Facts> {
  const oldest = going.flatMap(({ since }) => since ?? []).toSorted()[0] ?? now;
  const seen = `${someOf(going.map(holdOf))}${also === undefined ? '' : `; ${also}`}`;
  if (Date.parse(now) - Date.parse(oldest) < patience)
    return { state: 'pending', what, lastSeen: seen, since: oldest, usually: minutes(1) };
  const whose = [...new Set(going.flatMap(({ finalizers }) => finalizers))].map(explainFinalizer);
  const who = whose.length === 0 ? 'its controller' : someOf(whose, ', ');
  return {
    state: 'blocked',
    what,
    why: seen,
    remedy: `See why ${who} does not let go: read the log of that controller, and whether it runs at all. ${waysOut(cluster)}`,
  };
}
