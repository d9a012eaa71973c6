import type { Intent } from '../../provisioners/contract/intent.ts';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { Observed, Retirement } from '../../provisioners/contract/observed.ts';
import { Blocked, UserProblem } from '../../provisioners/contract/problem.ts';
import type { ProviderMachine } from '../../provisioners/contract/provider.ts';

type RestoreIntent = Extract<Intent, { kind: 'restore' }>;

/** The machines of a cluster that is to be restored, as far as its data or its API is on them. */
export interface RestoreMachines {
  /** etcd stands on machines of its own: masters have no data, and machines of etcd no API server. */
  readonly isEtcdApart: boolean;
  /** Masters that answer: their control planes are stopped. */
  readonly masters: readonly MachineRef[];
  /** Those that answer and have a member of etcd: it is stopped and their data is set aside. */
  readonly holders: readonly MachineRef[];
  /** Those that are given up, as far as the provider still has them: destroyed before anything is restored. */
  readonly lost: readonly ProviderMachine[];
  /** Where the data is restored; absent where nobody with a member is left and a new machine is made for it. */
  readonly target?: MachineRef;
  /** Masters whose control planes are started on the restored data; none where a new one is made. */
  readonly starters: readonly MachineRef[];
}

/** What of a request says who is who. */
interface Circumstances {
  readonly intent: RestoreIntent;
  readonly observed: Observed;
  readonly isEtcdApart: boolean;
  /** Masters whose join was begun and has not ended well: there is nothing on them that could be started. */
  readonly halfJoined: readonly string[];
}

const byNumber = ({ name }: { name: string }, other: { name: string }): number =>
  name.localeCompare(other.name, 'en', { numeric: true });

/** Whether somebody could visit the machine when the cluster was looked at: then its certificates were seen. */
const hasAnswered = ({ certificates = [] }: Observed, name: string): boolean =>
  certificates.some(({ machine }) => machine === name);

/** Machines at the provider that may hold the cluster's data, or an API server of it. Sealed off is out of the game. */
const involved = (
  { intent: { newMaster, newEtcd }, observed }: Circumstances,
  machines: readonly ProviderMachine[],
): ProviderMachine[] =>
  machines
    .filter(
      ({ name, role }) =>
        role !== 'worker' &&
        name !== newMaster &&
        name !== newEtcd &&
        observed.retired[name]?.isFenced !== true,
    )
    .toSorted(byNumber);

const listed = (names: readonly string[]): string => names.join(', ');

/** A machine that is silent may serve somebody all the same. @throws Blocked naming what to do */
function refuseSilent(silent: readonly string[], cluster: string): void {
  if (silent.length === 0) return;
  const given = silent.map((name) => `--lost ${name}`).join(' ');
  const [verb, are] = silent.length === 1 ? ['does', 'is'] : ['do', 'are'];
  throw new Blocked(
    'PLAN-030',
    `${listed(silent)} ${verb} not answer, and could still serve the former data: no other etcd cluster is made beside it`,
    {
      remedy: `Bring ${listed(silent)} back; or, where ${are === 'is' ? 'it is' : 'they are'} lost for ever, ask again with ${given}: then ${are === 'is' ? 'it is' : 'they are'} destroyed first, and others come in the place. (remuda restore ${cluster} ${given})`,
    },
  );
}

/** @throws UserProblem where somebody is called lost who answers */
function refuseFound(intent: RestoreIntent, answering: readonly { readonly name: string }[]): void {
  const found = intent.lost.filter((name) => answering.some((machine) => machine.name === name));
  if (found.length === 0) return;
  throw new UserProblem('PLAN-031', `${listed(found)} answers: it is not lost`, {
    value: listed(found),
    remedy: 'Leave it out; who answers is stopped, and joins the restored cluster.',
  });
}

const isStaying =
  ({ retired }: Observed) =>
  ({ name }: { readonly name: string }): boolean =>
    retired[name] === undefined;

function targetOf(
  { intent: { source, newMaster, newEtcd }, observed, isEtcdApart }: Circumstances,
  holders: readonly MachineRef[],
  masters: readonly MachineRef[],
): MachineRef | undefined {
  if ((isEtcdApart ? newEtcd : newMaster) !== undefined) return undefined;
  if (source.from === 'backup') return holders.find(isStaying(observed)) ?? holders[0];
  const survivor = holders.find(({ name }) => name === source.machine);
  if (survivor !== undefined) return survivor;
  if (masters.some(({ name }) => name === source.machine))
    throw new UserProblem('PLAN-034', `${source.machine} is a master, and etcd has machines of its own`, {
      value: source.machine,
      remedy:
        'Name a machine of etcd that is left; where none is, restore from a backup. Masters have no data.',
    });
  throw new Blocked('PLAN-032', `${source.machine} does not answer, and its data was to be restored`, {
    machine: source.machine,
    remedy: `Bring ${source.machine} back, or restore from a backup.`,
  });
}

/** Those that stay, as far as there are any: who was on its way out serves again only where nobody else could. */
function startersOf(
  { intent, observed, isEtcdApart, halfJoined }: Circumstances,
  masters: readonly MachineRef[],
  target: MachineRef | undefined,
): readonly MachineRef[] {
  if (!isEtcdApart) return target === undefined ? [] : [target];
  if (intent.newMaster !== undefined) return [];
  const whole = masters.filter(({ name }) => !halfJoined.includes(name));
  const staying = whole.filter(isStaying(observed));
  return staying.length > 0 ? staying : whole;
}

/**
 * Who of the masters and the machines of etcd is there, who is given up, where the data goes, and who serves it first.
 * Pure. `asked`: those whom this look is the first to send away.
 * @throws Blocked or UserProblem saying who is in the way
 */
export function restoreMachines(
  given: Circumstances,
  machines: readonly ProviderMachine[],
): RestoreMachines & { readonly asked: Readonly<Record<string, Retirement>> } {
  const { intent, observed, isEtcdApart } = given;
  const all = involved(given, machines);
  // Agreed to once: who comes back in the middle of it is destroyed all the same.
  const isAgreed = (name: string): boolean =>
    intent.lost.includes(name) && observed.retired[name] !== undefined;
  const isAnswering = ({ name, state }: ProviderMachine): boolean =>
    state === 'running' &&
    hasAnswered(observed, name) &&
    !isAgreed(name) &&
    observed.references[name] !== undefined;
  const answering = all.filter(isAnswering);
  refuseFound(intent, answering);
  const lost = all.filter((machine) => !isAnswering(machine));
  const isGivenUp = ({ name }: ProviderMachine): boolean =>
    intent.lost.includes(name) || observed.retired[name] !== undefined;
  refuseSilent(
    lost.filter((machine) => !isGivenUp(machine)).map(({ name }) => name),
    observed.cluster.name,
  );
  const referencesOf = (role: ProviderMachine['role']): MachineRef[] =>
    answering.filter((one) => one.role === role).flatMap(({ name }) => observed.references[name] ?? []);
  const masters = referencesOf('control-plane');
  const holders = isEtcdApart ? referencesOf('etcd') : masters;
  const retirement: Retirement = { mode: 'destroy', reason: 'replaced' };
  const target = targetOf(given, holders, masters);
  return {
    isEtcdApart,
    masters,
    holders,
    lost,
    asked: Object.fromEntries(lost.filter(isStaying(observed)).map(({ name }) => [name, retirement])),
    ...(target === undefined ? {} : { target }),
    starters: startersOf(given, masters, target),
  };
}
