import { X509Certificate } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { z } from 'zod';
import { type Problem, Transient, UserProblem } from '../../provisioners/contract/problem.ts';
import type { EnrolAnswer, EnrolRequest } from './protocol/enrolment.ts';
import { publicKeyHash, requestCertificate } from './pki.ts';

/** A certificate request in PEM, and the PEM of its key. */
export interface CertificateRequest {
  readonly request: string;
  readonly key: string;
}

/** What enrolment leaves: who this agent is. */
export interface Enrolled extends EnrolAnswer {
  /** PEM of the client key. */
  readonly key: string;
}

const answerSchema = z.object({
  certificate: z.string(),
  authority: z.string(),
  site: z.string(),
  epoch: z.int(),
  linkPort: z.int(),
});

const problemSchema = z.looseObject({ code: z.string().optional(), detail: z.string().optional() });

const patience = 15_000;

/**
 * Enrols with a single-use `<CA hash>.<secret>` token. The server shows its chain first; only when its authority's key
 * has the hash that the token names, a second connection, verified against exactly that authority, carries the secret.
 * @throws UserProblem AGENT-010 (malformed token), AGENT-011 (another server answers), AGENT-012 (token refused).
 */
export async function enrol(options: {
  readonly server: string;
  readonly token: string;
  readonly recipient: string;
  readonly release: string;
  /** The request to make, kept before it is made: whoever repeats it after a crash is answered again. */
  readonly request: CertificateRequest;
}): Promise<Enrolled> {
  const [hash, secret] = splitToken(options.token);
  const server = new URL(options.server);
  const authority = await authorityOf(server, hash);
  const { request, key } = options.request;
  const body: EnrolRequest = { secret, request, recipient: options.recipient, release: options.release };
  const answer = await post(new URL('/api/v1/agents/enrol', server), body, { ca: authority });
  return { ...answer, authority, key };
}

/** Exchanges a certificate that is still valid for a fresh one, with a fresh key. */
export async function renew(server: string, held: Enrolled): Promise<Enrolled> {
  const { request, key } = await requestCertificate();
  const answer = await post(
    new URL('/api/v1/agents/renew', server),
    { request },
    { ca: held.authority, cert: held.certificate, key: held.key },
  );
  return { ...answer, authority: held.authority, key };
}

/** Whether half of the certificate's life is over: time to renew, with as much again to find the daemon away. */
export function isDue(certificate: string, now: number): boolean {
  const { validFrom, validTo } = new X509Certificate(certificate);
  return now > (Date.parse(validFrom) + Date.parse(validTo)) / 2;
}

function splitToken(token: string): [string, string] {
  const match = /^([0-9a-f]{64})\.([A-Za-z0-9_-]{20,})$/u.exec(token.trim());
  if (match?.[1] === undefined || match[2] === undefined)
    throw new UserProblem('AGENT-010', 'The enrolment token is not of the form <CA hash>.<secret>.', {
      remedy: 'Copy the whole line that `remuda agent token` printed.',
    });
  return [match[1], match[2]];
}

/** Looks at the chain a server shows, says nothing to it, and gives the PEM of the authority that has the hash. */
function authorityOf(server: URL, hash: string): Promise<string> {
  return new Promise((resolve, reject) => {
    // Not verified here on purpose: the hash in the token is what verifies, and nothing is sent on this connection.
    const socket = connect({
      host: hostOf(server),
      port: Number(server.port || 443),
      rejectUnauthorized: false,
      timeout: patience,
    });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.once('timeout', () => fail(unreachable(server, 'it does not answer')));
    socket.once('error', (error) => fail(unreachable(server, error.message)));
    socket.once('secureConnect', () => {
      const authority = chainOf(socket).find((certificate) => publicKeyHash(certificate) === hash);
      socket.destroy();
      if (authority !== undefined) resolve(authority);
      else reject(otherServer(server));
    });
  });
}

function chainOf(socket: TLSSocket): string[] {
  const chain: string[] = [];
  let certificate = socket.getPeerCertificate(true);
  while (certificate?.raw !== undefined) {
    chain.push(new X509Certificate(certificate.raw).toString());
    if (certificate.issuerCertificate === undefined || certificate.issuerCertificate === certificate) break;
    certificate = certificate.issuerCertificate;
  }
  return chain;
}

async function post(
  url: URL,
  body: object,
  tls: { readonly ca: string; readonly cert?: string; readonly key?: string },
): Promise<EnrolAnswer> {
  const { status, text } = await exchange(url, body, tls);
  return answerOf(status, text);
}

function exchange(
  url: URL,
  body: object,
  tls: { readonly ca: string; readonly cert?: string; readonly key?: string },
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const call = httpsRequest(
      url,
      {
        ...tls,
        method: 'POST',
        agent: false,
        timeout: patience,
        headers: { 'content-type': 'application/json' },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', (error) => reject(unreachable(url, error.message)));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    call.on('timeout', () => call.destroy(new Error('it does not answer')));
    call.on('error', (error) => reject(unreachable(url, error.message)));
    call.end(JSON.stringify(body));
  });
}

function answerOf(status: number, text: string): EnrolAnswer {
  if (status >= 200 && status < 300) return answerSchema.parse(JSON.parse(text));
  let detail = '';
  try {
    detail = problemSchema.parse(JSON.parse(text)).detail ?? '';
  } catch {
    // Not a problem document; the status says enough.
  }
  if (status >= 500)
    throw new Transient('AGENT-013', `The daemon could not enrol this agent (${status}). ${detail}`);
  throw new UserProblem('AGENT-012', `The daemon refused this agent (${status}). ${detail}`.trim(), {
    remedy: 'A token works once and for a short time: make a fresh one and start the agent with it.',
  });
}

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/gu, '');

function unreachable(url: URL, why: string): Problem {
  return new Transient('AGENT-014', `The daemon at ${url.origin} cannot be reached: ${why}.`);
}

function otherServer(url: URL): Problem {
  return new UserProblem(
    'AGENT-011',
    `What answers at ${url.origin} is not the daemon that made the token. Nothing was sent to it.`,
    { remedy: 'Check the address; if it is right, make a fresh token at the daemon you mean.' },
  );
}
