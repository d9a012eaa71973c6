import { z } from 'zod';
import type { KubernetesObject } from '../contract/ports/kubernetes.ts';

const expressionSchema = z.object({
  key: z.string(),
  operator: z.string(),
  values: z.array(z.string()).nullish(),
});

const budgetSchema = z.object({
  apiVersion: z.string(),
  metadata: z.object({ namespace: z.string(), name: z.string(), generation: z.int().optional() }),
  spec: z.object({
    selector: z
      .object({
        matchLabels: z.record(z.string(), z.string()).nullish(),
        matchExpressions: z.array(expressionSchema).nullish(),
      })
      .nullish(),
    minAvailable: z.union([z.string(), z.number()]).optional(),
    maxUnavailable: z.union([z.string(), z.number()]).optional(),
    unhealthyPodEvictionPolicy: z.string().optional(),
  }),
  status: z
    .object({
      observedGeneration: z.int().optional(),
      disruptionsAllowed: z.int().optional(),
      currentHealthy: z.int().optional(),
      desiredHealthy: z.int().optional(),
      expectedPods: z.int().optional(),
    })
    .optional(),
});
type Budget = z.infer<typeof budgetSchema>;

/** What a budget is asked about a pod. */
interface Subject {
  /** `namespace/name`. */
  readonly title: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly isReady: boolean;
}

/** Why a pod may not go now, what would let it, and which budgets hold it (`namespace/name`). */
export interface Hold {
  readonly budgets: readonly string[];
  readonly why: string;
  readonly remedy: string;
  /** Its pods, when some of them are not healthy: they are what it waits for. */
  readonly lacking?: { readonly namespace: string; readonly labelSelector: string };
}

/** A selector as a list call takes it (`a=b,c in (d,e)`). */
function selectorText({ spec }: Budget): string {
  const equalities = Object.entries(spec.selector?.matchLabels ?? {}).map(
    ([key, value]) => `${key}=${value}`,
  );
  const expressions = (spec.selector?.matchExpressions ?? []).map(({ key, operator, values }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${(values ?? []).join(',')})`;
  });
  return [...equalities, ...expressions].join(',');
}

function satisfies(labels: Readonly<Record<string, string>>, of: z.infer<typeof expressionSchema>): boolean {
  const value = labels[of.key];
  const isListed = value !== undefined && (of.values ?? []).includes(value);
  if (of.operator === 'In') return isListed;
  if (of.operator === 'NotIn') return !isListed;
  return of.operator === 'Exists' ? value !== undefined : value === undefined;
}

/** Whether the budget speaks of the pod. An empty selector is none in policy/v1beta1, and every pod in policy/v1. */
function selects({ apiVersion, metadata, spec }: Budget, { namespace, labels }: Subject): boolean {
  if (metadata.namespace !== namespace || spec.selector == null) return false;
  const equalities = Object.entries(spec.selector.matchLabels ?? {});
  const expressions = spec.selector.matchExpressions ?? [];
  if (equalities.length + expressions.length === 0) return apiVersion !== 'policy/v1beta1';
  return (
    equalities.every(([key, value]) => labels[key] === value) &&
    expressions.every((expression) => satisfies(labels, expression))
  );
}

const nameOf = ({ metadata }: Budget): string => `${metadata.namespace}/${metadata.name}`;

/** What the budget demands, in its own words. */
function demandOf({ spec }: Budget): string {
  if (spec.minAvailable !== undefined) return `minAvailable: ${spec.minAvailable}`;
  return `maxUnavailable: ${spec.maxUnavailable ?? 'none'}`;
}

/** Whether its controller has not yet seen the budget as it is now: until then every eviction is refused. */
const isUnread = ({ metadata, status }: Budget): boolean =>
  (status?.observedGeneration ?? 0) < (metadata.generation ?? 0);

/**
 * Whether the eviction API will let the pod go. One that is not ready takes nothing from a workload that is well
 * without it (Kubernetes 1.22), or from one whose budget says so (1.26).
 */
function lets(budget: Budget, isReady: boolean): boolean {
  if (isUnread(budget)) return false;
  const { spec, status = {} } = budget;
  const { disruptionsAllowed = 0, currentHealthy = 0, desiredHealthy = 0 } = status;
  if (disruptionsAllowed > 0) return true;
  if (isReady) return false;
  return (
    spec.unhealthyPodEvictionPolicy === 'AlwaysAllow' ||
    (desiredHealthy > 0 && currentHealthy >= desiredHealthy)
  );
}

function holdOf(budget: Budget, pod: Subject): Hold {
  if (isUnread(budget))
    return {
      budgets: [nameOf(budget)],
      why: `pod ${pod.title} may not go: PodDisruptionBudget ${nameOf(budget)} (${demandOf(budget)}) is new or changed, and the cluster has not counted its pods yet`,
      remedy: 'Nothing is to be done: it takes a moment. If it stays so, look at kube-controller-manager.',
    };
  const {
    currentHealthy = 0,
    desiredHealthy = 0,
    expectedPods = 0,
    disruptionsAllowed = 0,
  } = budget.status ?? {};
  const name = nameOf(budget);
  const why =
    `pod ${pod.title} may not go: PodDisruptionBudget ${name} (${demandOf(budget)}) needs ${desiredHealthy} healthy ` +
    `pods, ${currentHealthy} of ${expectedPods} are, and it allows ${disruptionsAllowed} to go`;
  if (expectedPods <= desiredHealthy)
    return {
      budgets: [name],
      why: `${why}; with ${expectedPods} pods it never lets one go`,
      remedy: `Scale the pods of budget ${name} to ${desiredHealthy + 1} or more, or let the budget allow one to go.`,
    };
  const missing = desiredHealthy + 1 - currentHealthy;
  const labelSelector = selectorText(budget);
  const { namespace } = budget.metadata;
  return {
    budgets: [name],
    why,
    ...(currentHealthy < expectedPods ? { lacking: { namespace, labelSelector } } : {}),
    remedy: `Budget ${name} lets it go by itself when ${missing} more of its pods ${missing === 1 ? 'is' : 'are'} healthy; see why they are not, or scale them up.`,
  };
}

/** Reads budgets once, then says of each pod whether they hold it. */
export function readBudgets(objects: readonly KubernetesObject[]): (pod: Subject) => Hold | undefined {
  const budgets = objects.map((object) => budgetSchema.parse(object));
  return (pod) => {
    const own = budgets.filter((budget) => selects(budget, pod));
    const [only] = own;
    if (own.length > 1) {
      const names = own.map(nameOf);
      return {
        budgets: names,
        why: `pod ${pod.title} is selected by ${own.length} PodDisruptionBudgets (${names.join(', ')}), and the eviction API refuses such a pod`,
        remedy: `Change the selectors of ${names.join(' and ')} so that one alone selects the pod.`,
      };
    }
    return only === undefined || lets(only, pod.isReady) ? undefined : holdOf(only, pod);
  };
}
