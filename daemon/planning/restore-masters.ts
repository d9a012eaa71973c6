import type { Intent } from '../../provisioners/contract/intent.ts';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { Observed, Retirement } from '../../provisioners/contract/observed.ts';
import { Blocked, UserProblem } from '../../provisioners/contract/problem.ts';
import type { ProviderMachine } from '../../provisioners/contract/provider.ts';

type RestoreIntent = Extract<Intent, { kind: 'restore' }>;

/** The masters of a cluster that is to be restored. */
export interface RestoreMasters {
  /** Those that answer: their control planes are stopped and their data is set aside. */
  readonly answering: readonly MachineRef[];
  /** Those that are given up, as far as the provider still has them: destroyed before anything is restored. */
  readonly lost: readonly string[];
  /** Where the data is restored; absent where no master is left and a new one is made for it. */
  readonly target?: MachineRef;
}

const byNumber = ({ name }: { name: string }, other: { name: string }): number =>
  name.localeCompare(other.name, 'en', { numeric: true });

/** Whether somebody could visit the machine when the cluster was looked at: then its certificates were seen. */
const hasAnswered = ({ certificates = [] }: Observed, name: string): boolean =>
  certificates.some(({ machine }) => machine === name);

/** Masters at the provider that may hold data of the cluster. Sealed off is out of the game. */
const mastersAt = (
  { newMaster }: RestoreIntent,
  observed: Observed,
  machines: readonly ProviderMachine[],
): ProviderMachine[] =>
  machines
    .filter(
      ({ name, role }) =>
        role === 'control-plane' && name !== newMaster && observed.retired[name]?.isFenced !== true,
    )
    .toSorted(byNumber);

const listed = (names: readonly string[]): string => names.join(', ');

/** A master that is silent may serve somebody all the same. @throws Blocked naming what to do */
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
function refuseFound(intent: RestoreIntent, answering: readonly MachineRef[]): void {
  const found = intent.lost.filter((name) => answering.some((machine) => machine.name === name));
  if (found.length === 0) return;
  throw new UserProblem('PLAN-031', `${listed(found)} answers: it is not lost`, {
    value: listed(found),
    remedy: 'Leave it out; who answers is stopped, and joins the restored cluster.',
  });
}

function targetOf(
  { source, newMaster }: RestoreIntent,
  observed: Observed,
  answering: readonly MachineRef[],
): MachineRef | undefined {
  if (newMaster !== undefined) return undefined;
  if (source.from === 'backup')
    return answering.find(({ name }) => observed.retired[name] === undefined) ?? answering[0];
  const survivor = answering.find(({ name }) => name === source.machine);
  if (survivor !== undefined) return survivor;
  throw new Blocked('PLAN-032', `${source.machine} does not answer, and its data was to be restored`, {
    machine: source.machine,
    remedy: `Bring ${source.machine} back, or restore from a backup.`,
  });
}

/**
 * Who of the masters is there, who is given up, and where the data goes. Pure. `asked`: those whom this look is the
 * first to send away.
 * @throws Blocked or UserProblem saying who is in the way
 */
export function restoreMasters(
  intent: RestoreIntent,
  observed: Observed,
  machines: readonly ProviderMachine[],
): RestoreMasters & { readonly asked: Readonly<Record<string, Retirement>> } {
  const masters = mastersAt(intent, observed, machines);
  // Agreed to once: who comes back in the middle of it is destroyed all the same.
  const isAgreed = (name: string): boolean =>
    intent.lost.includes(name) && observed.retired[name] !== undefined;
  const answering = masters.flatMap(({ name, state }) => {
    const reference = observed.references[name];
    const isThere = state === 'running' && hasAnswered(observed, name) && !isAgreed(name);
    return isThere && reference !== undefined ? [reference] : [];
  });
  refuseFound(intent, answering);
  const silent = masters.filter(({ name }) => !answering.some((machine) => machine.name === name));
  const isGivenUp = ({ name }: ProviderMachine): boolean =>
    intent.lost.includes(name) || observed.retired[name] !== undefined;
  refuseSilent(
    silent.filter((machine) => !isGivenUp(machine)).map(({ name }) => name),
    observed.cluster.name,
  );
  const lost = silent.map(({ name }) => name);
  const isNew = (name: string): boolean => observed.retired[name] === undefined;
  const retirement: Retirement = { mode: 'destroy', reason: 'replaced' };
  const target = targetOf(intent, observed, answering);
  return {
    answering,
    lost,
    asked: Object.fromEntries(lost.filter(isNew).map((name) => [name, retirement])),
    ...(target === undefined ? {} : { target }),
  };
}
