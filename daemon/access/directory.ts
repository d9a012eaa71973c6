import type {
  AgentOutgoing,
  DirectoryAccess,
  DirectoryAnswer,
  DirectoryCheck,
} from '../../appliance/agent/protocol/outgoing.ts';
import type { JsonObject } from '../../provisioners/contract/json.ts';
import { Blocked, Problem, type ProblemReport, UserProblem } from '../../provisioners/contract/problem.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { State } from '../state/state.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import {
  configOf,
  destinationOf,
  type DirectorySettings,
  directorySettingsSchema,
} from './directory-settings.ts';
import { plainName } from './distinguished-name.ts';
import { greaterRole, type Role } from './principals.ts';

/** A question that only the agent may put to a server that a user named. */
export type Reach = <Name extends keyof AgentOutgoing>(
  name: Name,
  request: Parameters<AgentOutgoing[Name]>[0],
) => Promise<Awaited<ReturnType<AgentOutgoing[Name]>>>;

/** A directory as it may be shown. */
export interface DirectoryView {
  readonly name: string;
  readonly settings: DirectorySettings;
  readonly principal: string;
  readonly updatedAt: Instant;
}

/** Somebody whom a directory vouches for, and what her groups give her. */
export interface DirectoryPerson {
  /** `user:<login>@<directory>`, the same whatever way the name was typed. */
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly directory: string;
  /** DNs in the form of {@link plainName}. */
  readonly groups: readonly string[];
  readonly role: Role;
  readonly grants: Readonly<Record<string, Role>>;
}

/** What comes of signing in by a directory. */
export type DirectorySignIn =
  | { readonly outcome: 'person'; readonly person: DirectoryPerson }
  /** Unknown, wrong password, or none of the groups that may come in: which of them is not told. */
  | { readonly outcome: 'refused' }
  /** It cannot be asked. Local accounts are not touched by that. */
  | { readonly outcome: 'away'; readonly problem: ProblemReport };

/** What {@link Directories} stands on. */
export interface DirectoriesParts {
  readonly state: State;
  readonly reach: Reach;
  readonly now?: () => number;
}

/** Directories of people. Passwords pass through and are neither kept nor logged. */
export class Directories {
  readonly #state: State;
  readonly #reach: Reach;
  readonly #now: () => number;
  readonly #breakers = new Map<string, CircuitBreaker>();

  constructor({ state, reach, now = Date.now }: DirectoriesParts) {
    this.#state = state;
    this.#reach = reach;
    this.#now = now;
  }

