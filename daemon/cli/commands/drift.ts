import type { Command } from 'commander';
import { type DriftView, driftSchema } from '../../api/types.ts';
import { cleanLine } from '../clean-text.ts';
import { CommandFailure, exitCode } from '../exit.ts';
import { type OutputForm, printData } from '../table.ts';
import { localTime, relativeTime } from '../times.ts';
import { outputOption } from './options.ts';
import type { Session } from './session.ts';

/** drift. */
export function addDriftCommand(program: Command, session: Session): void {
  program
    .command('drift <cluster>')
    .description(
      'what is not as the answer file asks, machine by machine; changes nothing; exit code 6 when something is',
    )
    .addOption(outputOption())
    .action((cluster: string, { output }: { readonly output: OutputForm }) =>
      drift(session, cluster, output),
    );
}

type Item = DriftView['items'][number];

async function drift(session: Session, cluster: string, output: OutputForm): Promise<void> {
  const client = await session.client();
  const path = `/api/v1/clusters/${encodeURIComponent(cluster)}/drift`;
  const found = await client.call({ method: 'POST', path, answer: driftSchema });
  if (output === 'table') print(session, found);
  else printData(session.printer, output, found);
  const isDifferent = found.unmet.length > 0 || found.items.some(({ state }) => state === 'different');
  if (isDifferent) throw new CommandFailure(exitCode.changes, []);
  // What could not be looked at is not "as asked".
  if (found.items.length > 0) throw new CommandFailure(exitCode.failed, []);
}

function print(session: Session, { cluster, checked, items, unmet }: DriftView): void {
  const { printer } = session;
  if (items.length + unmet.length === 0) {
    printer.answer(`${cleanLine(cluster)}: as asked (${checked} steps looked at)`);
    return;
  }
  for (const name of unmet)
    printer.answer(
      `${printer.out.bad('missing')}  ${cleanLine(name)}: the machine is gone; apply makes it again`,
    );
  for (const [subject, group] of Map.groupBy(items, (item) => item.subject)) {
    printer.answer(`\n${printer.out.bold(cleanLine(subject))}`);
    for (const item of group) printItem(session, item);
  }
  const unknown = items.filter(({ state }) => state === 'unknown').length;
  printer.answer(
    `\n${checked} steps looked at, ${items.length} not as asked${unknown > 0 ? `, ${unknown} of them unknown` : ''}`,
  );
  if (items.some(({ remedy, state }) => state === 'different' && remedy.by === 'apply'))
    printer.answer(`See what apply puts back: remuda plan -f FILE; then remuda apply -f FILE`);
}

function printItem(session: Session, { state, title, since, differences, remedy }: Item): void {
  const { printer } = session;
  const word = state === 'different' ? printer.out.bad(state) : printer.out.warn(state);
  printer.answer(`  ${word}  ${cleanLine(title)}, seen since ${localTime(since)} (${relativeTime(since)})`);
  for (const difference of differences) printer.answer(`    - ${cleanLine(difference)}`);
  if (state === 'different') printer.answer(`    ${printer.out.dim(cleanLine(remedy.what))}`);
}
