import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { applyAnswerSchema, type PlanAnswer, planAnswerSchema } from '../../api/types.ts';
import { cleanText } from '../clean-text.ts';
import { CommandFailure, exitCode } from '../exit.ts';
import { printData } from '../table.ts';
import { followOperations, sayStarted } from './follow.ts';
import { addWaitOptions, collect, outputOption, type WaitOptions } from './options.ts';
import type { Session } from './session.ts';

type Change =
  | { readonly kind: 'add'; readonly group: string; readonly count: number }
  | {
      readonly kind: 'remove' | 'replace';
      readonly machines: readonly string[];
      readonly mode: 'destroy' | 'keep';
    };

interface ChangeOptions extends WaitOptions {
  readonly yes?: boolean;
  readonly confirm?: string;
  readonly plan?: string;
  readonly bypass?: readonly string[];
}

interface LeavingOptions extends ChangeOptions {
  readonly keep?: boolean;
}

const kept = 'take it out of the cluster, seal it off and leave the machine for inspection';

/** machine add, machine remove, machine replace. */
export function addMachineCommands(program: Command, session: Session): void {
  const machine = program.command('machine').description('add, remove or replace machines of a cluster');
  addChangeOptions(
    machine
      .command('add <cluster> <group>')
      .description('ask for more machines of a worker group, or of control-plane')
      .option('--count <number>', 'how many', countOf, 1),
  ).action((cluster: string, group: string, options: ChangeOptions & { readonly count: number }) =>
    changeMachines(session, cluster, { kind: 'add', group, count: options.count }, options),
  );
  const leave = (kind: 'remove' | 'replace', description: string): void => {
    addChangeOptions(
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
}

const addChangeOptions = (command: Command): Command =>
  addWaitOptions(
    command
      .option('-y, --yes', 'do what the plan says without asking')
      .option('--confirm <cluster>', "the cluster's name, where the plan needs it")
      .option('--plan <hash>', 'run exactly the plan with this hash, or refuse')
      .option(
        '--bypass <check>',
        'go on although this preflight check fails (recorded); may be repeated',
        collect,
      )
      .addOption(outputOption()),
  );

function countOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('Write a whole number from 1.');
  return count;
}

async function changeMachines(
  session: Session,
  cluster: string,
  change: Change,
  options: ChangeOptions,
): Promise<void> {
  const client = await session.client();
  const path = `/api/v1/clusters/${encodeURIComponent(cluster)}`;
  const bypass = options.bypass ?? [];
  const isAgreed = options.plan !== undefined || options.yes === true || options.confirm !== undefined;
  let agreed = {
    ...(options.plan === undefined ? {} : { planHash: options.plan }),
    ...(options.confirm === undefined ? {} : { confirm: options.confirm }),
  };
  if (!isAgreed) {
    const body = { change, bypass };
    const answer = planAnswerSchema;
    const plan = await client.call({ method: 'POST', path: `${path}/machine-plan`, body, answer });
    agreed = await agree(session, cluster, plan);
  }
  const answer = await client.call({
    method: 'POST',
    path: `${path}/machines`,
    headers: { 'Idempotency-Key': randomUUID() },
    body: { change, bypass, ...agreed },
    answer: applyAnswerSchema,
  });
  if (options.output !== 'table' && options.wait !== true)
    return printData(session.printer, options.output ?? 'json', answer);
  for (const name of answer.unchanged) session.printer.answer(`Cluster/${name} unchanged`);
  if (answer.operations.length === 0) return;
  if (options.wait === true) return followOperations(session, answer.operations, options);
  return sayStarted(session, answer.operations);
}

/** Shows the plan and asks; exactly that plan is run then. Without a terminal there is nobody to ask. */
async function agree(
  session: Session,
  cluster: string,
  answer: PlanAnswer,
): Promise<{ readonly planHash: string; readonly confirm?: string }> {
  const { printer } = session;
  for (const one of answer.plans) printer.note(cleanText(one.text).trimEnd());
  const planHash = answer.hash;
  if (answer.plans.every((one) => one.isUnchanged)) return { planHash };
  const needsName = answer.needsConfirmation.includes(cluster);
  const { input, errors } = printer.terminal;
  if (input.isTTY !== true) throw notAgreed(cluster, planHash, needsName);
  const questions = createInterface({ input, output: errors });
  try {
    const question = needsName ? `Type the cluster's name to go on: ` : 'Go on? [y/N] ';
    const said = (await questions.question(question)).trim();
    if (needsName && said === cluster) return { planHash, confirm: cluster };
    if (!needsName && /^y(es)?$/i.test(said)) return { planHash };
  } finally {
    questions.close();
  }
  throw notAgreed(cluster, planHash, needsName);
}

const notAgreed = (cluster: string, hash: string, needsName: boolean): CommandFailure =>
  new CommandFailure(exitCode.approval, [
    {
      kind: 'user',
      code: 'CLI-047',
      summary: 'nobody agreed to this plan; nothing was changed',
      remedy: `Run exactly this plan: the same command with --plan ${hash}${needsName ? ` --confirm ${cluster}` : ''}`,
    },
  ]);
