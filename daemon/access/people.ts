import type { Principal as PrincipalRecord } from '../state/principals.ts';
import type { UserRecord } from '../state/users.ts';
import type { BrowserSessions } from './browser-sessions.ts';
import type { DirectoryPerson } from './directory.ts';
import type { IdentityRecords } from './identities.ts';
import type { Passwords } from './passwords.ts';
import { type Role, roleFrom } from './principals.ts';
import { AccessRefusal } from './refusal.ts';
import type { ServerSetup } from './server-setup.ts';
import { drawTypedCode, hashTypedCode } from './typed-codes.ts';

/** An invitation that nobody used is worth nothing after three days. */
const invitationFor = 3 * 24 * 60 * 60_000;

/** A person with everything that is kept of her. */
export interface Person {
  readonly record: PrincipalRecord;
  readonly user: UserRecord;
}

/** What can be changed of a person; what is absent stays. */
export interface PersonChange {
  readonly role?: Role;
  readonly isDisabled?: boolean;
}

/** A code with which a person chooses her own password. */
export interface Invitation {
  readonly code: string;
  readonly expiresAt: string;
}

/** What {@link People} stands on. */
export interface PeopleParts {
  readonly records: IdentityRecords;
  readonly passwords: Passwords;
  readonly sessions: BrowserSessions;
  readonly setup: ServerSetup;
  readonly now?: () => number;
}

/** The people of this server: local accounts, and those that a directory has sent. */
export class People {
  readonly #parts: PeopleParts;
  readonly #now: () => number;

  constructor(parts: PeopleParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
  }

  /** By name. */
  list(): readonly Person[] {
    const { principals, users } = this.#parts.records;
    const byId = new Map(users.list().map((user) => [user.principal, user]));
    return principals.list().flatMap((record) => {
      const user = record.kind === 'person' ? byId.get(record.id) : undefined;
      return user ? [{ record, user }] : [];
    });
  }

  /** By name; people of a directory are `alice@corp`. */
  find(name: string): Person | undefined {
    const { principals, users } = this.#parts.records;
    const record = principals.find('person', name);
    const user = record && users.get(record.id);
    return user && { record, user };
  }

  /** @throws AccessRefusal API-006 when there is no such person. */
  get(name: string): Person {
    const person = this.find(name);
    if (person) return person;
    throw new AccessRefusal('not-found', 'API-006', `there is no user "${name}"`, {
      remedy: 'See who there is: remuda user list',
    });
  }

  /** Whether nobody local would be left who may do everything. */
  isLastAdministrator({ record }: Person): boolean {
    const able = this.list().filter((person) => isAbleAdministrator(person));
    return able.length === 1 && able[0]?.record.id === record.id;
  }

