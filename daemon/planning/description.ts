import type { Plan, PlanChange, PlannedStep } from '../../provisioners/contract/plan.ts';
import { type Phase, phases } from '../../provisioners/contract/step.ts';
import { controlPlaneJoin } from '../../provisioners/kubernetes/steps/control-plane-join.ts';
import { hookTexts, lineKeyOf } from './hook-text.ts';

const verbs: Readonly<Record<Plan['kind'], string>> = {
  create: 'Create',
  update: 'Change',
  delete: 'Delete',
  adopt: 'Adopt',
  eject: 'Eject',
  finalize: 'Finalize the upgrade of',
  backup: 'Back up etcd of',
  restore: 'Restore the data of',
  renew: 'Renew the certificates of',
  rotate: 'Rotate the authorities of',
};

const signs: Readonly<Record<PlanChange['action'], string>> = { create: '+', change: '~', destroy: '-' };

/** How early a step can start: one more than the latest of those before it. */
function depths(steps: readonly PlannedStep[]): Map<string, number> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const found = new Map<string, number>();
  const depthOf = (id: string): number => {
    const known = found.get(id);
    if (known !== undefined) return known;
    const before = (byId.get(id)?.after ?? []).map(depthOf);
    const depth = before.length === 0 ? 0 : Math.max(...before) + 1;
    found.set(id, depth);
    return depth;
  };
  for (const { id } of steps) depthOf(id);
  return found;
}

/** Steps of one kind in one phase: people read them as one line with the machines side by side. */
interface Line {
  readonly title: string;
  readonly depth: number;
  /** Machines that go side by side, in the order in which one such layer waits for another. */
  readonly layers: readonly (readonly string[])[];
  /** The graph lets them go side by side, and the step itself lets only one go at a time. */
  readonly takesTurns: boolean;
  readonly isDestructive: boolean;
}

/** Names side by side; of more than eight, the first and the last and how many. */
function side(names: readonly string[]): string {
  if (names.length <= 8) return names.join('  ');
  return `${names.slice(0, 3).join('  ')}  …  ${names.at(-1)}  (${names.length})`;
}

/** What a step does, without the machine it does it on: that stands beside. */
function commonTitle(step: PlannedStep): string {
  if (step.subject === 'cluster') return step.title;
  const at = step.title.lastIndexOf(step.subject);
  if (at < 0) return step.title;
  const before = step.title.slice(0, at).replace(/\s+(?:on|to|from|of)?\s*$/, '');
  const rest = step.title.slice(at + step.subject.length).trim();
  return rest === '' ? before : `${before} ${rest}`;
}

/** The machines of one kind of step, in the layers in which some of them wait for others, by whatever way. */
function layersOf(group: readonly PlannedStep[], inOrder: readonly PlannedStep[]): string[][] {
  const ids = new Set(group.map(({ id }) => id));
  const layerOf = new Map<string, number>();
  for (const { id, after } of inOrder) {
    const layers = after.map((before) => (layerOf.get(before) ?? 0) + (ids.has(before) ? 1 : 0));
    layerOf.set(id, Math.max(0, ...layers));
  }
  const layers = new Map<number, string[]>();
  for (const { id, subject } of group) {
    const layer = layerOf.get(id) ?? 0;
    layers.set(layer, [...(layers.get(layer) ?? []), subject]);
  }
  return [...layers.entries()].toSorted(([one], [other]) => one - other).map(([, names]) => names);
}

function linesOf(
  steps: readonly PlannedStep[],
  inOrder: readonly PlannedStep[],
  depth: ReadonlyMap<string, number>,
): Line[] {
  const groups = new Map<string, PlannedStep[]>();
  for (const step of steps) {
    const key = step.subject === 'cluster' ? step.id : lineKeyOf(step);
    groups.set(key, [...(groups.get(key) ?? []), step]);
  }
  const lines = [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const depthsOfGroup = group.map(({ id }) => depth.get(id) ?? 0);
    return [
      {
        title: commonTitle(first),
        depth: Math.min(...depthsOfGroup),
        layers: first.subject === 'cluster' ? [] : layersOf(group, inOrder),
        takesTurns: first.kind === controlPlaneJoin.kind,
        isDestructive: first.destructive,
      },
    ];
  });
  return lines.toSorted((one, other) => one.depth - other.depth);
}

function orderOf({ layers, takesTurns }: Line): string {
  if (takesTurns) return 'one at a time';
  if (layers.length === 1) return 'side by side';
  return layers.every(({ length }) => length === 1) ? 'one after another' : 'in this order';
}

function print(line: Line): string {
  const { title, layers, isDestructive } = line;
  const mark = isDestructive ? '!' : ' ';
  const names = layers.flat();
  if (names.length === 0) return `   ${mark} ${title}`;
  const order = names.length > 1 ? ` (${orderOf(line)})` : '';
  return `   ${mark} ${title}${order}: ${layers.map(side).join(' → ')}`;
}

/** The longest chain of steps: what the plan's duration follows from. */
const longestChain = (depth: ReadonlyMap<string, number>): number =>
  depth.size === 0 ? 0 : Math.max(...depth.values()) + 1;

/** The plan for people: what changes, then the steps by phase, machines side by side, then what to read before agreeing. */
export function describePlan(plan: Plan): string {
  const { cluster, steps, changes, notices, destroys } = plan;
  if (steps.length === 0) {
    const text = [
      `${cluster.name}: nothing to do. Everything is as asked.`,
      ...notices.map((notice) => ` ! ${notice}`),
    ];
    return `${text.join('\n')}\n`;
  }
  const depth = depths(steps);
  const inOrder = steps.toSorted((one, other) => (depth.get(one.id) ?? 0) - (depth.get(other.id) ?? 0));
  const counts = `${steps.length} steps, the longest chain has ${longestChain(depth)}`;
  const partOf = (phase: Phase): readonly string[] => {
    const lines = linesOf(
      steps.filter((step) => step.phase === phase),
      inOrder,
      depth,
    );
    return lines.length === 0 ? [] : ['', ` ${phase}`, ...lines.map(print)];
  };
  const parts = phases.flatMap(partOf);
  const text = [
    `${verbs[plan.kind]} ${cluster.name}: ${counts}`,
    '',
    ...changes.map(({ action, subject, detail }) => `   ${signs[action]} ${subject}: ${detail}`),
    ...parts,
    ...hookTexts(steps),
    ...(destroys.length === 0
      ? []
      : [
          '',
          ` Destroys ${destroys.length === 1 ? '1 machine' : `${destroys.length} machines`}: ${side(destroys)}`,
        ]),
    ...(notices.length === 0 ? [] : ['', ' Before you agree:', ...notices.map((notice) => `   ! ${notice}`)]),
  ];
  return `${text.join('\n')}\n`;
}
