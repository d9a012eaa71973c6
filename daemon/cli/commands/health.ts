import type { Command } from 'commander';
import { z } from 'zod';
import {
  type Alert,
  alertReceiverViewSchema,
  alertSchema,
  type ClusterHealth,
  clusterHealthSchema,
  type ClusterView,
  clusterViewSchema,
  deliveryTestSchema,
  type HealthTransition,
  transitionSchema,
} from '../../api/types.ts';
import { cleanLine } from '../clean-text.ts';
import { CommandFailure, exitCode, plainFailure } from '../exit.ts';
import { problemText } from '../problem-text.ts';
import { readSettings } from '../settings-file.ts';
import type { Style } from '../style.ts';
import { type OutputForm, printData, printList } from '../table.ts';
import { humaneDuration, localTime, relativeTime } from '../times.ts';
import { outputOption } from './options.ts';
import type { Session } from './session.ts';

/** Colours the word for a cluster's health. */
export function healthPaint(style: Style): (text: string) => string {
  return (text) => {
    if (text === 'Healthy' || text === 'True') return style.good(text);
    return text === 'Unhealthy' || text === 'False' ? style.bad(text) : style.warn(text);
  };
}

/** health, alert. */
export function addHealthCommands(program: Command, session: Session): void {
  program
    .command('health [cluster]')
    .description('what is wrong, since when, and what to do; exit code 1 when something is')
    .option('--history', 'when conditions changed, newest first')
    .addOption(outputOption())
    .action((cluster: string | undefined, options: HealthOptions) => showHealth(session, cluster, options));
  const alert = program.command('alert').description('what stayed bad, and who is told of it');
  alert
    .command('list')
    .description('alerts, newest first')
    .addOption(outputOption())
    .action((options: { readonly output: OutputForm }) => listAlerts(session, options.output));
  const receiver = alert.command('receiver').description('webhooks that are told of alerts');
  receiver
    .command('list')
    .description('receivers, and how far each is')
    .addOption(outputOption())
    .action((options: { readonly output: OutputForm }) => listReceivers(session, options.output));
  receiver
    .command('set <name>')
    .description('make or change a receiver')
    .requiredOption('-f, --file <path>', 'settings as YAML or JSON')
    .action(async (name: string, { file }: { readonly file: string }) => {
      const client = await session.client();
      const body = readSettings(file);
      const view = await client.call({
        method: 'PUT',
        path: pathOf(name),
        body,
        answer: alertReceiverViewSchema,
      });
      session.printer.answer(`receiver ${view.name} kept; try it: remuda alert receiver test ${view.name}`);
    });
  receiver
    .command('test <name>')
    .description('send a message that says it is a test')
    .action((name: string) => testReceiver(session, name));
  receiver
    .command('remove <name>')
    .description('send nothing more there')
    .action(async (name: string) => {
      const client = await session.client();
      await client.call({ method: 'DELETE', path: pathOf(name) });
      session.printer.answer(`receiver ${name} removed`);
    });
}

interface HealthOptions {
  readonly history?: true;
  readonly output: OutputForm;
}

const pathOf = (receiver: string): string => `/api/v1/alerts/receivers/${encodeURIComponent(receiver)}`;

async function showHealth(
  session: Session,
  name: string | undefined,
  { history, output }: HealthOptions,
): Promise<void> {
  if (name === undefined) return showAll(session, output);
  const client = await session.client();
  const path = `/api/v1/clusters/${encodeURIComponent(name)}/health`;
  if (history === true)
    return printHistory(session, output, await client.list(`${path}/history`, transitionSchema));
  const health = await client.call({ method: 'GET', path, answer: clusterHealthSchema });
  if (output === 'table') printHealth(session, health);
  else printData(session.printer, output, health);
  return failUnlessWell([health]);
}

/** Scripts ask by the exit code. */
function failUnlessWell(found: readonly Pick<ClusterHealth, 'status'>[]): void {
  if (found.some(({ status }) => status !== 'Healthy')) throw new CommandFailure(exitCode.failed, []);
}

async function showAll(session: Session, output: OutputForm): Promise<void> {
  const client = await session.client();
  const clusters = await client.list('/api/v1/clusters', clusterViewSchema);
  const watched = clusters.filter((cluster): cluster is Watched => cluster.health !== undefined);
  printList(
    session.printer,
    output,
    watched.map(({ name, health }) => ({ cluster: name, ...health })),
    [
      { title: 'CLUSTER', cell: (item) => item.cluster },
      { title: 'HEALTH', cell: (item) => item.status, paint: healthPaint(session.printer.out) },
      { title: 'SINCE', cell: (item) => relativeTime(item.since) },
      { title: 'WHAT', cell: (item) => item.message ?? '' },
    ],
    'No cluster is looked after yet: one is as soon as it is made.',
  );
  failUnlessWell(watched.map(({ health }) => health));
}

