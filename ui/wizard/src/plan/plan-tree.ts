import type { PlanAnswer } from '../../../../daemon/api/types.ts';

/** A plan as the API answers it. */
export type Plan = PlanAnswer['plans'][number]['plan'];
type PlannedStep = Plan['steps'][number];

/** Steps of one kind in one phase: read as one line, with the machines beside it. */
export interface PlanLine {
  readonly kind: string;
  readonly title: string;
  /** Machines it is done on; those of one layer go side by side, the layers one after the other. */
  readonly layers: readonly (readonly string[])[];
  readonly isDestructive: boolean;
}

/** A phase with its lines, in the order in which they can start. */
export interface PlanPhase {
  readonly phase: string;
  readonly steps: number;
  readonly lines: readonly PlanLine[];
}

/** How early each step can start: one more than the latest of those before it. */
function depthsOf(steps: readonly PlannedStep[]): ReadonlyMap<string, number> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const found = new Map<string, number>();
  const depthOf = (id: string): number => {
    const known = found.get(id);
    if (known !== undefined) return known;
    // A step that is being looked at counts as first: a circle must not hang the page.
    found.set(id, 0);
    const before = (byId.get(id)?.after ?? []).map(depthOf);
    const depth = before.length === 0 ? 0 : Math.max(...before) + 1;
    found.set(id, depth);
    return depth;
  };
  for (const { id } of steps) depthOf(id);
  return found;
}

/** What a step does, without the machine it does it on: that stands beside. */
function commonTitle({ subject, title }: PlannedStep): string {
  const at = subject === 'cluster' ? -1 : title.lastIndexOf(subject);
  if (at < 0) return title;
  const before = title.slice(0, at).replace(/(?:\s+(?:and|on|to|from|of))*\s*$/, '');
  return `${before} ${title.slice(at + subject.length).trim()}`.trim();
}

function layersOf(group: readonly PlannedStep[], depths: ReadonlyMap<string, number>): string[][] {
  const ids = new Set(group.map(({ id }) => id));
  const isLayered = group.some(({ after }) => after.some((id) => ids.has(id)));
  const layers = new Map<number, string[]>();
  for (const { id, subject } of group) {
    if (subject === 'cluster') continue;
    const layer = isLayered ? (depths.get(id) ?? 0) : 0;
    const names = layers.get(layer) ?? [];
    // A machine that it is done on more than once is named once.
    if (!names.includes(subject)) layers.set(layer, [...names, subject]);
  }
  return [...layers].sort(([a], [b]) => a - b).map(([, names]) => names);
}

const groupBy = <Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> => {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
};

/** The tree of a plan: phases, and in them what is done where. */
export function planTree(plan: Plan): readonly PlanPhase[] {
  const depths = depthsOf(plan.steps);
  const first = (group: readonly PlannedStep[]): number =>
    Math.min(...group.map(({ id }) => depths.get(id) ?? 0));
  return [...groupBy(plan.steps, ({ phase }) => phase)].map(([phase, steps]) => ({
    phase,
    steps: steps.length,
    lines: [...groupBy(steps, (step) => `${step.kind} ${commonTitle(step)}`).values()]
      .sort((a, b) => first(a) - first(b))
      .map((group) => ({
        kind: (group[0] as PlannedStep).kind,
        title: commonTitle(group[0] as PlannedStep),
        layers: layersOf(group, depths),
        isDestructive: group.some(({ destructive }) => destructive),
      })),
  }));
}
