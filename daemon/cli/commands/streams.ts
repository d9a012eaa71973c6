import type { Command } from 'commander';
import { Option } from 'commander';
import { z } from 'zod';
import {
  type EngineEvent,
  eventSchema,
  type LogLine,
  logPageSchema,
  operationViewSchema,
} from '../../api/types.ts';
import { cleanLine } from '../clean-text.ts';
import { type Client, ApiRefusal } from '../client.ts';
import { plainFailure } from '../exit.ts';
import { LiveClient } from '../live-client.ts';
import { eventDataText } from '../event-text.ts';
import { clockTime } from '../times.ts';
import type { Session } from './session.ts';

const recordOption = (): Option =>
  new Option('-o, --output <form>', 'text, or json: one object a line')
    .choices(['text', 'json'])
    .default('text');

interface StreamOptions {
  readonly follow?: boolean;
  readonly output: 'text' | 'json';
  readonly after: string;
  readonly cluster?: string;
  readonly operation?: string;
  readonly machine?: string;
  readonly step?: string;
}

/** logs, events. */
export function addStreamCommands(program: Command, session: Session): void {
  program
    .command('logs <operation-or-cluster>')
    .description('log of an operation, or of the last one of a cluster')
    .option('-f, --follow', 'go on with what comes')
    .option('--after <number>', 'only lines after this number', '0')
    .option('--machine <name>', 'only lines of one machine')
    .option('--step <id>', 'only lines of one step')
    .addOption(recordOption())
    .action((name: string, options: StreamOptions) => logs(session, name, options));
  program
    .command('events')
    .description('what happened, oldest first')
    .option('-f, --follow', 'go on with what comes')
    .option('--after <number>', 'only events after this number', '0')
    .option('--cluster <name>', 'only those of one cluster')
    .option('--operation <id>', 'only those of one operation')
    .addOption(recordOption())
    .action((options: StreamOptions) => events(session, options));
}

async function logs(session: Session, name: string, options: StreamOptions): Promise<void> {
  const client = await session.client();
  const operation = await operationNamed(client, name);
  const show = (line: LogLine): void => {
    if (options.machine !== undefined && line.machine !== options.machine) return;
    if (options.step !== undefined && line.step !== options.step) return;
    session.printer.answer(options.output === 'json' ? JSON.stringify(line) : lineText(session, line));
  };
  const from = Number(options.after) || 0;
  const last = await printKept(session, client, { operation, after: from, show });
  if (options.follow === true) await followLog(session, client, { operation, after: last, show });
}

interface LogPlace {
  readonly operation: string;
  readonly after: number;
  readonly show: (line: LogLine) => void;
}

/** Prints what is there and answers the number of the last line. */
async function printKept(
  session: Session,
  client: Client,
  { operation, after, show }: LogPlace,
): Promise<number> {
  let last = after;
  for (;;) {
    const page = await client.call({
      method: 'GET',
      path: `/api/v1/operations/${operation}/log`,
      query: { after: last },
      answer: logPageSchema,
    });
    sayDropped(session, page.firstKept - last - 1, page.lines.length);
    page.lines.forEach(show);
    if (page.lines.length === 0) return last;
    ({ last } = page);
  }
}

/** Goes on until the operation has ended, and then prints what is left. */
async function followLog(session: Session, client: Client, place: LogPlace): Promise<void> {
  const { operation, show } = place;
  let after = place.after;
  let live: LiveClient | undefined;
  const stopWhenOver = async (): Promise<void> => {
    const path = `/api/v1/operations/${operation}`;
    const { state } = await client.call({ method: 'GET', path, answer: operationViewSchema });
    if (['succeeded', 'failed', 'cancelled'].includes(state)) live?.stop();
  };
  live = followWith(session, client, { operation, log: { after }, events: { after: 0 } }, (batch) => {
    sayDropped(session, batch.dropped, batch.lines.length);
    batch.lines.forEach(show);
    after = batch.lines.at(-1)?.number ?? after;
    // While the daemon is away nothing is known; the next event asks again.
    if (batch.events.length > 0) void stopWhenOver().catch(() => undefined);
  });
  await live.run();
  await printKept(session, client, { operation, after, show });
}

function sayDropped(session: Session, count: number, shown: number): void {
  if (count > 0 && shown > 0)
    session.printer.note(
      session.printer.err.warn(`${count} older lines were dropped: the log has a size limit`),
    );
}

async function events(session: Session, options: StreamOptions): Promise<void> {
  const client = await session.client();
  const show = (event: EngineEvent): void =>
    session.printer.answer(options.output === 'json' ? JSON.stringify(event) : eventText(session, event));
  const wish = {
    ...(options.cluster === undefined ? {} : { cluster: options.cluster }),
    ...(options.operation === undefined ? {} : { operation: options.operation }),
  };
  let after = Number(options.after) || 0;
  for (;;) {
    const { items } = await client.call({
      method: 'GET',
      path: '/api/v1/events',
      query: { after, ...wish },
      answer: z.object({ items: z.array(eventSchema) }),
    });
    items.forEach(show);
    const last = items.at(-1);
    if (last === undefined) break;
    after = last.number;
  }
  if (options.follow !== true) return;
  await followWith(session, client, { ...wish, events: { after } }, (batch) =>
    batch.events.forEach(show),
  ).run();
}

/** A live stream that says on stderr when the daemon is away and back. */
function followWith(
  session: Session,
  client: Client,
  wish: ConstructorParameters<typeof LiveClient>[1],
  batch: ConstructorParameters<typeof LiveClient>[2]['batch'],
): LiveClient {
  const { printer } = session;
  return new LiveClient(client, wish, {
    batch,
    away: (since) =>
      printer.note(`the daemon is away since ${clockTime(new Date(since).toISOString())}, still trying`),
    back: () => printer.note('the daemon is back'),
  });
}

/** An operation by id, else the newest of a cluster of that name. */
async function operationNamed(client: Client, name: string): Promise<string> {
  const path = `/api/v1/operations/${encodeURIComponent(name)}`;
  try {
    return (await client.call({ method: 'GET', path, answer: operationViewSchema })).id;
  } catch (error) {
    if (!(error instanceof ApiRefusal) || error.details.reason !== 'not-found') throw error;
  }
  // All of them, not only those of clusters there are: the log of a deletion is asked for when the cluster is gone.
  const operations = await client.list('/api/v1/operations', operationViewSchema);
  const newest = operations.find((operation) => operation.cluster.name === name);
  if (newest) return newest.id;
  throw plainFailure('CLI-013', `there is no operation or cluster "${name}"`, 'See `remuda get operations`.');
}

function lineText(session: Session, line: LogLine): string {
  const { out } = session.printer;
  const from = line.machine ?? line.step;
  return `${out.dim(clockTime(line.at))} ${out.dim(cleanLine(from).padEnd(14))} ${cleanLine(line.text)}`;
}

function eventText(session: Session, event: EngineEvent): string {
  const { out } = session.printer;
  const about = [event.cluster, event.step].filter((part) => part !== undefined).join(' ');
  return `${out.dim(String(event.number).padStart(6))} ${out.dim(clockTime(event.at))} ${event.type.padEnd(20)} ${cleanLine(about)} ${out.dim(eventDataText(event.data))}`.trimEnd();
}
