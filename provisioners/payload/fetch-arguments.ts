import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { UserProblem } from '../contract/problem.ts';
import { PUBLIC_UPSTREAM, type UpstreamBase, type UpstreamSources } from './upstream.ts';

/** What to fetch and from where, as a command line and its environment say it. */
export interface FetchArguments {
  readonly version: string;
  readonly sources: UpstreamSources;
}

const BASES = ['kubernetes', 'github', 'registry'] as const;
type Base = (typeof BASES)[number];

/**
 * Reads `VERSION [--kubernetes URL] [--github URL] [--registry URL] [--also-host SOURCE=HOST…] [--authority FILE]`;
 * what is not given comes from `REMUDA_PAYLOAD_…`, then from upstream's public places.
 * Throws UserProblem PAYLOAD-046 for what cannot be understood.
 */
export async function fetchArguments(
  given: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<FetchArguments> {
  const { values, positionals } = parse(given);
  const [version, ...surplus] = positionals;
  if (version === undefined || surplus.length > 0)
    throw misunderstood(positionals.join(' '), 'exactly one version is wanted, for example v1.37.1');
  const of = (name: string): string | undefined => environment[`REMUDA_PAYLOAD_${name}`] || undefined;
  const hosts = values['also-host'] ?? of('ALSO_HOSTS')?.split(',') ?? [];
  const named = hosts.map(alsoHost);
  const base = (name: Base): UpstreamBase => {
    const url = values[name] ?? of(name.toUpperCase());
    const extra = named.filter((one) => one.base === name).map((one) => one.host);
    // A mirror's hosts are its own: upstream's are not allowed for it.
    return url === undefined
      ? { ...PUBLIC_UPSTREAM[name], alsoHosts: [...PUBLIC_UPSTREAM[name].alsoHosts, ...extra] }
      : { url: baseUrl(url), alsoHosts: extra };
  };
  const authority = values.authority ?? of('AUTHORITY');
  const sources = { kubernetes: base('kubernetes'), github: base('github'), registry: base('registry') };
  if (authority === undefined) return { version, sources };
  return { version, sources: { ...sources, certificateAuthorities: [await readAuthority(authority)] } };
}

function parse(given: readonly string[]) {
  try {
    return parseArgs({
      args: [...given],
      allowPositionals: true,
      options: {
        kubernetes: { type: 'string' },
        github: { type: 'string' },
        registry: { type: 'string' },
        'also-host': { type: 'string', multiple: true },
        authority: { type: 'string' },
      },
    });
  } catch (thrown) {
    throw misunderstood(given.join(' '), thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function alsoHost(text: string): { readonly base: Base; readonly host: string } {
  const [name, host] = text.trim().split('=');
  const base = BASES.find((one) => one === name);
  if (base === undefined || host === undefined || !/^[A-Za-z0-9.-]+(:\d+)?$/.test(host))
    throw misunderstood(text, `a further host is written SOURCE=HOST, SOURCE one of ${BASES.join(', ')}`);
  return { base, host };
}

function baseUrl(text: string): string {
  const url = URL.parse(text);
  if (
    url === null ||
    url.protocol !== 'https:' ||
    url.username !== '' ||
    url.search !== '' ||
    url.hash !== ''
  )
    throw misunderstood(url?.username ? 'a URL with a password' : text, 'a source is https://HOST[/prefix]');
  return text.replace(/\/+$/, '');
}

async function readAuthority(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    throw misunderstood(file, 'the authority is no file that can be read');
  }
}

const misunderstood = (value: string, why: string): UserProblem =>
  new UserProblem('PAYLOAD-046', `The fetch cannot be understood: ${why}.`, {
    value,
    remedy: "Correct it; 'scripts/payload help' lists the options.",
  });
