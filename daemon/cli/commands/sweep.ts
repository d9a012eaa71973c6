import type { Command } from 'commander';
import { intentAnswerSchema, type Stray, strayListSchema } from '../../api/types.ts';
import { cleanLine } from '../clean-text.ts';
import { plainFailure } from '../exit.ts';
import { printData, printList } from '../table.ts';
import { relativeTime } from '../times.ts';
import { addAgreementOptions, type AgreementOptions, carryOut, tellBegun } from './agreement.ts';
import type { Session } from './session.ts';

interface SweepOptions extends AgreementOptions {
  readonly provider?: string;
}

/** sweep. */
export function addSweepCommand(program: Command, session: Session): void {
  addAgreementOptions(
    program
      .command('sweep [uid]')
      .description(
        'show what bears our tags at the providers and belongs to no cluster of ours; with a uid: remove that, and prove it',
      )
      .option('--provider <name>', 'look at this provider alone'),
  ).action((uid: string | undefined, options: SweepOptions) =>
    uid === undefined ? showStrays(session, options) : sweep(session, uid, options),
  );
}

async function strays(session: Session, provider: string | undefined) {
  const client = await session.client();
  const query = provider === undefined ? '' : `?provider=${encodeURIComponent(provider)}`;
  return client.call({ method: 'GET', path: `/api/v1/strays${query}`, answer: strayListSchema });
}

/** `1 network, 3 machines`. */
function countsOf({ things }: Stray): string {
  const types = [...new Set(things.map(({ type }) => type))].sort();
  return types
    .map((type) => {
      const count = things.filter((thing) => thing.type === type).length;
      return `${count} ${type}${count === 1 ? '' : 's'}`;
    })
    .join(', ');
}

function wayOf({ uid, isReleased, operation }: Stray): string {
  if (isReleased) return 'given away: not ours to remove';
  return operation === undefined ? `remuda sweep ${uid}` : `remuda operation follow ${operation}`;
}

async function showStrays(session: Session, options: SweepOptions): Promise<void> {
  const { printer } = session;
  const found = await strays(session, options.provider);
  for (const { provider, why } of found.unseen)
    printer.note(printer.err.warn(cleanLine(`provider ${provider} was not asked: ${why}`)));
  if (options.output === 'json' || options.output === 'yaml')
    return printData(printer, options.output, found);
  printList(
    printer,
    'table',
    found.strays,
    [
      { title: 'PROVIDER', cell: ({ provider }) => provider },
      { title: 'CLUSTER', cell: ({ name }) => name },
      { title: 'UID', cell: ({ uid }) => uid },
      { title: 'WHAT', cell: countsOf },
      {
        title: 'KNOWN UNTIL',
        cell: ({ forgottenAt }) => (forgottenAt === undefined ? 'never' : relativeTime(forgottenAt)),
      },
      { title: 'WHAT TO DO', cell: wayOf },
    ],
    'Nothing bears our tags that belongs to no cluster of ours.',
  );
}

async function sweep(session: Session, uid: string, options: SweepOptions): Promise<void> {
  const found = await strays(session, options.provider);
  const stray = found.strays.find((one) => one.uid === uid);
  if (stray === undefined)
    throw plainFailure(
      'CLI-065',
      `nothing with the tag of cluster ${uid} was found that belongs to no cluster of ours`,
      'List what there is: remuda sweep',
    );
  const path = `/api/v1/strays/${encodeURIComponent(uid)}`;
  const asked = { cluster: stray.name, plan: `${path}/sweep-plan`, begin: `${path}/sweep`, body: {} };
  const answer = await carryOut(session, asked, intentAnswerSchema, options);
  const { operation } = answer;
  const begun = operation === undefined ? [] : [operation];
  return tellBegun(session, answer, begun, options, `nothing of ${stray.name} is left`);
}
