import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { type Command, Option } from 'commander';
import { operationViewSchema, planAnswerSchema } from '../../api/types.ts';
import { CommandFailure, exitCode } from '../exit.ts';
import { printData } from '../table.ts';
import { printPlan } from './files.ts';
import { followOperations, sayStarted } from './follow.ts';
import { addWaitOptions, outputOption, type WaitOptions } from './options.ts';
import type { Session } from './session.ts';

interface DeleteOptions extends WaitOptions {
  readonly confirm?: string;
  readonly plan?: string;
  readonly volumes?: 'retain' | 'delete';
  readonly whenBlocked?: 'wait' | 'skip';
}

/** delete. */
export function addDeleteCommand(program: Command, session: Session): void {
  addWaitOptions(
    program
      .command('delete <cluster>')
      .description('remove a cluster and everything made for it, and prove it')
      .option('--confirm <cluster>', "the cluster's name once more; without it the plan is shown")
      .option('--plan <hash>', 'run exactly the plan with this hash, or refuse')
      .addOption(new Option('--volumes <policy>', 'what becomes of volumes').choices(['retain', 'delete']))
      .addOption(
        new Option('--when-blocked <policy>', 'Services and claims that do not go').choices(['wait', 'skip']),
      )
      .addOption(outputOption()),
  ).action((cluster: string, options: DeleteOptions) => deleteCluster(session, cluster, options));
}

async function deleteCluster(session: Session, cluster: string, options: DeleteOptions): Promise<void> {
  const client = await session.client();
  const path = `/api/v1/clusters/${encodeURIComponent(cluster)}`;
  const wish = {
    ...(options.plan === undefined ? {} : { planHash: options.plan }),
    ...(options.volumes === undefined ? {} : { volumes: options.volumes }),
    ...(options.whenBlocked === undefined ? {} : { whenBlocked: options.whenBlocked }),
  };
  let { confirm } = options;
  if (confirm === undefined) {
    const plan = await client.call({
      method: 'POST',
      path: `${path}/deletion-plan`,
      body: wish,
      answer: planAnswerSchema,
    });
    printPlan(session, plan, `remuda delete ${cluster} --confirm ${cluster}`);
    confirm = await askName(session, cluster);
  }
  const operation = await client.call({
    method: 'POST',
    path: `${path}/delete`,
    headers: { 'Idempotency-Key': randomUUID() },
    body: { ...wish, confirm },
    answer: operationViewSchema,
  });
  if (options.wait === true) return followOperations(session, [operation], options);
  if (options.output === 'json' || options.output === 'yaml')
    return printData(session.printer, options.output, operation);
  return sayStarted(session, [operation]);
}

/** Asks for the name on a terminal; without one there is nobody to ask. */
async function askName(session: Session, cluster: string): Promise<string> {
  const { input, errors } = session.printer.terminal;
  const refusal = new CommandFailure(exitCode.approval, [
    {
      kind: 'user',
      code: 'CLI-014',
      summary: `deleting ${cluster} needs its name once more`,
      remedy: `If you mean it: remuda delete ${cluster} --confirm ${cluster}`,
    },
  ]);
  if (input.isTTY !== true) throw refusal;
  const questions = createInterface({ input, output: errors });
  try {
    const answer = await questions.question(`Type the cluster's name to delete it: `);
    if (answer.trim() === cluster) return cluster;
  } finally {
    questions.close();
  }
  throw refusal;
}
