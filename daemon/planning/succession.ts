import { stepId } from '../../provisioners/contract/plan.ts';
import { controlPlaneUpgrade } from '../../provisioners/kubernetes/steps/control-plane-upgrade.ts';
import { etcdMemberStart } from '../../provisioners/kubernetes/steps/etcd-member-start.ts';
import { nodeLabel } from '../../provisioners/kubernetes/steps/node-label.ts';
import type { ClusterDocument } from '../spec/documents.ts';
import type { Difference } from './difference.ts';
import { exitOf, type LeavingMachine } from './leaving-machine.ts';
import type { WantedMachine } from './wanted-machine.ts';

/** Who waits for whom where some leave and others come in their place. Step ids, by machine. */
export interface Succession {
  /** What a new machine waits for before it is made: beyond the surge, that one has left. */
  readonly entries: ReadonlyMap<string, readonly string[]>;
  /** What a leaving machine waits for before its road begins: its successor, and those who leave before it. */
  readonly exits: ReadonlyMap<string, readonly string[]>;
}

/** `prod-general-3` belongs to `prod-general`. */
const groupOf = (name: string): string => name.replace(/-\d+$/, '');

interface Side {
  readonly leaving: readonly LeavingMachine[];
  readonly coming: readonly WantedMachine[];
  /** How many may be there beyond what is asked for. */
  readonly surge: number;
  /** How many may be missing of it. With the former at least one. */
  readonly unavailable: number;
}

/** How many more leave than come; negative where the group grows. Those who only leave go first, who only come waits for nobody. */
const shrinkageOf = ({ leaving, coming }: Pick<Side, 'leaving' | 'coming'>): number =>
  leaving.filter(({ isDead }) => !isDead).length - coming.length;

/**
 * One group: who is dead leaves at once, for it does no work. Of the others each waits until so many have come that no
 * more are missing than may be, and whoever comes until so many have left that no more are there than may be. No more
 * are under way at a time than both together; where nobody comes the row alone counts.
 */
function rowOf(side: Side, entries: Map<string, string[]>, exits: Map<string, string[]>): void {
  const { leaving, coming, surge, unavailable } = side;
  const row = leaving.filter(({ isDead }) => !isDead);
  const shrinkage = shrinkageOf(side);
  row.forEach(({ name }, index) => {
    const before = row[index - surge - unavailable];
    const successor = coming[index - unavailable - Math.max(0, shrinkage)];
    exits.set(name, [
      ...(before === undefined ? [] : [exitOf(before)]),
      ...(successor === undefined ? [] : [finished(successor)]),
    ]);
  });
  coming.forEach(({ name }, index) => {
    const before = row[index - surge + shrinkage];
    if (before !== undefined) entries.set(name, [exitOf(before)]);
  });
}

/** Machines of etcd alone are finished when their members vote. */
const finished = ({ name, role }: WantedMachine): string =>
  stepId(role === 'etcd' ? etcdMemberStart.kind : nodeLabel.kind, name);

/**
 * The masters, or the machines of etcd alone: one change of etcd's members at a time, and never more than one beyond
 * what is asked for (DESIGN §6). Who is dead leaves first: a member that is dead costs quorum when another joins; but whose join was begun goes on with it,
 * because nobody else may change etcd before that is over. Of the others nobody leaves before all have joined that may.
 */
function mastersRow(
  side: Side,
  halfJoined: readonly string[],
  entries: Map<string, string[]>,
  exits: Map<string, string[]>,
): void {
  const { leaving, coming } = side;
  rowOf(side, entries, exits);
  const row = leaving.filter(({ isDead }) => !isDead);
  const shrinkage = shrinkageOf(side);
  const wait = (waits: Map<string, string[]>, name: string, steps: readonly string[]): void => {
    waits.set(name, [...(waits.get(name) ?? []), ...steps]);
  };
  row.forEach(({ name }, index) =>
    wait(exits, name, coming.slice(0, Math.max(0, index + 1 - shrinkage)).map(finished)),
  );
  const dead = leaving.filter(({ isDead }) => isDead);
  dead.slice(1).forEach(({ name }, index) => wait(exits, name, dead.slice(index, index + 1).map(exitOf)));
  const last = dead.slice(-1).map(exitOf);
  for (const { name } of row) wait(exits, name, last);
  for (const { name } of coming) if (!halfJoined.includes(name)) wait(entries, name, last);
}

