import type { Command } from 'commander';
import {
  type ClusterDetail,
  clusterDetailSchema,
  clusterHealthSchema,
  type MachineView,
  machineViewSchema,
  type OperationDetail,
  operationDetailSchema,
  providerViewSchema,
} from '../../api/types.ts';
import { certificatesText, certificateWarning } from '../certificates.ts';
import { cleanLine } from '../clean-text.ts';
import { type Client, ServerAway } from '../client.ts';
import { CommandFailure } from '../exit.ts';
import { problemText } from '../problem-text.ts';
import { countsOf, operationTitle, phasesOf } from '../progress/steps-summary.ts';
import { printData, tableText } from '../table.ts';
import { humaneDuration, localTime, relativeTime } from '../times.ts';
import { operationWaitLines } from '../progress/operation-wait.ts';
import { waitingLines } from '../progress/tree-view.ts';
import { printHealth } from './health.ts';
import { unfencedText } from './machine-fence.ts';
import { nodeText } from './lists.ts';
import { oneOf } from './options.ts';
import type { Session } from './session.ts';
import { printRestoreLists } from './restore-lists.ts';
import { printTeardownLists } from './teardown-lists.ts';

const kinds = ['cluster', 'operation', 'provider'] as const;

/** describe. */
export function addDescribeCommand(program: Command, session: Session): void {
  program
    .command('describe <kind> <name>')
    .description('everything about one cluster, operation or provider')
    .action(async (word: string, name: string) => {
      const kind = oneOf(word.replace(/s$/, ''), kinds, 'kind');
      const client = await session.client();
      const path = `/api/v1/${kind}s/${encodeURIComponent(name)}`;
      if (kind === 'provider') {
        const provider = await client.call({ method: 'GET', path, answer: providerViewSchema });
        return printData(session.printer, 'yaml', provider);
      }
      if (kind === 'operation') {
        return describeOperation(
          session,
          await client.call({ method: 'GET', path, answer: operationDetailSchema }),
        );
      }
      const hindrance = await lookAfresh(client, path);
      return describeCluster(
        session,
        await client.call({ method: 'GET', path, answer: clusterDetailSchema }),
        hindrance,
      );
    });
}

/** How long a fresh look may take before the last one is shown, milliseconds. */
const lookWithin = 5000;

/** Has the agent look again, as far as it can just now. @returns why it could not; what is shown says how old it is */
async function lookAfresh(client: Client, path: string): Promise<string | undefined> {
  try {
    await client.call({ method: 'POST', path: `${path}/observe`, within: lookWithin });
    return undefined;
  } catch (error) {
    // No agent, no permission, or no time: then what was seen last is shown with its age.
    if (!(error instanceof CommandFailure || error instanceof ServerAway)) throw error;
    return error.message;
  }
}

/** Label and value, aligned; values are cleaned. */
function fields(session: Session, pairs: readonly (readonly [string, string])[]): void {
  const { out } = session.printer;
  for (const [label, value] of pairs)
    if (value !== '') session.printer.answer(`${out.dim(label.padEnd(13))} ${cleanLine(value)}`);
}

