import { field, matches, textMap, tolerates, type StoredObject } from './kubernetes.ts';
import type { NodeState } from './workloads.ts';

/** Label of pods whose processes heed no signal: they end only when they are taken out of the API. */
export const neverEnds = 'test.remuda.dev/never-ends';

/** How long a pod takes to end once it was told to, ms: most do at once. */
const ending = 1000;

/** When a pod was told to go, and by when its kubelet must have ended it. */
export interface PodEnd {
  readonly asked: number;
  readonly due: number;
}

/** One pod of a Deployment or StatefulSet, from its making until its kubelet has confirmed its end. */
export interface PlacedPod {
  readonly index: number;
  /** How often the pod at this index was replaced. */
  readonly incarnation: number;
  /** Absent while no node may take it. */
  node: string | undefined;
  /** Model time before which it cannot have started; 0 for one that nothing held up. */
  readonly since: number;
  /** It has run: a silent node does not make it a pod that never started. */
  hasRun: boolean;
  end: PodEnd | undefined;
}

/** Whether a pod that was told to go is gone by now. */
export function isOver(
  end: PodEnd,
  pod: { readonly labels: Readonly<Record<string, string>>; readonly isHeld: boolean },
  node: NodeState | undefined,
  now: number,
): boolean {
  if (pod.isHeld) return false;
  // Without its Node nobody speaks for it any more, and the garbage collector of pods takes it away.
  if (node === undefined) return true;
  return node.isAlive && pod.labels[neverEnds] === undefined && Math.min(end.due, end.asked + ending) <= now;
}

/** Nodes that may take a pod of the template now. */
const fitting = (template: unknown, nodes: readonly NodeState[]): NodeState[] =>
  nodes.filter(
    (node) =>
      node.isReady &&
      !node.isUnschedulable &&
      tolerates(template, node.taints) &&
      matches(node.labels, textMap(template, 'spec', 'nodeSelector')),
  );

/** Whether something holds pods of the template back from going. */
const isHeld = (template: unknown): boolean => {
  const finalizers = field(template, 'metadata', 'finalizers');
  return Array.isArray(finalizers) && finalizers.length > 0;
};

/**
 * Where the pods of Deployments and StatefulSets are: a pod stays on its node, cordoned or not, until it is told to go
 * or its node is no longer ready. (Kubernetes waits five minutes for such a node; the model does not.)
 */
export class Placements {
  readonly #pods = new Map<string, PlacedPod[]>();
  /** Workload and index → incarnation of the pod that was taken away there. */
  readonly #dropped = new Map<string, number>();

  /** Pods of one workload as they are now, after what its controller and the scheduler do. */
  of(owner: StoredObject, nodes: readonly NodeState[], now: number): readonly PlacedPod[] {
    const key = String(owner.metadata['uid']);
    const template = field(owner, 'spec', 'template');
    const count = Number(field(owner, 'spec', 'replicas') ?? 1);
    const labels = textMap(template, 'metadata', 'labels');
    const known = new Map(nodes.map((node) => [node.name, node]));
    const nodeOf = ({ node }: PlacedPod): NodeState | undefined =>
      node === undefined ? node : known.get(node);
    let pods = (this.#pods.get(key) ?? []).filter((pod) => pod.end !== undefined || pod.index < count);
    for (const pod of pods)
      if (pod.end === undefined && pod.node !== undefined && nodeOf(pod)?.isReady !== true)
        pod.end = { asked: now, due: now };
    pods = pods.filter(
      (pod) =>
        pod.end === undefined || !isOver(pod.end, { labels, isHeld: isHeld(template) }, nodeOf(pod), now),
    );
    const before = this.#pods.get(key) ?? [];
    const fit = fitting(template, nodes);
    for (let index = 0; index < count; index += 1) this.#fill(owner, { pods, before, fit, index, now });
    this.#pods.set(key, pods);
    return pods;
  }

  /** Tells a pod to go. */
  end(owner: StoredObject, of: Pick<PlacedPod, 'index' | 'incarnation'>, end: PodEnd): void {
    const pod = this.#find(owner, of);
    if (pod !== undefined) pod.end ??= end;
  }

  /** Takes a pod out of the API, whatever its kubelet says. */
  drop(owner: StoredObject, of: Pick<PlacedPod, 'index' | 'incarnation'>): void {
    const pod = this.#find(owner, of);
    const key = String(owner.metadata['uid']);
    if (pod !== undefined) this.#dropped.set(`${key} ${pod.index}`, pod.incarnation);
    this.#pods.set(
      key,
      (this.#pods.get(key) ?? []).filter((other) => other !== pod),
    );
  }

  #find(owner: StoredObject, of: Pick<PlacedPod, 'index' | 'incarnation'>): PlacedPod | undefined {
    return this.#pods
      .get(String(owner.metadata['uid']))
      ?.find(({ index, incarnation }) => index === of.index && incarnation === of.incarnation);
  }

  /** Makes the pod at an index if there is none, and finds a node for one that has none. */
  #fill(
    owner: StoredObject,
    at: {
      readonly pods: PlacedPod[];
      readonly before: readonly PlacedPod[];
      readonly fit: readonly NodeState[];
      readonly index: number;
      readonly now: number;
    },
  ): void {
    const { pods, before, fit, index, now } = at;
    const here = pods.filter((pod) => pod.index === index);
    // A StatefulSet makes the successor only when its predecessor is surely gone.
    const isTaken = here.some(({ end }) => end === undefined || owner.kind === 'StatefulSet');
    if (!isTaken) {
      const former = before.findLast((pod) => pod.index === index);
      const dropped = this.#dropped.get(`${String(owner.metadata['uid'])} ${index}`) ?? -1;
      const incarnation = Math.max(former?.incarnation ?? -1, dropped) + 1;
      const since = incarnation === 0 ? 0 : now;
      pods.push({ index, incarnation, node: undefined, since, hasRun: false, end: undefined });
    }
    const waiting = pods.find((pod) => pod.index === index && pod.end === undefined);
    if (waiting !== undefined)
      waiting.node ??= fit[(index + waiting.incarnation) % Math.max(1, fit.length)]?.name;
  }
}
