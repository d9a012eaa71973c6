import { randomBytes } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { hostname } from 'node:os';
import type { z } from 'zod';
import { issuedTokenSchema, problemDetailsSchema, sessionSchema } from '../api/types.ts';
import { ApiRefusal, type Client } from './client.ts';
import { plainFailure } from './exit.ts';

/** How long a token of `login --user` is good, days. */
const tokenDays = 30;

/** What somebody signs in with. */
export interface PasswordLogin {
  readonly name: string;
  readonly password: string;
  readonly code?: string;
  readonly directory?: string;
}

interface Sent {
  readonly method: 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Received {
  readonly status: number;
  readonly text: string;
  readonly cookie: string;
}

/**
 * Signs in by name and password, takes a token of one's own for this machine, and signs out again: what is kept is the
 * token, which ends and can be revoked.
 * @throws ApiRefusal with reason `second-factor` when a code is needed
 */
export async function tokenByPassword(client: Client, login: PasswordLogin): Promise<string> {
  const signedIn = await send(client, { method: 'POST', path: '/api/v1/session', body: login });
  const { csrf } = parsed(sessionSchema, signedIn);
  const headers = { Cookie: signedIn.cookie, Origin: client.server, 'X-Remuda-Csrf': csrf };
  try {
    const host = hostname()
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]/g, '-');
    const name = `cli-${host.slice(0, 40)}-${randomBytes(4).toString('hex')}`;
    const body = { name, days: tokenDays };
    const made = await send(client, { method: 'POST', path: '/api/v1/session/tokens', body, headers });
    return parsed(issuedTokenSchema, made).token;
  } finally {
    await send(client, { method: 'DELETE', path: '/api/v1/session', headers });
  }
}

function parsed<Schema extends z.ZodType>(schema: Schema, { status, text }: Received): z.output<Schema> {
  if (status < 300) return schema.parse(JSON.parse(text));
  const details = problemDetailsSchema.safeParse(jsonOf(text));
  if (details.success) throw new ApiRefusal(details.data);
  throw plainFailure(
    'CLI-010',
    `the server answered ${status}, not in the manner of Remuda`,
    'Check that REMUDA_SERVER is the address of a Remuda daemon.',
  );
}

function send(client: Client, { method, path, body, headers }: Sent): Promise<Received> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      new URL(path, client.server),
      {
        method,
        ca: client.authority,
        minVersion: 'TLSv1.2',
        headers: {
          Accept: 'application/json',
          Origin: client.server,
          ...(text === undefined
            ? {}
            : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            text: Buffer.concat(chunks).toString('utf8'),
            cookie: (response.headers['set-cookie'] ?? []).map((one) => one.split(';')[0]).join('; '),
          }),
        );
      },
    );
    request.once('error', reject);
    request.end(text);
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
