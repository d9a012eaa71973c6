import { createHmac, timingSafeEqual } from 'node:crypto';
import { UserProblem } from '../../../provisioners/contract/problem.ts';

/** One line of a file of known hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
interface KnownHost {
  readonly isRevoked: boolean;
  readonly matches: (host: string) => boolean;
  /** `type base64`, without the comment. */
  readonly key: string;
}

/** What a file of known hosts says of one machine, by all the names it goes by. */
export interface ExpectedKeys {
  readonly accepted: readonly string[];
  /** Marked `@revoked`: never to be believed. */
  readonly revoked: readonly string[];
}

/** The host keys that somebody vouched for before anything was connected. */
export type KnownHosts = (names: readonly string[], port: number) => ExpectedKeys;

/** `|1|salt|hash`: HMAC-SHA1 of the name, as `HashKnownHosts` writes it (OpenSSH, hostfile.c). */
function hashedName(pattern: string): ((host: string) => boolean) | undefined {
  const [, version, salt, hash] = pattern.split('|');
  if (version !== '1' || salt === undefined || hash === undefined) return undefined;
  const wanted = Buffer.from(hash, 'base64');
  return (host) => {
    const found = createHmac('sha1', Buffer.from(salt, 'base64')).update(host).digest();
    return found.length === wanted.length && timingSafeEqual(found, wanted);
  };
}

/** `*` stands for any text and `?` for one sign (ssh_config(5), PATTERNS); names are compared in lower case. */
function patternOf(text: string): RegExp {
  const escaped = text.toLowerCase().replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'u');
}

/** A list of patterns; one that begins with `!` and fits takes the host out, whatever else fits. */
function listedNames(list: string): (host: string) => boolean {
  const patterns = list.split(',').filter((one) => one !== '');
  const denied = patterns.filter((one) => one.startsWith('!')).map((one) => patternOf(one.slice(1)));
  const wanted = patterns.filter((one) => !one.startsWith('!')).map(patternOf);
  return (host) => {
    const name = host.toLowerCase();
    return wanted.some((one) => one.test(name)) && !denied.some((one) => one.test(name));
  };
}

/** What a line says; undefined for an empty one, a comment, an authority's, and what OpenSSH would pass over too. */
function readLine(line: string): KnownHost | undefined {
  const text = line.trim();
  if (text === '' || text.startsWith('#')) return undefined;
  const [first = '', ...others] = text.split(/\s+/);
  const isMarked = first.startsWith('@');
  // A certificate of a host is not what is pinned, so its authority vouches for nothing here.
  if (isMarked && first !== '@revoked') return undefined;
  const [hosts = '', type = '', key = ''] = isMarked ? others : [first, ...others];
  if (!/^(?:sk-)?(?:ssh|ecdsa)-[\w@.-]+$/.test(type) || !/^[A-Za-z0-9+/]+={0,2}$/.test(key)) return undefined;
  const matches = hosts.startsWith('|') ? hashedName(hosts) : listedNames(hosts);
  return matches === undefined ? undefined : { isRevoked: isMarked, matches, key: `${type} ${key}` };
}

/**
 * Reads a file of known hosts as OpenSSH writes it: hashed names, patterns, other ports, several keys a host.
 * @throws UserProblem ADOPT-014 when there is no host key in it
 */
export function parseKnownHosts(text: string): KnownHosts {
  const lines = text.split('\n').flatMap((line) => readLine(line) ?? []);
  if (lines.length === 0)
    throw new UserProblem('ADOPT-014', 'the file of known hosts holds no host key', {
      remedy:
        'Give lines as in ~/.ssh/known_hosts: ADDRESS TYPE KEY. "ssh-keyscan ADDRESS" prints them; compare what it prints with the machine itself.',
    });
  return (names, port) => {
    // As OpenSSH writes and looks for it (sshconnect.c): with another port, the name stands in brackets.
    const asked = names.map((name) => (port === 22 ? name : `[${name}]:${port}`));
    const fitting = lines.filter(({ matches }) => asked.some((name) => matches(name)));
    const keysOf = (isRevoked: boolean): string[] =>
      fitting.filter((one) => one.isRevoked === isRevoked).map(({ key }) => key);
    return { accepted: keysOf(false), revoked: keysOf(true) };
  };
}