async function describeCluster(
  session: Session,
  cluster: ClusterDetail,
  hindrance: string | undefined,
): Promise<void> {
  const { printer } = session;
  const { observed, operation } = cluster;
  printer.answer(printer.out.bold(`Cluster ${cluster.name}`));
  fields(session, [
    ['phase', cluster.phase],
    ['provider', cluster.provider],
    ['revision', `${cluster.revision} (${cluster.digest.slice(0, 19)})`],
    ['created', `${localTime(cluster.createdAt)} (${relativeTime(cluster.createdAt)})`],
    ['operation', operation ? `${operation.id}: ${operation.kind} ${operation.state}` : 'none yet'],
    ['seen', observed ? `${localTime(observed.at)} (${relativeTime(observed.at)})` : 'nobody has looked yet'],
    ['API server', observed?.apiVersion ?? ''],
    ['etcd', (observed?.voters ?? []).map(memberText).join(', ')],
    ['certificates', certificatesText(observed?.certificates ?? [])],
  ]);
  const warning = certificateWarning(cluster);
  if (warning !== undefined) printer.answer(printer.out.warn(cleanLine(warning)));
  if (hindrance !== undefined)
    printer.answer(printer.out.warn(`not looked at afresh just now: ${cleanLine(hindrance)}`));
  for (const sentence of observed?.unseen ?? [])
    printer.answer(
      printer.out.warn(`unseen ${relativeTime(observed?.at ?? cluster.createdAt)}: ${cleanLine(sentence)}`),
    );
  const client = await session.client();
  const machines = (await client.list('/api/v1/machines', machineViewSchema)).filter(
    (machine) => machine.cluster === cluster.name,
  );
  if (machines.length > 0) {
    printer.answer('');
    printer.answer(
      tableText(
        machines,
        [
          { title: 'MACHINE', cell: (machine) => machine.name },
          { title: 'ROLE', cell: (machine) => machine.role },
          { title: 'STATE', cell: (machine) => machine.state },
          { title: 'NODE', cell: nodeText },
          { title: 'ADDRESS', cell: (machine) => machine.address ?? '' },
          { title: 'VERSION', cell: (machine) => machine.version ?? '' },
          { title: 'WHY', cell: whyOf },
        ],
        printer.out.bold,
      ),
    );
  }
  if (cluster.health !== undefined) {
    const path = `/api/v1/clusters/${encodeURIComponent(cluster.name)}/health`;
    printer.answer('');
    printHealth(session, await client.call({ method: 'GET', path, answer: clusterHealthSchema }));
  }
  if (operation?.problem)
    printer.answer(`\n${problemText(operation.problem, printer.out, session.sourceLine)}`);
}

const departures: Readonly<Record<NonNullable<MachineView['departure']>, string>> = {
  leaving: 'leaves the cluster',
  kept: 'left the cluster, sealed off and kept',
  unfenced: 'unfenced',
};

function whyOf(machine: MachineView): string {
  const { departure, notReadyBecause = '' } = machine;
  if (departure === undefined) return notReadyBecause;
  return unfencedText(machine) ?? departures[departure];
}

function memberText(member: NonNullable<NonNullable<ClusterDetail['observed']>['voters']>[number]): string {
  const notes = [
    member.leader ? 'leader' : '',
    member.learner ? 'learner' : '',
    member.started ? '' : 'not started',
    member.healthy ? '' : 'not healthy',
  ].filter((note) => note !== '');
  const name = member.name === '' ? member.id : member.name;
  return notes.length === 0 ? name : `${name} (${notes.join(', ')})`;
}

function describeOperation(session: Session, operation: OperationDetail): void {
  const { printer } = session;
  const { ended, total } = countsOf(operation);
  printer.answer(printer.out.bold(operationTitle(operation)));
  fields(session, [
    ['id', operation.id],
    [
      'state',
      operation.waitingFor === undefined ? operation.state : `${operation.state} for ${operation.waitingFor}`,
    ],
    ['by', operation.principal],
    ['agreed', (operation.agreement?.agreed ?? []).map(({ principal }) => principal).join(', ')],
    ['outside windows', operation.outsideWindow === undefined ? '' : `by ${operation.outsideWindow}`],
    ['plan', `${operation.planNumber} (${operation.planHash.slice(0, 19)})`],
    ['begun', operation.startedAt === undefined ? '' : localTime(operation.startedAt)],
    ['took', humaneDuration(operation.duration)],
    ['steps', `${ended} of ${total}`],
    ['bypassed', operation.bypass.join(', ')],
  ]);
  const now = Date.now();
  for (const line of operationWaitLines(operation, now)) printer.answer(printer.out.warn(line));
  for (const phase of phasesOf(operation, now)) {
    printer.answer(`\n${printer.out.bold(phase.phase)}  ${phase.ended} of ${phase.steps.length}`);
    for (const step of phase.steps) {
      const spent =
        step.startedAt === undefined
          ? ''
          : humaneDuration(
              (step.endedAt === undefined ? now : Date.parse(step.endedAt)) - Date.parse(step.startedAt),
            );
      printer.answer(`  ${step.state.padEnd(10)} ${cleanLine(step.title)}  ${printer.out.dim(spent)}`);
      if (step.waiting && step.state === 'running')
        for (const line of waitingLines(step.waiting, now, step.subject))
          printer.answer(printer.out.warn(`             ${line}`));
      if (step.problem) printer.answer(indent(problemText(step.problem, printer.out, session.sourceLine)));
    }
  }
  printTeardownLists(printer, operation);
  printRestoreLists(printer, operation);
}

const indent = (text: string): string => text.replaceAll(/^/gm, '    ');
