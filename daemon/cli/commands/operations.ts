import type { Command } from 'commander';
import { operationViewSchema, operationDetailSchema } from '../../api/types.ts';
import { printData } from '../table.ts';
import { operationTitle } from '../progress/steps-summary.ts';
import { followOperations } from './follow.ts';
import { addWaitOptions, outputOption, timeoutOption, type WaitOptions } from './options.ts';
import type { Session } from './session.ts';

/** operation resume | cancel | approve | override-window | follow. */
export function addOperationCommands(program: Command, session: Session): void {
  const operation = program.command('operation').description('act on an operation');
  addWaitOptions(
    operation
      .command('resume <id>')
      .description('plan again on a fresh look and go on')
      .addOption(outputOption()),
  ).action((id: string, options: WaitOptions) => act(session, id, 'resume', undefined, options));
  addWaitOptions(
    operation
      .command('cancel <id>')
      .description('end waits at once and stop after the step that runs')
      .addOption(outputOption()),
  ).action((id: string, options: WaitOptions) => act(session, id, 'cancel', undefined, options));
  addWaitOptions(
    operation
      .command('approve <id>')
      .description('agree to the plan that waits; it goes on when as many agreed as must')
      .requiredOption('--confirm <cluster>', "the cluster's name")
      .option('--plan <hash>', 'only if that is the plan which waits: the one that you read')
      .addOption(outputOption()),
  ).action((id: string, options: WaitOptions & { readonly confirm: string; readonly plan?: string }) => {
    const { confirm, plan } = options;
    return act(
      session,
      id,
      'approve',
      plan === undefined ? { confirm } : { confirm, planHash: plan },
      options,
    );
  });
  addWaitOptions(
    operation
      .command('override-window <id>')
      .description("let one operation work outside the cluster's maintenance windows, to its end")
      .requiredOption('--confirm <cluster>', "the cluster's name")
      .addOption(outputOption()),
  ).action((id: string, options: WaitOptions & { readonly confirm: string }) =>
    act(session, id, 'override-window', { confirm: options.confirm }, options),
  );
  operation
    .command('follow <id>')
    .description('show an operation while it runs, to its end')
    .addOption(outputOption())
    .addOption(timeoutOption())
    .action((id: string, options: WaitOptions) => followOperations(session, [{ id }], options));
}

async function act(
  session: Session,
  id: string,
  verb: 'resume' | 'cancel' | 'approve' | 'override-window',
  body: { readonly confirm: string; readonly planHash?: string } | undefined,
  options: WaitOptions,
): Promise<void> {
  const client = await session.client();
  const path = `/api/v1/operations/${encodeURIComponent(id)}`;
  const started = await client.call({
    method: 'POST',
    path: `${path}/${verb}`,
    ...(body === undefined ? {} : { body }),
    answer: operationViewSchema,
  });
  if (options.wait === true)
    return followOperations(session, [started], options, verb === 'cancel' ? 'cancelled' : 'succeeded');
  if (options.output === 'json' || options.output === 'yaml')
    return printData(session.printer, options.output, started);
  const detail = await client.call({ method: 'GET', path, answer: operationDetailSchema });
  session.printer.answer(`${operationTitle(detail)}: operation ${id}`);
  return session.printer.note(`Follow it: remuda operation follow ${id}`);
}
