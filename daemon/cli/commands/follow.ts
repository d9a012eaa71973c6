import type { OperationView as Operation } from '../../api/types.ts';
import { plainFailure } from '../exit.ts';
import { type OperationView, watchOperations } from '../operation-watch.ts';
import { LineView } from '../progress/line-view.ts';
import { doing } from '../progress/steps-summary.ts';
import { RecordView } from '../progress/record-view.ts';
import { TreeView } from '../progress/tree-view.ts';
import { concludeOperations, refuseWaiting } from './outcome.ts';
import type { WaitOptions } from './options.ts';
import type { Session } from './session.ts';
import { printRestoreLists } from './restore-lists.ts';
import { printTeardownLists } from './teardown-lists.ts';

/** Follows operations to their end and ends the command well when that is the end `wanted`. */
export async function followOperations(
  session: Session,
  operations: readonly Pick<Operation, 'id'>[],
  options: WaitOptions,
  wanted: Operation['state'] = 'succeeded',
): Promise<void> {
  const ids = operations.map((operation) => operation.id);
  const ways = ids.map((id) => `remuda operation follow ${id}`).join('\n  ');
  session.onInterrupt = `The work goes on without this command. To follow it again:\n  ${ways}`;
  const result = await watchOperations(
    await session.client(),
    ids,
    viewFor(session, options),
    options.timeout,
  );
  session.onInterrupt = undefined;
  if (result.isTimedOut) {
    throw plainFailure(
      'CLI-012',
      'the time given with --timeout is over, and the work is not; it goes on',
      `Follow it again: ${ways}`,
    );
  }
  // As records they are part of the operation's last one.
  if (options.output !== 'json')
    for (const operation of result.operations) {
      printTeardownLists(session.printer, operation);
      printRestoreLists(session.printer, operation);
    }
  concludeOperations(session, result.operations, wanted);
}

function viewFor(session: Session, options: WaitOptions): OperationView {
  if (options.output === 'json') return new RecordView(session.printer);
  return session.printer.terminal.output.isTTY === true
    ? new TreeView(session.printer)
    : new LineView(session.printer);
}

/**
 * What is said when a command starts work and does not stay to watch it.
 * @throws CommandFailure of exit code 7 when it does not begin before others have agreed
 */
export function sayStarted(session: Session, operations: readonly Operation[]): void {
  for (const operation of operations) {
    session.printer.answer(
      `${doing(operation.kind)} cluster ${operation.cluster.name}: operation ${operation.id}`,
    );
    session.printer.note(`Follow it: remuda operation follow ${operation.id}`);
  }
  refuseWaiting(operations);
}
