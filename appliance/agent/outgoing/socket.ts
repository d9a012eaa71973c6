import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { Transient, UserProblem } from '../../../provisioners/contract/problem.ts';
import { addressOf, type Reach } from './address.ts';

/** A server that a user gave. */
export interface Destination {
  /** As it stands in the URL: also the name that its certificate must have. */
  readonly host: string;
  readonly port: number;
}

/** A plain connection to the server's allowed address. Ends with the signal. @throws Transient OUTGOING-003 */
export async function openPlain(
  { host, port }: Destination,
  reach: Reach,
  signal: AbortSignal,
): Promise<Socket> {
  const address = await addressOf(host, reach);
  const socket = connectPlain({ host: address, port });
  endWith(socket, signal);
  return opened(socket, 'connect', `${host}:${port}`, signal);
}

/** A connection of which the other end has proven its name. Ends with the signal. @throws Transient OUTGOING-003, UserProblem OUTGOING-004 */
export async function openSecure(
  destination: Destination,
  authority: string | undefined,
  reach: Reach,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const plain = await openPlain(destination, reach, signal);
  const socket = connectTls({ ...securityOf(destination, authority), socket: plain });
  endWith(socket, signal);
  return opened(socket, 'secureConnect', `${destination.host}:${destination.port}`, signal);
}

/** Whom to expect at the other end: the name in the URL, proven by the given authority, else by a public one. */
export function securityOf({ host }: Destination, authority: string | undefined): ConnectionOptions {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  return {
    host: bare,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    ...(authority === undefined ? {} : { ca: authority }),
    // RFC 6066 §3: no literal addresses in SNI; the identity is then checked against `host`.
    ...(isIP(bare) === 0 ? { servername: bare } : {}),
  };
}

/** What a broken connection means, without a word of what the other end sent. */
export function asOutgoing(error: unknown, what: string): Error {
  const { code = '' } = error as { readonly code?: unknown };
  if (isAboutTrust(String(code)))
    return new UserProblem('OUTGOING-004', `${what} does not prove to be the server that was meant.`, {
      remedy: 'Give the certificate of the authority that signed it, and a host name that stands in it.',
    });
  return new Transient('OUTGOING-003', `${what} cannot be reached${reasonOf(String(code))}.`, {
    remedy: 'Check the address, the network between the agent and it, and whether it runs.',
  });
}

/** Node's and OpenSSL's names for certificates that prove nothing. */
const isAboutTrust = (code: string): boolean =>
  /^(ERR_TLS_CERT|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/.test(
    code,
  );

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: ': nothing listens there',
  EHOSTUNREACH: ': there is no way to it',
  ENETUNREACH: ': there is no way to it',
  ETIMEDOUT: ': it does not answer',
  ABORT_ERR: ': it does not answer in time',
};
const reasonOf = (code: string): string => reasons[code] ?? '';

/**
 * Ends a connection with the signal. Without an error of its own: libraries take the listeners for errors away at times,
 * and one that nobody listens to would end the whole process. Whoever waits hears of the close.
 */
function endWith(socket: Socket, signal: AbortSignal): void {
  const end = (): void => {
    socket.destroy();
  };
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  socket.once('close', () => signal.removeEventListener('abort', end));
}

function opened<Kind extends Socket>(
  socket: Kind,
  event: 'connect' | 'secureConnect',
  what: string,
  signal: AbortSignal,
): Promise<Kind> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(asOutgoing(error, what));
    const close = (): void =>
      fail(Object.assign(new Error('closed'), { code: signal.aborted ? 'ABORT_ERR' : 'ECONNRESET' }));
    socket.once('error', fail);
    socket.once('close', close);
    socket.once(event, () => {
      socket.off('error', fail);
      socket.off('close', close);
      resolve(socket);
    });
  });
}
