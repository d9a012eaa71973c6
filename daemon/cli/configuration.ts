import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { usageFailure } from './exit.ts';

/** Where the daemon of this machine listens unless told otherwise. */
const localServer = 'https://127.0.0.1:8443';

const savedSchema = z.object({
  server: z.string(),
  token: z.string(),
  /** PEM of the CA that `login` verified by its hash. */
  authority: z.string(),
});

/** Which server to speak to, as whom, and how to know that it is the right one. */
export interface Connection {
  readonly server: string;
  /** The secret half of the token. */
  readonly secret: string;
  /** sha256 of the CA's public key, hexadecimal. */
  readonly authorityHash: string | undefined;
  /** PEM, when `login` kept it. */
  readonly authority: string | undefined;
}

/** Path of the file that `login` writes. */
function configurationFile(environment: NodeJS.ProcessEnv): string {
  const base = environment['XDG_CONFIG_HOME'] ?? join(environment['HOME'] ?? homedir(), '.config');
  return environment['REMUDA_CONFIG'] ?? join(base, 'remuda', 'config.json');
}

/** Splits `<CA hash>.<secret>`; a token without a dot is all secret. */
export function splitToken(token: string): { readonly hash: string | undefined; readonly secret: string } {
  const trimmed = token.trim();
  const dot = trimmed.lastIndexOf('.');
  return { hash: dot === -1 ? undefined : trimmed.slice(0, dot), secret: trimmed.slice(dot + 1) };
}

/**
 * Connection from the environment (`REMUDA_SERVER`, `REMUDA_TOKEN`, `REMUDA_CA_HASH`), else from the file of `login`.
 * @throws CommandFailure exit 2 when there is no token anywhere, or no way to know the server.
 */
export function readConnection(environment: NodeJS.ProcessEnv): Connection {
  const saved = readSaved(environment);
  const server = environment['REMUDA_SERVER'] ?? saved?.server ?? localServer;
  const isSaved = saved !== undefined && saved.server === server;
  const token = environment['REMUDA_TOKEN'] ?? (isSaved ? saved.token : undefined);
  if (token === undefined || token.trim() === '') {
    throw usageFailure(
      'CLI-003',
      `there is no token for ${server}`,
      'Run `remuda login`, or set REMUDA_TOKEN (on the machine of the daemon: the file admin-token in its state folder).',
    );
  }
  const { hash, secret } = splitToken(token);
  const authorityHash = environment['REMUDA_CA_HASH']?.replace(/^sha256:/, '') ?? hash;
  const authority = isSaved && environment['REMUDA_CA_HASH'] === undefined ? saved.authority : undefined;
  if (authorityHash === undefined && authority === undefined) {
    throw usageFailure(
      'CLI-004',
      `nothing says by which certificate ${server} is known`,
      'Set REMUDA_CA_HASH, or use the whole token, <CA hash>.<secret>.',
    );
  }
  return { server, secret, authorityHash, authority };
}

/** Keeps a connection for later commands, readable by its owner only. */
export function saveConnection(
  environment: NodeJS.ProcessEnv,
  saved: { readonly server: string; readonly token: string; readonly authority: string },
): string {
  const path = configurationFile(environment);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, `${JSON.stringify(saved, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
  return path;
}

/** PEM of the CA that an earlier `login` verified for this server. */
export const savedAuthority = (environment: NodeJS.ProcessEnv, server: string): string | undefined => {
  const saved = readSaved(environment);
  return saved?.server === server ? saved.authority : undefined;
};

/** Removes what `login` kept; answers the path. */
export function forgetConnection(environment: NodeJS.ProcessEnv): string {
  const path = configurationFile(environment);
  rmSync(path, { force: true });
  return path;
}

function readSaved(environment: NodeJS.ProcessEnv): z.infer<typeof savedSchema> | undefined {
  let content: string;
  try {
    content = readFileSync(configurationFile(environment), 'utf8');
  } catch {
    return undefined;
  }
  try {
    return savedSchema.parse(JSON.parse(content));
  } catch {
    throw usageFailure(
      'CLI-005',
      `${configurationFile(environment)} is not what \`remuda login\` writes`,
      'Remove the file and run `remuda login` again.',
    );
  }
}
