import type { MachineRole } from '../../provisioners/contract/machine.ts';
import type { Observed, ObservedRetirement } from '../../provisioners/contract/observed.ts';
import { hasEtcdApart, isVoter } from './etcd-machines.ts';

/** Machines of one kind that the document counts: the masters, those of etcd alone, or a worker group. */
export interface MachineGroup {
  /** What its machines are called but for their number: `prod-cp`, `prod-general`. */
  readonly prefix: string;
  readonly role: MachineRole;
  readonly replicas: number;
}

/** Who is on duty in one group. */
export interface GroupRoster {
  /** Names of the machines that are to be there, by number. */
  readonly names: readonly string[];
  /** Machines that this look is the first to send away. */
  readonly surplus: readonly string[];
  /** Machines that were to leave, are whole still, and stay after all. */
  readonly takenBack: readonly string[];
}

const numberOf = (prefix: string, name: string): number | undefined => {
  const text = name.startsWith(`${prefix}-`) ? name.slice(prefix.length + 1) : '';
  return /^[1-9]\d*$/.test(text) ? Number(text) : undefined;
};

/**
 * Whether anything of a machine is there: at the provider, as a Node, or in etcd; or whether it may run still, because
 * nobody could fence it. Until that ends nobody else gets its name or its address.
 */
export const hasTraces = (
  { machines, nodes, voters, retired }: Pick<Observed, 'machines' | 'nodes' | 'voters' | 'retired'>,
  name: string,
): boolean =>
  retired[name]?.unfenced !== undefined ||
  [machines, nodes, voters].some((list) => list?.some((entry) => entry.name === name) === true);

/** A member of the cluster that works: what was to leave may stay as it is. */
function isWhole(observed: Observed, name: string, role: MachineRole): boolean {
  const { machines, nodes, retired } = observed;
  const isRunning = machines?.some((machine) => machine.name === name && machine.state === 'running');
  const node = nodes?.find((one) => one.name === name);
  if (isRunning !== true || retired[name]?.isStripped === true) return false;
  if (role === 'etcd') return isVoter(observed, name);
  const needsMember = role === 'control-plane' && !hasEtcdApart(observed);
  return node?.ready === true && (!needsMember || isVoter(observed, name));
}

/** Whether Kubernetes or etcd still knows a machine. */
const isMemberStill = ({ nodes, voters }: Observed, name: string): boolean =>
  [nodes, voters].some((list) => list?.some((entry) => entry.name === name) === true);

/** What speaks for sending a machine away first, most weight first: it is no part yet, not on, not well. */
function weaknesses({ machines, nodes, voters }: Observed, name: string): readonly number[] {
  const node = nodes?.find((one) => one.name === name);
  const machine = machines?.find((one) => one.name === name);
  const member = voters?.find((one) => one.name === name);
  // Machines of etcd alone have no Node, and all of them have none.
  const isUnwell = machine?.role === 'etcd' ? member?.healthy !== true : node?.ready !== true;
  return [node === undefined, machine?.state !== 'running', isUnwell].map(Number);
}

/**
 * Which machines of a group stay, which leave and which are new. Names follow machines, not numbers: whoever is there
 * keeps its name whatever happens to others (complaint 18). `retired`: all that leave, as kept by the daemon and as
 * asked for now; who is among them without a trace left gives its name free.
 *
 * On the way back of an upgrade those that it sent away come again: the ones that are whole still, then those that were
 * kept for it, sealed off.
 *
 * New machines get the lowest free numbers, first those whose making was begun and not seen yet. Who was to leave only
 * because fewer were asked for and is whole stays, when more are asked for again.
 */
export function groupRoster(
  { prefix, role, replicas }: MachineGroup,
  observed: Observed,
  retired: Readonly<Record<string, Pick<ObservedRetirement, 'reason' | 'mode'> & { isFenced?: boolean }>>,
  isBack = false,
): GroupRoster {
  const byNumber = (one: string, other: string): number =>
    (numberOf(prefix, one) ?? 0) - (numberOf(prefix, other) ?? 0);
  const present = (observed.machines ?? [])
    .filter((machine) => machine.role === role && numberOf(prefix, machine.name) !== undefined)
    .map(({ name }) => name);
  const staying = present.filter((name) => retired[name] === undefined);
  const weakestFirst = (one: string, other: string): number => {
    const [mine, theirs] = [weaknesses(observed, one), weaknesses(observed, other)];
    const at = mine.findIndex((weight, index) => weight !== theirs[index]);
    return at < 0 ? byNumber(other, one) : (theirs[at] ?? 0) - (mine[at] ?? 0);
  };
  const surplus = staying
    .toSorted(weakestFirst)
    .slice(0, Math.max(0, staying.length - replicas))
    .toSorted(byNumber);
  const missing = Math.max(0, replicas - staying.length);
  const whole = (name: string): boolean => isWhole(observed, name, role);
  const returns = (name: string): boolean => {
    const { reason, isFenced } = retired[name] ?? {};
    if (reason === 'surplus') return whole(name);
    // One that is on its way out still goes on: its Node would be taken for a new one's.
    const hasLeft = isFenced === true && !isMemberStill(observed, name);
    return isBack && reason === 'upgraded' && (whole(name) || hasLeft);
  };
  const takenBack = present
    .filter(returns)
    .toSorted((one, other) => Number(whole(other)) - Number(whole(one)) || byNumber(one, other))
    .slice(0, missing);
  const isFree = (name: string): boolean => !present.includes(name) && !hasTraces(observed, name);
  const begun = Object.keys(observed.incarnations)
    .filter(
      (name) =>
        numberOf(prefix, name) !== undefined && observed.references[name] === undefined && isFree(name),
    )
    .toSorted(byNumber);
  const made: string[] = begun.slice(0, missing - takenBack.length);
  // A machine that vanished without having been sent away is made anew under its own name, traces or not.
  const isVacant = (name: string): boolean =>
    !made.includes(name) && !present.includes(name) && (retired[name] === undefined || isFree(name));
  for (let number = 1; made.length < missing - takenBack.length; number += 1)
    if (isVacant(`${prefix}-${number}`)) made.push(`${prefix}-${number}`);
  const stays = staying.filter((name) => !surplus.includes(name));
  return { names: [...stays, ...takenBack, ...made].toSorted(byNumber), surplus, takenBack };
}
