import {
  AndFilter,
  type Entry,
  EqualityFilter,
  ExtensibleFilter,
  type Filter,
  FilterParser,
  OrFilter,
} from 'ldapts';
import { UserProblem } from '../../../provisioners/contract/problem.ts';
import type { DirectoryConfig } from '../protocol/outgoing.ts';
import type { DirectorySession } from './session.ts';

/** What is asked of a directory here. */
type Searching = Pick<DirectorySession, 'search'>;

/** LDAP_MATCHING_RULE_IN_CHAIN of Active Directory (MS-ADTS §3.1.1.3.4.4.3). */
const inChain = '1.2.840.113556.1.4.1941';

/** How far groups in groups are followed, and how many one person may have; whoever has more gets no more roles by them. */
const mostLevels = 10;
const mostGroups = 1000;
/** Groups asked about in one search. */
const batch = 50;

/** DNs of every group a person is in, by way of other groups too. Circles among groups end by themselves. */
export async function groupsOf(
  session: Searching,
  config: DirectoryConfig,
  person: string,
): Promise<readonly string[]> {
  const found = new Map<string, string>();
  let level: readonly string[] = [person];
  for (let depth = 0; level.length > 0 && depth < mostLevels && found.size < mostGroups; depth += 1) {
    const above = await groupsAbove(session, config, level);
    const fresh = above.filter((dn) => !found.has(dn.toLowerCase()));
    for (const dn of fresh) if (found.size < mostGroups) found.set(dn.toLowerCase(), dn);
    level = config.groups.nesting === 'inChain' ? [] : [...new Set(fresh)];
  }
  return [...found.values()];
}

/** The groups in which any of these entries is named itself. */
async function groupsAbove(
  session: Searching,
  config: DirectoryConfig,
  members: readonly string[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (let start = 0; start < members.length; start += batch) {
    const some = members.slice(start, start + batch);
    found.push(
      ...(config.groups.nesting === 'memberOf'
        ? await heldBy(session, config, some)
        : await naming(session, config, some)),
    );
  }
  return found;
}

/** Groups whose member attribute names one of them. */
async function naming(
  session: Searching,
  { groups }: DirectoryConfig,
  members: readonly string[],
): Promise<readonly string[]> {
  const named = members.map((member) =>
    groups.nesting === 'inChain'
      ? new ExtensibleFilter({ matchType: groups.member, rule: inChain, value: member })
      : new EqualityFilter({ attribute: groups.member, value: member }),
  );
  const entries = await session.search(groups.base, {
    scope: 'sub',
    filter: new AndFilter({ filters: [filterOf(groups.filter), new OrFilter({ filters: named })] }),
    attributes: ['1.1'],
    sizeLimit: mostGroups,
  });
  return entries.map((entry) => entry.dn);
}

/** What the attribute `memberOf` of the entries says; only groups below the base count. */
async function heldBy(
  session: Searching,
  { groups }: DirectoryConfig,
  members: readonly string[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const member of members) {
    const [entry] = await session
      .search(member, { scope: 'base', attributes: ['memberOf'], sizeLimit: 1 })
      .catch(nothingIfGone);
    found.push(...(entry === undefined ? [] : valuesOf(entry, 'memberOf')));
  }
  const base = plainOf(groups.base);
  return found.filter((dn) => plainOf(dn).endsWith(`,${base}`));
}

/** A group that is named and gone, as directories without referential integrity leave them, holds nobody. */
function nothingIfGone(error: unknown): readonly Entry[] {
  if (error instanceof UserProblem && error.report.code === 'DIRECTORY-003') return [];
  throw error;
}

/** A DN for comparing its end: without the spaces that RFC 4514 allows around commas, in one case. */
const plainOf = (dn: string): string => dn.replaceAll(/\s*,\s*/g, ',').toLowerCase();

/** All values of an attribute as text. */
export function valuesOf(entry: Entry, attribute: string): readonly string[] {
  const key = Object.keys(entry).find((name) => name.toLowerCase() === attribute.toLowerCase());
  const value = key === undefined ? undefined : entry[key];
  const list = Array.isArray(value) ? value : [value];
  return list.flatMap((one) => (typeof one === 'string' && one !== '' ? [one] : []));
}

/** A filter that an administrator wrote. @throws UserProblem DIRECTORY-002 */
export function filterOf(text: string): Filter {
  try {
    return FilterParser.parseString(text);
  } catch {
    throw new UserProblem('DIRECTORY-002', 'This is not an LDAP filter.', {
      value: text,
      remedy: 'Write it as RFC 4515 says, for example (objectClass=person).',
    });
  }
}
