import { createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import { Transient, UserProblem } from '../../../provisioners/contract/problem.ts';
import type { Reach } from './address.ts';
import { asOutgoing, openSecure } from './socket.ts';

/** A message on its way to a webhook. */
export interface WebhookMessage {
  /** `https://host/path`. */
  readonly server: string;
  /** PEM of the only authority that is believed; without it the public ones are. */
  readonly authority?: string;
  /** The same whenever the same message is sent again. */
  readonly id: string;
  /** JSON. */
  readonly body: string;
  /** What signs it: `whsec_<base64>` as the specification writes it, or any text, whose bytes are taken. */
  readonly signingKey: string;
}

/** Codes of a caller's own for what may go wrong. */
interface WebhookCodes {
  readonly notAnAddress: string;
  readonly notTaken: string;
}

/**
 * Posts a message, signed as Standard Webhooks says (https://www.standardwebhooks.com, "symmetric"): `webhook-id`,
 * `webhook-timestamp` (seconds) and `webhook-signature: v1,<base64 of HMAC-SHA256 over id.timestamp.body>`. Answers of
 * status 2xx count; redirections are not followed, and what the body says is not read.
 * @throws Problem of the caller's codes, OUTGOING-…
 */
export async function sendWebhook(
  message: WebhookMessage,
  codes: WebhookCodes,
  reach: Reach,
  signal: AbortSignal,
): Promise<void> {
  const { server, authority, id, body, signingKey } = message;
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '')
    throw new UserProblem(codes.notAnAddress, 'This is not the address of a webhook.', {
      remedy: 'Write https://host/path, without a user or a password.',
    });
  const destination = { host: url.hostname, port: url.port === '' ? 443 : Number(url.port) };
  const socket = await openSecure(destination, authority, reach, signal);
  try {
    const seconds = `${Math.floor(Date.now() / 1000)}`;
    const signature = createHmac('sha256', keyBytes(signingKey))
      .update(`${id}.${seconds}.${body}`)
      .digest('base64');
    const status = await post(socket, url, body, {
      'webhook-id': id,
      'webhook-timestamp': seconds,
      'webhook-signature': `v1,${signature}`,
    });
    if (status >= 200 && status < 300) return;
    throw new Transient(codes.notTaken, `The webhook answered with status ${status}.`);
  } catch (error) {
    throw error instanceof Transient ? error : asOutgoing(error, url.host);
  } finally {
    socket.destroy();
  }
}

const prefix = 'whsec_';

const keyBytes = (key: string): Buffer =>
  key.startsWith(prefix) ? Buffer.from(key.slice(prefix.length), 'base64') : Buffer.from(key, 'utf8');

/** One POST over a connection that is there. @returns the status */
export function post(
  socket: Socket,
  url: URL,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      createConnection: () => socket,
      method: 'POST',
      path: `${url.pathname}${url.search}`,
      headers: {
        host: url.host,
        connection: 'close',
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...headers,
      },
    });
    request.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
    request.once('response', (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    request.end(body);
  });
}
