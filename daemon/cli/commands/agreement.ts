import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { z } from 'zod';
import { type OperationView, type PlanAnswer, planAnswerSchema } from '../../api/types.ts';
import { cleanText } from '../clean-text.ts';
import { CommandFailure, exitCode } from '../exit.ts';
import { printData } from '../table.ts';
import { followOperations, sayStarted } from './follow.ts';
import { addWaitOptions, collect, outputOption, type WaitOptions } from './options.ts';
import type { Session } from './session.ts';

/** Options of every command that shows a plan, asks, and runs exactly that. */
export interface AgreementOptions extends WaitOptions {
  readonly yes?: boolean;
  readonly confirm?: string;
  readonly plan?: string;
  readonly bypass?: readonly string[];
}

/** Adds them to a command. */
export const addAgreementOptions = (command: Command): Command =>
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

/** What is to be planned and begun: paths of the API, and the wish as both of them take it. */
interface Wish {
  readonly cluster: string;
  readonly plan: string;
  readonly begin: string;
  readonly body: object;
  /** Done when it is agreed and before it is begun; what it answers goes with the wish. */
  readonly prepare?: () => Promise<object>;
}

/** Shows the plan and asks, unless that was agreed to beforehand; then begins exactly it. */
export async function carryOut<Answer>(
  session: Session,
  { cluster, plan, begin, body, prepare }: Wish,
  answer: z.ZodType<Answer>,
  options: AgreementOptions,
): Promise<Answer> {
  const client = await session.client();
  const bypass = options.bypass ?? [];
  const isAgreed = options.plan !== undefined || options.yes === true || options.confirm !== undefined;
  let agreed = {
    ...(options.plan === undefined ? {} : { planHash: options.plan }),
    ...(options.confirm === undefined ? {} : { confirm: options.confirm }),
  };
  if (!isAgreed) {
    const asked = {
      method: 'POST',
      path: plan,
      body: { ...body, bypass },
      answer: planAnswerSchema,
    } as const;
    agreed = await agree(session, cluster, await client.call(asked));
  }
  return client.call({
    method: 'POST',
    path: begin,
    headers: { 'Idempotency-Key': randomUUID() },
    body: { ...body, ...(await prepare?.()), bypass, ...agreed },
    answer,
  });
}

/** Says what was begun, or follows it to its end. `nothing`: what to say when there was nothing to do. */
export async function tellBegun(
  session: Session,
  answer: unknown,
  operations: readonly OperationView[],
  options: AgreementOptions,
  nothing: string,
): Promise<void> {
  if (options.output !== 'table' && options.wait !== true)
    return printData(session.printer, options.output ?? 'json', answer);
  if (operations.length === 0) return session.printer.answer(nothing);
  if (options.wait === true) return followOperations(session, operations, options);
  return sayStarted(session, operations);
}

/** Shows the plan and asks; exactly that plan is run then. Without a terminal there is nobody to ask. */
async function agree(
  session: Session,
  cluster: string,
  answer: PlanAnswer,
): Promise<{ readonly planHash: string; readonly confirm?: string }> {
  const { printer } = session;
  for (const one of answer.plans) printer.note(cleanText(one.text).trimEnd());
  // Nobody is asked to agree to what would be refused.
  if (answer.problems.length > 0) throw new CommandFailure(exitCode.conflict, answer.problems);
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
