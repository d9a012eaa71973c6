import type { Socket } from 'node:net';
import { canonicalJson, type Json } from '../../../provisioners/contract/json.ts';
import { Transient, UserProblem } from '../../../provisioners/contract/problem.ts';
import type { Reach } from '../outgoing/address.ts';
import { openPlain, openSecure } from '../outgoing/socket.ts';
import type { AuditDelivery } from '../protocol/outgoing.ts';

/** Ports of syslog over TLS (RFC 5425) and, by custom, over TCP (RFC 6587). */
const securePort = 6514;
const plainPort = 514;

/** Facility 13 "log audit", severities 6 and 4 (RFC 5424 §6.2.1). */
const facility = 13;
const informational = 6;
const warning = 4;

/**
 * Sends rows as RFC 5424 messages with their lengths in front (RFC 6587 §3.4.1, RFC 5425 §4.3). Syslog knows no answer:
 * that the other side closes after we have closed is the sign that it has read to the end.
 * @throws Problem AUDIT-001, AUDIT-002, OUTGOING-…
 */
export async function sendSyslog(
  { receiver, rows }: AuditDelivery,
  reach: Reach,
  signal: AbortSignal,
): Promise<void> {
  const match = /^(tls|tcp):\/\/(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?\/?$/i.exec(receiver.server);
  const [, scheme = '', host = '', port] = match ?? [];
  if (match === null || Number(port ?? 1) > 65_535)
    throw new UserProblem('AUDIT-001', 'This is not the address of a syslog server.', {
      value: receiver.server,
      remedy: 'Write tls://host:6514 or tcp://host:514.',
    });
  const isSecure = scheme.toLowerCase() === 'tls';
  const destination = { host, port: Number(port ?? (isSecure ? securePort : plainPort)) };
  const socket = isSecure
    ? await openSecure(destination, receiver.authority, reach, signal)
    : await openPlain(destination, reach, signal);
  try {
    await handOver(socket, Buffer.concat(rows.map(messageOf)));
  } finally {
    socket.destroy();
  }
}

function handOver(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const notTaken = (): void =>
      reject(new Transient('AUDIT-002', 'The syslog server did not take all of the rows.'));
    socket.once('error', notTaken);
    socket.once('close', notTaken);
    socket.once('end', () => {
      // Closed before everything was out: nobody read the rest.
      if (socket.writableFinished) resolve();
      else notTaken();
    });
    socket.resume();
    socket.end(bytes);
  });
}

function messageOf(row: Json): Buffer {
  const fields = (row ?? {}) as { readonly at?: Json; readonly outcome?: Json };
  const severity = fields.outcome === 'allowed' ? informational : warning;
  const at = typeof fields.at === 'string' ? fields.at : '-';
  const message = Buffer.from(
    `<${facility * 8 + severity}>1 ${at} - remuda - audit - ${canonicalJson(row)}`,
    'utf8',
  );
  return Buffer.concat([Buffer.from(`${message.length} `), message]);
}
