import { createHmac } from 'node:crypto';
import { Transient, UserProblem } from '../../../provisioners/contract/problem.ts';
import type { Reach } from '../outgoing/address.ts';
import { asOutgoing, openSecure } from '../outgoing/socket.ts';
import { post } from '../outgoing/webhook.ts';
import type { AuditDelivery } from '../protocol/outgoing.ts';

/**
 * Posts rows as JSON, signed: `Remuda-Signature: t=<seconds>,v1=<hex>` is HMAC-SHA256 over `<seconds>.<body>`. Answers
 * of status 2xx count; redirections are not followed, and what the body says is not read.
 * @throws Problem AUDIT-001, AUDIT-002, OUTGOING-…
 */
export async function postWebhook(
  { receiver, key, rows, head }: AuditDelivery,
  signingKey: string,
  reach: Reach,
  signal: AbortSignal,
): Promise<void> {
  const url = URL.canParse(receiver.server) ? new URL(receiver.server) : undefined;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '')
    throw new UserProblem('AUDIT-001', 'This is not the address of a webhook.', {
      remedy: 'Write https://host/path, without a user or a password.',
    });
  const destination = { host: url.hostname, port: url.port === '' ? 443 : Number(url.port) };
  const socket = await openSecure(destination, receiver.authority, reach, signal);
  try {
    const body = JSON.stringify({ key, head, rows });
    const seconds = Math.floor(Date.now() / 1000);
    const signature = createHmac('sha256', signingKey).update(`${seconds}.${body}`).digest('hex');
    const status = await post(socket, url, body, {
      'idempotency-key': key,
      'remuda-signature': `t=${seconds},v1=${signature}`,
    });
    if (status >= 200 && status < 300) return;
    throw new Transient('AUDIT-002', `The webhook answered with status ${status}.`);
  } catch (error) {
    throw asTold(error, url.host);
  } finally {
    socket.destroy();
  }
}

const asTold = (error: unknown, host: string): Error =>
  error instanceof Transient ? error : asOutgoing(error, host);