  list(): readonly DirectoryView[] {
    return this.#state.directories.list().map(({ name, config, principal, updatedAt }) => ({
      name,
      settings: directorySettingsSchema.parse(config),
      principal,
      updatedAt,
    }));
  }

  get(name: string): DirectoryView | undefined {
    return this.list().find((directory) => directory.name === name);
  }

  /** Keeps a directory and binds its secret to the server. @throws UserProblem DIRECTORY-031, Blocked DIRECTORY-032 */
  set(name: string, settings: DirectorySettings, principal: string): DirectoryView {
    const { secretRef } = settings.account;
    const secret = this.#state.secrets.get(secretRef);
    if (secret === undefined)
      throw new UserProblem('DIRECTORY-031', `There is no secret named ${secretRef}.`, {
        place: { field: 'account.secretRef' },
        remedy: `Give it with: remuda secret set ${secretRef} --from-file password=FILE`,
      });
    const destination = destinationOf(settings);
    if (secret.destination !== undefined && secret.destination !== destination) throw otherPlace(secretRef);
    this.#state.secrets.bind(secretRef, destination);
    const updatedAt = new Date(this.#now()).toISOString();
    const config = JSON.parse(JSON.stringify(settings)) as JsonObject;
    this.#state.directories.put({ name, title: settings.title, config, principal, updatedAt });
    this.#breakers.delete(name);
    return { name, settings, principal, updatedAt };
  }

  /** Answers whether there was one. */
  remove(name: string): boolean {
    this.#breakers.delete(name);
    return this.#state.directories.remove(name);
  }

  /** Walks the way of a sign-in with nobody's name; also while it is not asked otherwise. Undefined = no such directory. */
  async test(name: string): Promise<DirectoryCheck | undefined> {
    const view = this.get(name);
    if (view === undefined) return undefined;
    try {
      return await this.#reach('directory.test', this.#accessTo(view.settings));
    } catch (error) {
      return { isReachable: false, problem: problemOf(error) };
    }
  }

  /** Whether this directory vouches for name and password. Answers at once when it has been away for a while. */
  async authenticate(directory: string, name: string, password: string): Promise<DirectorySignIn> {
    const record = this.#state.directories.get(directory);
    // An empty password would bind anonymously (RFC 4513 §5.1.2): it goes nowhere, not even to the agent.
    if (record === undefined || password === '' || name === '') return { outcome: 'refused' };
    const settings = directorySettingsSchema.parse(record.config);
    const answer = await this.#ask(directory, settings, name, password);
    if (answer.outcome !== 'person') return answer;
    const person = this.#personOf(directory, settings, answer);
    return person === undefined ? { outcome: 'refused' } : { outcome: 'person', person };
  }

  async #ask(
    directory: string,
    settings: DirectorySettings,
    name: string,
    password: string,
  ): Promise<DirectoryAnswer> {
    const breaker = this.#breakers.get(directory) ?? new CircuitBreaker(this.#now);
    this.#breakers.set(directory, breaker);
    if (breaker.isOpen) return { outcome: 'away', problem: stillAway(directory) };
    try {
      const access = this.#accessTo(settings);
      return await breaker.run(
        () => this.#reach('directory.authenticate', { ...access, name, password }),
        ({ outcome }) => outcome === 'away',
      );
    } catch (error) {
      return { outcome: 'away', problem: problemOf(error) };
    }
  }

  #accessTo(settings: DirectorySettings): DirectoryAccess {
    const { secretRef } = settings.account;
    const secret = this.#state.secrets.get(secretRef);
    // Given anew since: it may go to this server only if nobody bound it elsewhere.
    if (secret === undefined || (secret.destination ?? destinationOf(settings)) !== destinationOf(settings))
      throw otherPlace(secretRef);
    return { config: configOf(settings), secret: secret.sealed };
  }

  #personOf(
    directory: string,
    settings: DirectorySettings,
    answer: Extract<DirectoryAnswer, { readonly outcome: 'person' }>,
  ): DirectoryPerson | undefined {
    const groups = [...new Set(answer.groups.map(plainName))].sort();
    const given = settings.roles.filter(({ group }) => groups.includes(plainName(group)));
    // A cluster's administrator may have let a whole group in.
    const isLetIn = given.length > 0 || this.#state.grants.ofPrincipal('', groups).length > 0;
    if (!isLetIn && settings.admit === 'mapped') return undefined;
    let role: Role = 'user';
    const grants: Record<string, Role> = {};
    for (const { role: next, cluster } of given) {
      if (cluster === undefined) role = greaterRole(role, next);
      else grants[cluster] = greaterRole(grants[cluster] ?? 'user', next);
    }
    const name = plainLogin(answer.login);
    return {
      id: `user:${name}@${directory}`,
      name,
      displayName: answer.displayName,
      directory,
      groups,
      role,
      grants,
    };
  }
}

/** Directories compare names without case; what is no letter, digit, dot or dash is written as in a URL. */
const plainLogin = (login: string): string =>
  encodeURIComponent(login.toWellFormed().trim().toLowerCase().normalize('NFC')).replaceAll(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16)}`,
  );

const otherPlace = (secret: string): Blocked =>
  new Blocked('DIRECTORY-032', `The secret ${secret} was not given for this server.`, {
    remedy: `Give it anew, as a sign that the server may have it: remuda secret set ${secret} --from-file password=FILE`,
  });

const stillAway = (directory: string): ProblemReport => ({
  kind: 'transient',
  code: 'DIRECTORY-033',
  summary: `The directory ${directory} did not answer just now, and is not asked again for half a minute.`,
  remedy: 'Sign in with a local account meanwhile, or look what `remuda directory test` says.',
});

/** The agent may be away, or be older than this question. */
function problemOf(error: unknown): ProblemReport {
  if (error instanceof Problem && error.report.kind !== 'fault') return error.report;
  return {
    kind: 'transient',
    code: 'DIRECTORY-034',
    summary: 'The agent could not ask the directory.',
    remedy: 'See that the agent runs, and is of the release of the daemon.',
  };
}