/** Who is nearest to being finished comes first: what was begun is not put behind what was not. */
export const furthestFirst = (one: WantedMachine, other: WantedMachine): number =>
  Number(other.node !== undefined) - Number(one.node !== undefined) ||
  Number(other.machine !== undefined) - Number(one.machine !== undefined);

const isMaster = ({ role }: { readonly role: string }): boolean => role === 'control-plane';

const isEtcd = ({ role }: { readonly role: string }): boolean => role === 'etcd';

/** New masters in the order in which they come. */
export const comingMasters = ({ unfinished }: Pick<Difference, 'unfinished'>): readonly WantedMachine[] =>
  unfinished.filter(isMaster).toSorted(furthestFirst);

/**
 * Where every master leaves: who is left to ask while one of them does. Those that have joined before, and those that
 * leave after it.
 */
export function leftBehind(
  { leaving, unfinished }: Pick<Difference, 'leaving' | 'unfinished'>,
  name: string,
): { readonly coming: readonly WantedMachine[]; readonly leaving: readonly LeavingMachine[] } {
  const side = { leaving: leaving.filter(isMaster), coming: comingMasters({ unfinished }) };
  const row = side.leaving.filter(({ isDead }) => !isDead);
  const at = row.findIndex((one) => one.name === name);
  if (at < 0) return { coming: side.coming, leaving: [] };
  const joined = Math.max(0, at + 1 - Math.max(0, shrinkageOf(side)));
  return { coming: side.coming.slice(0, joined), leaving: row.slice(at + 1) };
}

/** The new masters that have joined before the first of the old ones leaves. */
export function firstSuccessors(
  difference: Pick<Difference, 'leaving' | 'unfinished'>,
): readonly WantedMachine[] {
  const side = { leaving: difference.leaving.filter(isMaster), coming: comingMasters(difference) };
  return side.coming.slice(0, Math.max(0, 1 - shrinkageOf(side)));
}

/**
 * Who waits for whom. Pure. In an upgrade no worker comes before the last master has been exchanged: kubelets are never
 * newer than the API servers (https://kubernetes.io/releases/version-skew-policy/).
 */
export function successionOf(
  document: ClusterDocument,
  { leaving, unfinished, outdated }: Pick<Difference, 'leaving' | 'unfinished' | 'outdated'>,
  { isUpgrade, halfJoined }: { readonly isUpgrade: boolean; readonly halfJoined: readonly string[] },
): Succession {
  const entries = new Map<string, string[]>();
  const exits = new Map<string, string[]>();
  const inOrder = unfinished.toSorted(furthestFirst);
  const { maxSurge, maxUnavailable } = document.spec.upgrade;
  const limits = { surge: maxSurge, unavailable: maxUnavailable };
  mastersRow(
    { leaving: leaving.filter(isMaster), coming: inOrder.filter(isMaster), surge: 1, unavailable: 0 },
    halfJoined,
    entries,
    exits,
  );
  mastersRow(
    { leaving: leaving.filter(isEtcd), coming: inOrder.filter(isEtcd), surge: 1, unavailable: 0 },
    halfJoined,
    entries,
    exits,
  );
  const workers = leaving.filter((machine) => !isMaster(machine) && !isEtcd(machine));
  for (const group of new Set(workers.map(({ name }) => groupOf(name)))) {
    const isOfGroup = ({ name }: { name: string }): boolean => groupOf(name) === group;
    const coming = inOrder.filter((machine) => !isMaster(machine) && isOfGroup(machine));
    rowOf({ leaving: workers.filter(isOfGroup), coming, ...limits }, entries, exits);
  }
  if (!isUpgrade) return { entries, exits };
  const mastersDone = [
    ...leaving.filter(isMaster).map(exitOf),
    ...inOrder.filter(isMaster).map(finished),
    ...outdated.filter(isMaster).map(({ name }) => stepId(controlPlaneUpgrade.kind, name)),
  ];
  for (const { name } of inOrder.filter((machine) => !isMaster(machine)))
    entries.set(name, [...(entries.get(name) ?? []), ...mastersDone]);
  return { entries, exits };
}