type Watched = ClusterView & { readonly health: NonNullable<ClusterView['health']> };

/** What is wrong first, each with since when and what to do; what is well in one line. */
export function printHealth(session: Session, { cluster, status, conditions }: ClusterHealth): void {
  const { printer } = session;
  const paint = healthPaint(printer.out);
  printer.answer(`${printer.out.bold(cleanLine(cluster))}: ${paint(status)}`);
  for (const condition of conditions.filter((one) => one.status !== 'True')) {
    const { type, message, remedy, lastTransitionTime } = condition;
    const word = condition.status === 'Unknown' ? 'Unknown' : (condition.severity ?? 'warning');
    const painted = word === 'critical' ? printer.out.bad(word) : printer.out.warn(word);
    const since =
      lastTransitionTime === ''
        ? ''
        : ` since ${localTime(lastTransitionTime)} (${relativeTime(lastTransitionTime)})`;
    printer.answer(`\n${painted}  ${printer.out.bold(type)}${since}`);
    printer.answer(`  ${cleanLine(message)}`);
    if (remedy !== undefined) printer.answer(`  What to do: ${cleanLine(remedy)}`);
  }
  const well = conditions.filter((one) => one.status === 'True');
  if (well.length > 0) printer.answer('');
  for (const { type, message } of well)
    printer.answer(`${printer.out.good('True')}  ${type.padEnd(18)} ${cleanLine(message)}`);
}

function printHistory(session: Session, output: OutputForm, found: readonly HealthTransition[]): void {
  printList(
    session.printer,
    output,
    found,
    [
      { title: 'TIME', cell: (item) => localTime(item.at) },
      { title: 'CONDITION', cell: (item) => item.condition.type },
      { title: 'FROM', cell: (item) => item.from ?? '' },
      { title: 'TO', cell: (item) => item.condition.status, paint: healthPaint(session.printer.out) },
      { title: 'WHAT', cell: (item) => item.condition.message },
    ],
    'Nobody has looked at it yet.',
  );
}

async function listAlerts(session: Session, output: OutputForm): Promise<void> {
  const client = await session.client();
  const { items } = await client.call({
    method: 'GET',
    path: '/api/v1/alerts',
    answer: z.object({ items: z.array(alertSchema) }),
  });
  const lasted = ({ firedAt, resolvedAt }: Alert): string =>
    humaneDuration((resolvedAt === undefined ? Date.now() : Date.parse(resolvedAt)) - Date.parse(firedAt));
  printList(
    session.printer,
    output,
    items,
    [
      { title: 'CLUSTER', cell: (item) => item.cluster },
      { title: 'CONDITION', cell: (item) => item.condition.type },
      { title: 'STATE', cell: (item) => item.state },
      { title: 'SEVERITY', cell: (item) => item.condition.severity ?? 'warning' },
      { title: 'BEGUN', cell: (item) => relativeTime(item.firedAt) },
      { title: 'LASTED', cell: lasted },
      { title: 'WHAT', cell: (item) => item.condition.message },
    ],
    'There were no alerts.',
  );
}

async function listReceivers(session: Session, output: OutputForm): Promise<void> {
  const client = await session.client();
  const { items } = await client.call({
    method: 'GET',
    path: '/api/v1/alerts/receivers',
    answer: z.object({ items: z.array(alertReceiverViewSchema) }),
  });
  printList(
    session.printer,
    output,
    items,
    [
      { title: 'NAME', cell: (item) => item.name },
      { title: 'SERVER', cell: (item) => item.settings.server },
      { title: 'SEVERITY', cell: (item) => item.settings.severity },
      { title: 'CLUSTERS', cell: (item) => item.settings.clusters?.join(' ') ?? 'all' },
      { title: 'WAIT', cell: (item) => `${item.lag}` },
      {
        title: 'DELIVERED',
        cell: (item) => (item.deliveredAt === undefined ? 'never' : relativeTime(item.deliveredAt)),
      },
      { title: 'PROBLEM', cell: (item) => item.problem?.summary ?? '' },
    ],
    'Nobody is told of alerts. Add a receiver: remuda alert receiver set NAME -f settings.yaml',
  );
}

async function testReceiver(session: Session, name: string): Promise<void> {
  const client = await session.client();
  const answer = await client.call({
    method: 'POST',
    path: `${pathOf(name)}/test`,
    body: {},
    answer: deliveryTestSchema,
  });
  if (answer.isDelivered) return session.printer.answer(`receiver ${name} took the test message`);
  const { problem } = answer;
  if (problem !== undefined)
    session.printer.note(problemText(problem, session.printer.err, session.sourceLine));
  throw plainFailure(
    'CLI-049',
    `receiver ${name} did not take the test message`,
    'Mend what stands above, then try again.',
  );
}
