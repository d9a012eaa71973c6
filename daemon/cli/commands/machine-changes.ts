import { type Command, InvalidArgumentError } from 'commander';
import { applyAnswerSchema } from '../../api/types.ts';
import { addAgreementOptions, type AgreementOptions, carryOut, tellBegun } from './agreement.ts';
import { addMachineFencedCommand } from './machine-fence.ts';
import type { Session } from './session.ts';

type Change =
  | { readonly kind: 'add'; readonly group: string; readonly count: number }
  | {
      readonly kind: 'remove' | 'replace';
      readonly machines: readonly string[];
      readonly mode: 'destroy' | 'keep';
    }
  | { readonly kind: 'upgrade'; readonly version: string; readonly through?: readonly string[] }
  | { readonly kind: 'back' };

interface LeavingOptions extends AgreementOptions {
  readonly keep?: boolean;
}

interface UpgradeOptions extends AgreementOptions {
  readonly through?: readonly string[];
}

const kept = 'take it out of the cluster, seal it off and leave the machine for inspection';

/** machine add, machine remove, machine replace. */
export function addMachineCommands(program: Command, session: Session): void {
  const machine = program.command('machine').description('add, remove or replace machines of a cluster');
  addAgreementOptions(
    machine
      .command('add <cluster> <group>')
      .description('ask for more machines of a worker group, or of control-plane')
      .option('--count <number>', 'how many', countOf, 1),
  ).action((cluster: string, group: string, options: AgreementOptions & { readonly count: number }) =>
    changeMachines(session, cluster, { kind: 'add', group, count: options.count }, options),
  );
  const leave = (kind: 'remove' | 'replace', description: string): void => {
    addAgreementOptions(
      machine.command(`${kind} <cluster> <machine...>`).description(description).option('--keep', kept),
    ).action((cluster: string, machines: string[], options: LeavingOptions) =>
      changeMachines(
        session,
        cluster,
        { kind, machines, mode: options.keep === true ? 'keep' : 'destroy' },
        options,
      ),
    );
  };
  leave(
    'remove',
    'move pods away, take the machines out of the cluster and destroy them; nobody replaces them',
  );
  leave('replace', 'the same, each for a new machine that comes first');
  addMachineFencedCommand(machine, session);
}

function countOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('Write a whole number from 1.');
  return count;
}

/** upgrade, back. */
export function addUpgradeCommands(program: Command, session: Session): void {
  addAgreementOptions(
    program
      .command('upgrade <cluster> <version>')
      .description('bring all machines to another version of Kubernetes, as spec.upgrade says')
      .option(
        '--through <version...>',
        'stop at these versions on the way; without it at the newest on board of each minor between',
      ),
  ).action((cluster: string, version: string, options: UpgradeOptions) => {
    const { through } = options;
    const change = { kind: 'upgrade', version, ...(through === undefined ? {} : { through }) } as const;
    return changeMachines(session, cluster, change, options);
  });
  addAgreementOptions(
    program
      .command('back <cluster>')
      .description('go back to the version before an upgrade that is not finalized; data stays as it is'),
  ).action((cluster: string, options: AgreementOptions) =>
    changeMachines(session, cluster, { kind: 'back' }, options),
  );
}

/** Shows what the change would do, asks, and runs exactly that. */
async function changeMachines(
  session: Session,
  cluster: string,
  change: Change,
  options: AgreementOptions,
): Promise<void> {
  const path = `/api/v1/clusters/${encodeURIComponent(cluster)}`;
  const asked = { cluster, plan: `${path}/machine-plan`, begin: `${path}/machines`, body: { change } };
  const answer = await carryOut(session, asked, applyAnswerSchema, options);
  return tellBegun(session, answer, answer.operations, options, `Cluster/${cluster} unchanged`);
}
