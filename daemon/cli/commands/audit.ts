import { type Command, Option } from 'commander';
import { z } from 'zod';
import { auditReceiverViewSchema, auditRowSchema, auditVerificationSchema } from '../../api/types.ts';
import { plainFailure, usageFailure } from '../exit.ts';
import { readSettings } from '../settings-file.ts';
import { type OutputForm, printList } from '../table.ts';
import { relativeTime } from '../times.ts';
import { outputOption } from './options.ts';
import type { Session } from './session.ts';

/** audit. */
export function addAuditCommands(program: Command, session: Session): void {
  const audit = program
    .command('audit')
    .description('who did what, in a chain that cannot be changed unseen');
  audit
    .command('list')
    .description('rows of the trail, oldest first')
    .addOption(new Option('--after <number>', 'rows after this one').default('0'))
    .addOption(new Option('--limit <number>', 'how many at most').default('1000'))
    .addOption(outputOption())
    .action((options: ListOptions) => list(session, options));
  audit
    .command('verify')
    .description('read the whole chain, and print its head to keep elsewhere')
    .option('--against <head>', 'NUMBER:HASH kept from before, or from a receiver')
    .action((options: { readonly against?: string }) => verify(session, options.against));
  const receiver = audit.command('receiver').description('syslog servers and webhooks that get every row');
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
      const path = `/api/v1/audit/receivers/${encodeURIComponent(name)}`;
      const body = readSettings(file);
      const view = await client.call({ method: 'PUT', path, body, answer: auditReceiverViewSchema });
      session.printer.answer(`receiver ${view.name} kept; ${view.lag} rows wait for it`);
    });
  receiver
    .command('remove <name>')
    .description('send nothing more there')
    .action(async (name: string) => {
      const client = await session.client();
      await client.call({ method: 'DELETE', path: `/api/v1/audit/receivers/${encodeURIComponent(name)}` });
      session.printer.answer(`receiver ${name} removed`);
    });
}

interface ListOptions {
  readonly after: string;
  readonly limit: string;
  readonly output: OutputForm;
}

async function list(session: Session, { after, limit, output }: ListOptions): Promise<void> {
  const client = await session.client();
  const { items } = await client.call({
    method: 'GET',
    path: '/api/v1/audit',
    query: { after, limit },
    answer: z.object({ items: z.array(auditRowSchema) }),
  });
  printList(
    session.printer,
    output,
    items,
    [
      { title: 'NUMBER', cell: (item) => `${item.number}` },
      { title: 'TIME', cell: (item) => item.at },
      { title: 'WHO', cell: (item) => item.principal },
      { title: 'WHAT', cell: (item) => item.verb },
      { title: 'OBJECT', cell: (item) => item.object },
      { title: 'OUTCOME', cell: (item) => item.outcome },
    ],
    'There are no rows.',
  );
}

async function verify(session: Session, against: string | undefined): Promise<void> {
  const known = against === undefined ? undefined : headOf(against);
  const client = await session.client();
  const found = await client.call({
    method: 'GET',
    path: '/api/v1/audit/verification',
    query: { number: known?.number, hash: known?.hash },
    answer: auditVerificationSchema,
  });
  session.printer.answer(`${found.rows} rows, head ${found.head.number}:${found.head.hash}`);
  if (found.firstBroken !== undefined)
    throw broken(`row ${found.firstBroken} is not what its hash says, or does not follow the row before it`);
  if (found.against?.verdict === 'missing')
    throw broken(`the trail ends before row ${found.against.number}, which was kept: it was cut off`);
  if (found.against?.verdict === 'differs')
    throw broken(`row ${found.against.number} is another one than was kept: the trail was written anew`);
  session.printer.answer(
    known === undefined ? 'the chain is whole' : 'the chain is whole and holds that row',
  );
}

const broken = (what: string): Error =>
  plainFailure('CLI-042', `the audit trail is not whole: ${what}`, 'Compare it with what a receiver holds.');

function headOf(text: string): { readonly number: string; readonly hash: string } {
  const [, number, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (number !== undefined && hash !== undefined) return { number, hash };
  throw usageFailure(
    'CLI-043',
    'this is not a head of the audit trail',
    'Give NUMBER:HASH, as `remuda audit verify` prints it.',
  );
}

async function listReceivers(session: Session, output: OutputForm): Promise<void> {
  const client = await session.client();
  const { items } = await client.call({
    method: 'GET',
    path: '/api/v1/audit/receivers',
    answer: z.object({ items: z.array(auditReceiverViewSchema) }),
  });
  printList(
    session.printer,
    output,
    items,
    [
      { title: 'NAME', cell: (item) => item.name },
      { title: 'TYPE', cell: (item) => item.settings.type },
      { title: 'SERVER', cell: (item) => item.settings.server },
      { title: 'ROW', cell: (item) => `${item.position}` },
      { title: 'WAIT', cell: (item) => `${item.lag}` },
      {
        title: 'DELIVERED',
        cell: (item) => (item.deliveredAt === undefined ? 'never' : relativeTime(item.deliveredAt)),
      },
      {
        title: 'PROBLEM',
        cell: ({ problem }) => (problem === undefined ? '' : `${problem.code} ${problem.summary}`),
      },
    ],
    'There are no receivers.',
  );
}
