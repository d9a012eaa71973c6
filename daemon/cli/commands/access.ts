import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { enrolmentTokenSchema, issuedTokenSchema, serverSchema, tokenViewSchema } from '../../api/types.ts';
import { Client } from '../client.ts';
import { saveConnection, splitToken } from '../configuration.ts';
import { usageFailure } from '../exit.ts';
import { type OutputForm, printList } from '../table.ts';
import { relativeTime } from '../times.ts';
import { durationOf, outputOption } from './options.ts';
import { addResealCommand } from './reseal.ts';
import type { Session } from './session.ts';

/** login, agent, token. */
export function addAccessCommands(program: Command, session: Session): void {
  program
    .command('login [server]')
    .description('keep server and token for later commands; the token comes from a file or standard input')
    .option('--token-file <path>', 'file with the token, for example <state>/admin-token')
    .option('--ca-hash <hash>', "sha256 of the CA's public key, when the token does not begin with it")
    .action((server: string | undefined, options: LoginOptions) => login(session, server, options));
  const agent = program.command('agent').description("the sites' agents");
  agent
    .command('token <site>')
    .description('a token with which one agent of a site enrols, once')
    .addOption(new Option('--valid <duration>', 'how long it may be used').default('1h'))
    .option('--replace', 'refuse the present agent from now on and give its work to the new one')
    .action((site: string, options: { readonly valid: string; readonly replace?: boolean }) =>
      agentToken(session, site, options),
    );
  addResealCommand(agent, session);
  addTokenCommands(program.command('token').description('tokens of people and machine accounts'), session);
}

interface LoginOptions {
  readonly tokenFile?: string;
  readonly caHash?: string;
}

async function login(session: Session, server: string | undefined, options: LoginOptions): Promise<void> {
  const token = (await readToken(session, options)).trim();
  const { hash, secret } = splitToken(token);
  const authorityHash = options.caHash?.replace(/^sha256:/, '') ?? hash;
  if (secret === '' || authorityHash === undefined) {
    throw usageFailure(
      'CLI-019',
      'this is not a whole token',
      'A whole one is <CA hash>.<secret>; with the secret alone, give --ca-hash too.',
    );
  }
  const address = server ?? session.environment['REMUDA_SERVER'] ?? 'https://127.0.0.1:8443';
  const client = await Client.connect({ server: address, secret, authorityHash, authority: undefined });
  try {
    const view = await client.call({ method: 'GET', path: '/api/v1/server', answer: serverSchema });
    const path = saveConnection(session.environment, {
      server: address,
      token: `${authorityHash}.${secret}`,
      authority: client.authority,
    });
    session.printer.answer(
      `Logged in to ${client.server} as ${view.principal} (${view.role}); kept in ${path}`,
    );
  } finally {
    client.close();
  }
}

async function readToken(session: Session, options: LoginOptions): Promise<string> {
  if (options.tokenFile === undefined) {
    const { input } = session.printer.terminal;
    if (input.isTTY === true)
      throw usageFailure(
        'CLI-020',
        'a token typed here would be seen',
        'Use --token-file, or pipe it in: remuda login < token',
      );
    return text(input);
  }
  try {
    return readFileSync(options.tokenFile, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw usageFailure(
      'CLI-021',
      `the token file cannot be read (${code ?? 'unknown reason'})`,
      'Give the path of a readable file.',
    );
  }
}

async function agentToken(
  session: Session,
  site: string,
  options: { readonly valid: string; readonly replace?: boolean },
): Promise<void> {
  const client = await session.client();
  const drawn = await client.call({
    method: 'POST',
    path: `/api/v1/agents/${encodeURIComponent(site)}/token`,
    body: {
      minutes: Math.max(1, Math.round(durationOf(options.valid) / 60_000)),
      replace: options.replace === true,
    },
    answer: enrolmentTokenSchema,
  });
  session.printer.answer(drawn.token);
  session.printer.note(
    `For one agent of site ${drawn.site}, once, until ${drawn.expiresAt}. It is not shown again.`,
  );
  if (options.replace === true)
    session.printer.note(
      `When it has enrolled: remuda agent reseal ${drawn.site} --recovery-key-file FILE. Until then it cannot open the secrets.`,
    );
}

function addTokenCommands(token: Command, session: Session): void {
  token
    .command('create <name>')
    .description('a new token, printed once')
    .addOption(
      new Option('--role <role>', 'what it may do')
        .choices(['admin', 'operator', 'viewer'])
        .default('viewer'),
    )
    .option('--days <number>', 'how long it is valid', '30')
    .action(async (name: string, options: { readonly role: string; readonly days: string }) => {
      const client = await session.client();
      const issued = await client.call({
        method: 'POST',
        path: '/api/v1/tokens',
        body: { name, role: options.role, days: Number(options.days) },
        answer: issuedTokenSchema,
      });
      session.printer.answer(issued.token);
      session.printer.note(`For ${name} (${options.role}), for ${options.days} days. It is not shown again.`);
    });
  token
    .command('list')
    .description('tokens that are neither revoked nor expired')
    .addOption(outputOption())
    .action(async (options: { readonly output: OutputForm }) => {
      const client = await session.client();
      const { items } = await client.call({
        method: 'GET',
        path: '/api/v1/tokens',
        answer: z.object({ items: z.array(tokenViewSchema) }),
      });
      printList(
        session.printer,
        options.output,
        items,
        [
          { title: 'NAME', cell: (item) => item.name },
          { title: 'ROLE', cell: (item) => item.role },
          { title: 'CREATED', cell: (item) => relativeTime(item.createdAt) },
          {
            title: 'EXPIRES',
            cell: (item) => (item.expiresAt === undefined ? 'never' : relativeTime(item.expiresAt)),
          },
        ],
        'There are no tokens.',
      );
    });
  token
    .command('revoke <name>')
    .description('a revoked token is refused at once')
    .action(async (name: string) => {
      const client = await session.client();
      await client.call({ method: 'DELETE', path: `/api/v1/tokens/${encodeURIComponent(name)}` });
      session.printer.answer(`token ${name} revoked`);
    });
}
