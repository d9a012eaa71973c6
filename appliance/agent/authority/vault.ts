import { request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import { z } from 'zod';
import type { AuthoritySource } from '../../../provisioners/contract/authority.ts';
import { Problem, Transient, UserProblem } from '../../../provisioners/contract/problem.ts';
import type { Duration, Instant } from '../../../provisioners/contract/time.ts';
import type { Reach } from '../outgoing/address.ts';
import { asOutgoing, openSecure } from '../outgoing/socket.ts';
import { type Chain, readChain, requireAuthority } from './chain.ts';
import type { AuthorityRequest, AuthoritySigner } from './signer.ts';

/** A server that signs, and what to say to it. */
export interface VaultOptions {
  readonly server: Extract<AuthoritySource, { readonly type: 'server' }>;
  readonly token: string;
  readonly reach: Reach;
  readonly signal: AbortSignal;
  readonly now: Instant;
}

/** Longest answer that is read, bytes: a chain of ten certificates is some 20 KB. */
const longest = 256 * 1024;

const aMinute: Duration = 60_000;

const chainSchema = z.object({ data: z.object({ certificate: z.string() }) });
const signedSchema = z.object({
  data: z.object({
    certificate: z.string(),
    issuing_ca: z.string(),
    ca_chain: z.array(z.string()).nullish(),
  }),
});

/**
 * A server that signs intermediates by the API of HashiCorp Vault's PKI engine, which OpenBao has too
 * (https://developer.hashicorp.com/vault/api-docs/secret/pki#sign-intermediate). Why this one: EST (RFC 7030) and ACME
 * (RFC 8555) give certificates to servers and people, and none to authorities. What the server signs with is read and
 * judged before it is asked to sign anything.
 * @throws UserProblem PKI-012 … PKI-017, OUTGOING-…
 */
export async function vaultSigner(options: VaultOptions): Promise<AuthoritySigner> {
  const { server, now } = options;
  const found = chainSchema.safeParse(await ask(options, 'GET', `${server.mount}/cert/ca_chain`));
  if (!found.success) throw notUnderstood(server.url);
  const chain = readChain(found.data.data.certificate, `the answer of ${hostOf(server.url)}`);
  requireAuthority(chain, now, 1);
  // A server refuses to sign for longer than it lasts itself.
  const last = chain[0].validToDate.getTime() - aMinute;
  return {
    sign: (request) =>
      sign(options, { ...request, notAfter: new Date(Math.min(request.notAfter.getTime(), last)) }),
  };
}

async function sign(
  options: VaultOptions,
  { request, commonName, notAfter }: AuthorityRequest,
): Promise<Chain> {
  const { server, now } = options;
  const seconds: Duration = Math.floor((notAfter.getTime() - Date.parse(now)) / 1000);
  const wish = {
    csr: request,
    common_name: commonName,
    exclude_cn_from_sans: true,
    format: 'pem',
    max_path_length: 0,
    ttl: `${seconds}s`,
    use_csr_values: false,
  };
  const answer = await ask(options, 'POST', `${server.mount}/root/sign-intermediate`, wish);
  const found = signedSchema.safeParse(answer);
  if (!found.success) throw notUnderstood(server.url);
  const { certificate, issuing_ca: issuer, ca_chain: chain } = found.data.data;
  const above = chain === undefined || chain === null || chain.length === 0 ? [issuer] : chain;
  return readChain([certificate, ...above].join('\n'), `the answer of ${hostOf(server.url)}`);
}

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : url);

const notUnderstood = (url: string): Problem =>
  new UserProblem('PKI-017', `${hostOf(url)} does not answer as the PKI engine of Vault or OpenBao does.`, {
    remedy: 'Check the address, and under which path the engine is mounted.',
  });

/** What a status means; nothing of the body is repeated. */
function refused(url: string, path: string, status: number): Problem {
  const host = hostOf(url);
  const said = `${host} answered with status ${status} to ${path}`;
  if (status === 401 || status === 403)
    return new UserProblem('PKI-016', `${said}: the token is not let in, or may not do that.`, {
      remedy: 'Give a token whose policy allows "update" on <mount>/root/sign-intermediate.',
    });
  if (status >= 500 || status === 429) return new Transient('PKI-016', `${said}.`);
  return new UserProblem('PKI-016', `${said}.`, {
    remedy:
      'Check under which path the engine is mounted, and its log: it may be sealed, or refuse so long a life. Redirections are not followed.',
  });
}

/** One question. @returns the JSON of an answer with status 200 */
async function ask(
  { server: { url, trusted }, token, reach, signal }: VaultOptions,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<unknown> {
  const to = new URL(`/v1/${path}`, url);
  const destination = { host: to.hostname, port: to.port === '' ? 443 : Number(to.port) };
  const socket = await openSecure(destination, trusted, reach, signal);
  try {
    const { status, text } = await exchange(socket, { to, method, token, text: JSON.stringify(body ?? {}) });
    if (status !== 200) throw refused(url, path, status);
    return parsed(text);
  } catch (error) {
    throw error instanceof Problem ? error : asOutgoing(error, to.host);
  } finally {
    socket.destroy();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Question {
  readonly to: URL;
  readonly method: string;
  readonly token: string;
  readonly text: string;
}

/** One request over a connection that is there. */
function exchange(
  socket: Socket,
  { to, method, token, text }: Question,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const isPost = method === 'POST';
    const request = httpRequest({
      createConnection: () => socket,
      method,
      path: to.pathname,
      headers: {
        host: to.host,
        connection: 'close',
        'x-vault-request': 'true',
        'x-vault-token': token,
        ...(isPost ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {}),
      },
    });
    request.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
    request.once('response', (response) => {
      const parts: Buffer[] = [];
      let length = 0;
      response.on('data', (part: Buffer) => {
        length += part.length;
        if (length > longest) response.destroy(new Error('the answer is too long'));
        else parts.push(part);
      });
      response.once('error', reject);
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }),
      );
    });
    request.end(isPost ? text : undefined);
  });
}
