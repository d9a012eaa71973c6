import { randomUUID } from 'node:crypto';
import { AndFilter, type Entry, EqualityFilter } from 'ldapts';
import { z } from 'zod';
import { Blocked, Problem, reportOf, UserProblem } from '../../../provisioners/contract/problem.ts';
import type { Reach } from '../outgoing/address.ts';
import type {
  AgentOutgoing,
  DirectoryAccess,
  DirectoryAnswer,
  DirectoryCheck,
  DirectoryConfig,
} from '../protocol/outgoing.ts';
import { open } from '../sealing.ts';
import { filterOf, groupsOf, valuesOf } from './groups.ts';
import { DirectorySession } from './session.ts';

const usualPatience = 8000;

/** Longest name and password that are taken to a directory, characters. */
const longestName = 256;
const longestPassword = 1024;

/** Characters that no name has: a NUL ends names in some servers, others hide in logs. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const control = /[\u0000-\u001f\u007f]/u;

/** What asking directories needs. */
export interface DirectoryParts {
  /** The agent's age identity. */
  readonly identity: string;
  readonly reach: Reach;
  /** Longest time for everything that one sign-in asks, milliseconds. Default 8 s: a person waits. */
  readonly patience?: number;
}

/** The questions about directories. Names and passwords are kept and logged nowhere. */
export function createDirectoryQuestions(
  parts: DirectoryParts,
): Pick<AgentOutgoing, 'directory.test' | 'directory.authenticate'> {
  return {
    'directory.test': (access) => check(parts, access),
    'directory.authenticate': ({ name, password, ...access }) => authenticate(parts, access, name, password),
  };
}

async function check(parts: DirectoryParts, access: DirectoryAccess): Promise<DirectoryCheck> {
  let isReachable = false;
  try {
    const { config } = access;
    const signal = AbortSignal.timeout(parts.patience ?? usualPatience);
    using session = await DirectorySession.open(config, parts.reach, signal);
    isReachable = true;
    await signIn(parts, session, access);
    // The first entry is enough: the bases and the filters are right.
    const look = (base: string, filter: string): ReturnType<DirectorySession['search']> =>
      session.search(base, { scope: 'sub', filter: filterOf(filter), attributes: ['1.1'], sizeLimit: 1 });
    if ((await look(config.people.base, config.people.filter)).length === 0) throw nobody(config);
    await look(config.groups.base, config.groups.filter);
    return { isReachable };
  } catch (error) {
    return { isReachable, problem: problemOf(error) };
  }
}

async function authenticate(
  parts: DirectoryParts,
  access: DirectoryAccess,
  name: string,
  password: string,
): Promise<DirectoryAnswer> {
  // Before anything is opened: an empty password would be an anonymous bind, which succeeds (RFC 4513 §5.1.2).
  if (!isPlausible(name, longestName) || password === '' || password.length > longestPassword)
    return { outcome: 'refused' };
  try {
    const { config } = access;
    const signal = AbortSignal.timeout(parts.patience ?? usualPatience);
    using session = await DirectorySession.open(config, parts.reach, signal);
    await signIn(parts, session, access);
    const person = await find(session, config, name);
    using own = await DirectorySession.open(config, parts.reach, signal);
    // Somebody unknown costs the directory and the caller the same round trips as somebody known.
    const dn = person?.dn ?? `cn=${randomUUID()},${config.people.base}`;
    const isOwner = await own.isPassword(dn, password);
    if (!isOwner || person === undefined) return { outcome: 'refused' };
    const [login = name] = valuesOf(person, config.people.login);
    const [displayName = login] = valuesOf(person, config.people.displayName);
    return {
      outcome: 'person',
      login,
      displayName,
      groups: await groupsOf(session, config, person.dn),
    };
  } catch (error) {
    return { outcome: 'away', problem: problemOf(error) };
  }
}

/** Binds as the account that searches. */
async function signIn(
  { identity }: DirectoryParts,
  session: DirectorySession,
  { config, secret }: DirectoryAccess,
): Promise<void> {
  const data = z
    .looseObject({ password: z.string().optional() })
    .parse(JSON.parse(await open(identity, secret, 'the secret of the directory')));
  if (data.password === undefined || data.password === '')
    throw new UserProblem('DIRECTORY-007', 'The secret of the directory has no key named password.', {
      remedy: 'Give it anew with `remuda secret set`, with the key password.',
    });
  if (await session.isPassword(config.account, data.password)) return;
  throw new Blocked('DIRECTORY-008', 'The directory does not let the account in that searches.', {
    remedy: 'Look whether its DN and its password are right, and whether it is locked or has expired.',
  });
}

/** The one person of this name; undefined for none, and for several, of whom nobody could say who is meant. */
async function find(
  session: DirectorySession,
  { people }: DirectoryConfig,
  name: string,
): Promise<Entry | undefined> {
  // The name is a value of its own in the request, never part of a text that is parsed: there is nothing to escape from.
  const isNamed = new EqualityFilter({ attribute: people.login, value: name });
  const found = await session.search(people.base, {
    scope: 'sub',
    filter: new AndFilter({ filters: [filterOf(people.filter), isNamed] }),
    attributes: [people.login, people.displayName],
    sizeLimit: 2,
  });
  return found.length === 1 ? found[0] : undefined;
}

const isPlausible = (text: string, longest: number): boolean =>
  text.trim() !== '' && text.length <= longest && !control.test(text);

const nobody = (config: DirectoryConfig): UserProblem =>
  new UserProblem(
    'DIRECTORY-009',
    `Nobody stands below ${config.people.base} whom the filter lets through.`,
    {
      remedy: 'Check base and filter of people, and whether the account that searches may read them.',
    },
  );

/** What is no problem of ours to explain is told without its text: it may repeat what was sent. */
function problemOf(error: unknown): ReturnType<typeof reportOf> {
  if (error instanceof Problem) return error.report;
  return reportOf(new Error('a directory could not be asked'), 'directory');
}