  /**
   * Adds a person, with a password or with an invitation. The first administrator with a password claims the server.
   * @throws AccessRefusal ACCESS-014 when the name is taken.
   */
  async add(request: {
    readonly name: string;
    readonly role: Role;
    readonly password?: string;
  }): Promise<Invitation | undefined> {
    const { name, role, password } = request;
    this.#refuseTaken(name);
    if (password === undefined) {
      this.#insert(name, role, undefined);
      return this.invite(name);
    }
    const hash = await this.#parts.passwords.hash(password);
    this.#refuseTaken(name);
    if (role === 'admin' && this.#parts.setup.claimedAt === undefined)
      this.#parts.setup.claim(this.#instant(), () => this.#insert(name, role, hash));
    else this.#insert(name, role, hash);
    return undefined;
  }

  /** The first administrator. @throws AccessRefusal ACCESS-010 when somebody was first. */
  async claim(name: string, password: string): Promise<Person> {
    const hash = await this.#parts.passwords.hash(password);
    this.#parts.setup.claim(this.#instant(), () => this.#insert(name, 'admin', hash));
    return this.get(name);
  }

  /** A new invitation; what opens the account now goes on doing so until it is used. */
  invite(name: string): Invitation {
    const { user } = this.#local(name);
    const code = drawTypedCode();
    const expiresAt = this.#instant(invitationFor);
    this.#parts.records.users.put({
      ...user,
      invitation: hashTypedCode(code),
      invitationEndsAt: expiresAt,
    });
    return { code, expiresAt };
  }

  /**
   * Uses an invitation up: the password is new, the second factor is gone, sessions and known devices end.
   * @throws AccessRefusal ACCESS-016 when it is unknown, used or expired.
   */
  async accept(code: string, password: string): Promise<Person> {
    const hash = hashTypedCode(code);
    this.#invited(hash);
    const kept = await this.#parts.passwords.hash(password);
    const { invitation: _, invitationEndsAt: __, factor: ___, ...user } = this.#invited(hash);
    const { users, principals } = this.#parts.records;
    const change = (): void =>
      users.put({
        ...user,
        password: kept,
        isFactorConfirmed: false,
        recovery: [],
        deviceEpoch: user.deviceEpoch + 1,
      });
    const isAdministrator = principals.get(user.principal)?.roles.includes('admin') === true;
    if (isAdministrator && this.#parts.setup.claimedAt === undefined)
      this.#parts.setup.claim(this.#instant(), change);
    else change();
    this.#parts.sessions.endAll(user.principal);
    return this.get(principals.get(user.principal)?.name ?? '');
  }

  /** A new password for a local person; known devices are forgotten. */
  async setPassword(name: string, password: string): Promise<void> {
    this.#local(name);
    const kept = await this.#parts.passwords.hash(password);
    const { user } = this.#local(name);
    this.#parts.records.users.put({ ...user, password: kept, deviceEpoch: user.deviceEpoch + 1 });
  }

  /** @throws AccessRefusal ACCESS-013 when nobody local would be left who may do everything. */
  change(name: string, change: PersonChange): void {
    const person = this.get(name);
    const { record, user } = person;
    const { role, isDisabled } = change;
    const isLess = (role !== undefined && role !== 'admin') || isDisabled === true;
    if (isLess && this.isLastAdministrator(person)) throw lastAdministrator(name);
    if (role !== undefined && user.directory !== undefined)
      throw new AccessRefusal('invalid', 'ACCESS-015', `${name} has her role from the directory`, {
        remedy: 'Change the mapping of groups to roles, or grant a role in a cluster.',
      });
    const { principals } = this.#parts.records;
    if (role !== undefined) principals.setRoles(record.id, [role]);
    if (isDisabled !== undefined) principals.disable(record.id, isDisabled ? this.#instant() : undefined);
    // With other rights goes another session (OWASP: renew the session id after any privilege change).
    if (role !== undefined || isDisabled === true) this.#parts.sessions.endAll(record.id);
  }

  /** @throws AccessRefusal ACCESS-013 when nobody local would be left who may do everything. */
  remove(name: string): void {
    const person = this.get(name);
    if (this.isLastAdministrator(person)) throw lastAdministrator(name);
    this.#parts.sessions.endAll(person.record.id);
    this.#parts.records.principals.remove(person.record.id);
  }

  /** Keeps what a directory said of somebody at her sign-in. */
  keepDirectoryPerson({ id, name: login, directory, role, groups, grants }: DirectoryPerson): Person {
    const { principals, users } = this.#parts.records;
    const name = `${login}@${directory}`;
    const known = this.find(name);
    if (!known) principals.add({ ...personRecord(name, role, this.#instant()), id });
    users.put({ ...(known?.user ?? newUser(id)), directory, groups, grants });
    if (known && roleFrom(known.record.roles) !== role) {
      principals.setRoles(id, [role]);
      this.#parts.sessions.endAll(id);
    }
    return this.get(name);
  }

  #insert(name: string, role: Role, password: string | undefined): void {
    const { principals, users } = this.#parts.records;
    principals.add(personRecord(name, role, this.#instant()));
    users.put({ ...newUser(`user:${name}`), ...(password === undefined ? {} : { password }) });
  }

  #invited(hash: string): UserRecord {
    const user = this.#parts.records.users.findInvitation(hash);
    if (user && Date.parse(user.invitationEndsAt ?? '') > this.#now()) return user;
    throw new AccessRefusal('unauthenticated', 'ACCESS-016', 'this invitation is unknown, used or expired', {
      remedy: 'Ask an administrator for a new one.',
    });
  }

  #local(name: string): Person {
    const person = this.get(name);
    if (person.user.directory === undefined) return person;
    throw new AccessRefusal('invalid', 'ACCESS-015', `${name} signs in with the directory's password`, {
      remedy: 'Change it there.',
    });
  }

  #refuseTaken(name: string): void {
    if (!this.find(name)) return;
    throw new AccessRefusal('conflict', 'ACCESS-014', `there is already a user "${name}"`, {
      remedy: 'Choose another name, or change that one.',
    });
  }

  #instant(offset = 0): string {
    return new Date(this.#now() + offset).toISOString();
  }
}

const newUser = (principal: string): UserRecord => ({
  principal,
  groups: [],
  grants: {},
  isFactorConfirmed: false,
  factorStep: 0,
  recovery: [],
  deviceEpoch: 1,
});

const personRecord = (name: string, role: Role, createdAt: string): PrincipalRecord => ({
  id: `user:${name}`,
  name,
  kind: 'person',
  roles: [role],
  createdAt,
});

/** Somebody who gets in whatever happens to directories. */
const isAbleAdministrator = ({ record, user }: Person): boolean =>
  roleFrom(record.roles) === 'admin' &&
  record.disabledAt === undefined &&
  user.directory === undefined &&
  user.password !== undefined;

const lastAdministrator = (name: string): AccessRefusal =>
  new AccessRefusal('conflict', 'ACCESS-013', `${name} is the last administrator who can sign in here`, {
    remedy: 'Make somebody else a local administrator first, and let her sign in.',
  });
