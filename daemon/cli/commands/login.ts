import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { serverSchema } from '../../api/types.ts';
import { ApiRefusal, Client } from '../client.ts';
import { forgetConnection, savedAuthority, saveConnection, splitToken } from '../configuration.ts';
import { usageFailure } from '../exit.ts';
import { readHidden } from '../hidden-input.ts';
import { tokenByPassword } from '../password-login.ts';
import type { Session } from './session.ts';

interface LoginOptions {
  readonly tokenFile?: string;
  readonly caHash?: string;
  readonly user?: string;
  readonly directory?: string;
  readonly code?: string;
  readonly passwordStdin?: boolean;
}

/** login, logout. */
export function addLoginCommands(program: Command, session: Session): void {
  program
    .command('login [server]')
    .description(
      'keep server and token for later commands; the token comes from a file or standard input, or from signing in by name',
    )
    .option('--token-file <path>', 'file with the token, for example <state>/admin-token')
    .option('--ca-hash <hash>', "sha256 of the CA's public key, when the token does not begin with it")
    .option('--user <name>', 'sign in by name and password, and keep a token of 30 days for this machine')
    .option('--directory <name>', 'with --user: the directory that knows her')
    .option('--code <code>', 'with --user: one-time or recovery code, for those who have a second factor')
    .option('--password-stdin', 'with --user: the password comes from standard input')
    .action((server: string | undefined, options: LoginOptions) => login(session, server, options));
  program
    .command('logout')
    .description('revoke the token of `login --user`, and forget server and token')
    .action(() => logout(session));
}

async function login(session: Session, server: string | undefined, options: LoginOptions): Promise<void> {
  const address = server ?? session.environment['REMUDA_SERVER'] ?? 'https://127.0.0.1:8443';
  const token =
    options.user === undefined
      ? (await readToken(session, options)).trim()
      : await passwordToken(session, address, options.user, options);
  const { hash, secret } = splitToken(token);
  const authorityHash = options.caHash?.replace(/^sha256:/, '') ?? hash;
  if (secret === '' || authorityHash === undefined) {
    throw usageFailure(
      'CLI-019',
      'this is not a whole token',
      'A whole one is <CA hash>.<secret>; with the secret alone, give --ca-hash too.',
    );
  }
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

/** Signs in by name; the server must be known by its CA before it hears a password. */
async function passwordToken(
  session: Session,
  server: string,
  name: string,
  options: LoginOptions,
): Promise<string> {
  const { terminal } = session.printer;
  const authority = savedAuthority(session.environment, server);
  const authorityHash = (options.caHash ?? session.environment['REMUDA_CA_HASH'])?.replace(/^sha256:/, '');
  if (authorityHash === undefined && authority === undefined)
    throw usageFailure(
      'CLI-004',
      `nothing says by which certificate ${server} is known`,
      'Give --ca-hash: scripts/up prints it, and so does the page of sign-in.',
    );
  const client = await Client.connect({
    server,
    secret: '',
    authorityHash,
    authority: authorityHash === undefined ? authority : undefined,
  });
  try {
    const password = await readHidden(
      terminal,
      `Password of ${name} at ${server}: `,
      options.passwordStdin === true,
    );
    const { code, directory } = options;
    const typed = { name, password, ...(directory === undefined ? {} : { directory }) };
    return await tokenByPassword(client, { ...typed, ...(code === undefined ? {} : { code }) }).catch(
      async (error: unknown) => {
        const isAsked = error instanceof ApiRefusal && error.details.reason === 'second-factor';
        if (!isAsked || code !== undefined || terminal.input.isTTY !== true) throw error;
        return tokenByPassword(client, { ...typed, code: await readHidden(terminal, 'Code: ', false) });
      },
    );
  } finally {
    client.close();
  }
}

async function logout(session: Session): Promise<void> {
  const client = await session.client();
  const view = await client.call({ method: 'GET', path: '/api/v1/server', answer: serverSchema });
  const isOwn = view.principal.startsWith('user:') && view.token !== undefined;
  if (isOwn)
    await client.call({
      method: 'DELETE',
      path: `/api/v1/session/tokens/${encodeURIComponent(view.token ?? '')}`,
    });
  const path = forgetConnection(session.environment);
  session.printer.answer(
    isOwn
      ? `Logged out of ${client.server}; the token is revoked.`
      : `${path} is removed. The token itself is still good: remuda token revoke NAME`,
  );
}

async function readToken(session: Session, options: LoginOptions): Promise<string> {
  if (options.tokenFile === undefined) {
    const { input } = session.printer.terminal;
    if (input.isTTY === true)
      throw usageFailure(
        'CLI-020',
        'a token typed here would be seen',
        'Use --token-file, pipe it in (remuda login < token), or sign in by name: --user NAME',
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
