import { lookup } from 'node:dns';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { rootCertificates } from 'node:tls';
import ipaddr from 'ipaddr.js';
import { Transient, UserProblem } from '../contract/problem.ts';
import { seconds } from '../contract/time.ts';
import type { UpstreamBase } from './upstream.ts';

/** A source may be silent for this long before the attempt is given up; the next one resumes. */
const SILENCE = seconds(30);

/** Redirects followed in a row. */
const REDIRECTS = 5;

/** How requests to one base are made. */
export interface Transport {
  readonly base: UpstreamBase;
  /** PEM, besides the public authorities. */
  readonly certificateAuthorities: readonly string[];
  /** Only for tests on this machine: allows loopback addresses. */
  readonly isLoopbackAllowed: boolean;
  readonly signal?: AbortSignal;
}

/** An answer whose body has not been read yet. Read it or destroy it. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: IncomingMessage;
  /** After redirects. */
  readonly url: URL;
}

/** Address kinds that no source of a payload has: this machine itself, and the clouds' metadata services. */
const FORBIDDEN_RANGES = new Set([
  'loopback',
  'linkLocal',
  'unspecified',
  'multicast',
  'broadcast',
  'reserved',
]);

/** EC2's metadata service over IPv6, which lies in an otherwise usable range. */
const METADATA_IPV6 = 'fd00:ec2::254';

/** Tells whether an address must not be asked, however its name was written. */
export function isForbiddenAddress(address: string, isLoopbackAllowed: boolean): boolean {
  const parsed = ipaddr.process(address);
  const range = parsed.range();
  if (range === 'loopback' && isLoopbackAllowed) return false;
  return FORBIDDEN_RANGES.has(range) || parsed.toString() === METADATA_IPV6;
}

/**
 * Asks for a URL and follows redirects, to the base's own host and the hosts it names only. Credentials are dropped
 * when the host changes.
 * Throws UserProblem for what must not be asked, Transient for what may work later.
 */
export async function ask(
  transport: Transport,
  start: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  let url = new URL(start);
  let sent: Record<string, string> = { ...headers };
  for (let hop = 0; hop <= REDIRECTS; hop++) {
    assertAllowed(transport, url);
    const answer = await once(transport, url, sent);
    const { location } = answer.headers;
    const status = answer.statusCode ?? 0;
    if (![301, 302, 303, 307, 308].includes(status) || location === undefined) {
      return { status, headers: answer.headers, body: answer, url };
    }
    answer.destroy();
    const next = new URL(location, url);
    if (next.host !== url.host) {
      const { authorization: _, ...rest } = sent;
      sent = rest;
    }
    url = next;
  }
  throw new UserProblem('PAYLOAD-031', `${new URL(start).host} redirected more than ${REDIRECTS} times.`, {
    remedy: 'Correct the base URL of this source.',
  });
}

/** Throws UserProblem unless this URL is https and its host belongs to the base. */
function assertAllowed(transport: Transport, url: URL): void {
  const { base } = transport;
  const allowed = new Set([new URL(base.url).host, ...base.alsoHosts]);
  if (url.protocol !== 'https:') {
    throw new UserProblem('PAYLOAD-032', `${url.host} would be asked by ${url.protocol}//, not https.`, {
      remedy: 'Give an https URL for this source.',
    });
  }
  if (!allowed.has(url.host)) {
    throw new UserProblem(
      'PAYLOAD-033',
      `${new URL(base.url).host} sends to another host, ${url.host}; that is refused.`,
      {
        value: url.host,
        remedy: `If ${url.host} belongs to this source, name it among the hosts the source may hand over to.`,
      },
    );
  }
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(literal) !== 0 && isForbiddenAddress(literal, transport.isLoopbackAllowed))
    throw forbidden(url.host);
}

const forbidden = (host: string): UserProblem =>
  new UserProblem(
    'PAYLOAD-034',
    `${host} is an address of this machine or a metadata service; it is not asked.`,
    {
      value: host,
      remedy: 'Give the name of a real source.',
    },
  );

function once(
  transport: Transport,
  url: URL,
  headers: Readonly<Record<string, string>>,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        headers: { 'user-agent': 'remuda', ...headers },
        ca: [...rootCertificates, ...transport.certificateAuthorities],
        lookup: guardedLookup(url.host, transport.isLoopbackAllowed),
        ...(transport.signal === undefined ? {} : { signal: transport.signal }),
      },
      (answer) => {
        answer.setTimeout(SILENCE, () => answer.destroy(new Error(`silent for ${SILENCE / 1000} s`)));
        resolve(answer);
      },
    );
    sent.setTimeout(SILENCE, () => sent.destroy(new Error(`no answer for ${SILENCE / 1000} s`)));
    sent.on('error', (thrown) => {
      if (thrown instanceof UserProblem || transport.signal?.aborted === true) reject(thrown);
      else reject(new Transient('PAYLOAD-035', `${url.host} could not be asked: ${thrown.message}`));
    });
    sent.end();
  });
}

/** Resolves as usual, and refuses when any answer is forbidden: a name is no way around the rule. */
function guardedLookup(host: string, isLoopbackAllowed: boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0);
      const first = addresses[0];
      if (
        first === undefined ||
        addresses.some((one) => isForbiddenAddress(one.address, isLoopbackAllowed))
      ) {
        return callback(forbidden(host), '', 0);
      }
      if (options.all === true) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}
