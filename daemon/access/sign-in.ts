import { Transient } from '../../provisioners/contract/problem.ts';
import type { UserRecord } from '../state/users.ts';
import type { BrowserSessions, NewSession } from './browser-sessions.ts';
import type { KnownDevices } from './devices.ts';
import type { Directories } from './directory.ts';
import type { Identities, IdentityRecords } from './identities.ts';
import type { Passwords } from './passwords.ts';
import type { People, Person } from './people.ts';
import { AccessRefusal, wrongSignIn } from './refusal.ts';
import type { SecondFactors } from './second-factor.ts';
import type { ServerSetup } from './server-setup.ts';
import type { SignInLimits } from './sign-in-limits.ts';

/** What somebody typed. */
export interface Credentials {
  readonly name: string;
  readonly password: string;
  /** One-time or recovery code. */
  readonly code?: string;
  readonly directory?: string;
}

/** Where a request comes from. */
export interface Knocking {
  readonly address: string;
  readonly browser: string;
  /** Value of the device cookie. */
  readonly device: string | undefined;
}

/** Somebody who is in. */
export interface SignedIn {
  readonly session: NewSession;
  /** Value for the device cookie. */
  readonly device: string;
  readonly hasSecondFactor: boolean;
}

/** What {@link SignIn} stands on. */
export interface SignInParts {
  readonly records: IdentityRecords;
  readonly identities: Identities;
  readonly passwords: Passwords;
  readonly limits: SignInLimits;
  readonly factors: SecondFactors;
  readonly devices: KnownDevices;
  readonly sessions: BrowserSessions;
  readonly people: People;
  readonly setup: ServerSetup;
  readonly directories: Pick<Directories, 'authenticate'>;
  readonly now?: () => number;
}

/** The ways in for people: claim, invitation, password with second factor, directory. */
export class SignIn {
  readonly #parts: SignInParts;

  constructor(parts: SignInParts) {
    this.#parts = parts;
  }

  /** Id of whom a sign-in is about when she is known, else `unknown`: what was typed may be a mistyped password. */
  knownName({ name, directory }: Pick<Credentials, 'name' | 'directory'>): string {
    return this.#parts.people.find(accountOf(name, directory))?.record.id ?? 'unknown';
  }

  /** Makes the first administrator. @throws AccessRefusal ACCESS-009, ACCESS-010, ACCESS-011. */
  async claim(
    request: { readonly code: string; readonly name: string; readonly password: string },
    from: Knocking,
  ): Promise<SignedIn> {
    const { setup, limits, people } = this.#parts;
    setup.refuseWhenClaimed();
    limits.admitCode('setup');
    if (!setup.isRight(request.code))
      throw new AccessRefusal('unauthenticated', 'ACCESS-011', 'this is not the set-up code', {
        remedy: 'scripts/up prints it; on the server: remuda setup-code makes a new one.',
      });
    return this.#welcome(await people.claim(request.name, request.password), from);
  }

  /** Uses an invitation. @throws AccessRefusal ACCESS-009, ACCESS-016. */
  async accept(
    request: { readonly code: string; readonly password: string },
    from: Knocking,
  ): Promise<SignedIn> {
    this.#parts.limits.admitCode('invitation');
    return this.#welcome(await this.#parts.people.accept(request.code, request.password), from);
  }

  /**
   * Name and password, and the second factor of those who have one.
   * @throws AccessRefusal ACCESS-007, ACCESS-008, ACCESS-009; Problem (transient) when a directory is away.
   */
  async signIn(request: Credentials, from: Knocking): Promise<SignedIn> {
    const { limits, devices, people } = this.#parts;
    const account = accountOf(request.name, request.directory);
    const device = devices.idOf(from.device, people.find(account)?.user);
    limits.admit(account, { address: from.address, device });
    const person =
      request.directory === undefined
        ? await this.#local(account, request.password, device !== undefined)
        : await this.#ofDirectory(request, request.directory).catch((error: unknown) => {
            if (error instanceof Transient) limits.giveBack({ address: from.address, device });
            throw error;
          });
    // Also those who are disabled: they learn no more than strangers.
    if (!person || person.record.disabledAt !== undefined) {
      limits.failed(account);
      throw wrongSignIn();
    }
    if (person.user.isFactorConfirmed) this.#takeFactor(account, person.user, request.code);
    limits.succeeded(account);
    return this.#welcome(person, from);
  }

  /** Whether it is the password of a local person; counted like a sign-in. @throws AccessRefusal ACCESS-007, -009. */
  async confirm(name: string, password: string, from: Knocking): Promise<void> {
    const { limits, devices, people } = this.#parts;
    const device = devices.idOf(from.device, people.find(name)?.user);
    limits.admit(name, { address: from.address, device });
    if (await this.#local(name, password, device !== undefined)) return;
    limits.failed(name);
    throw wrongSignIn();
  }

  async #local(name: string, password: string, isKnownDevice: boolean): Promise<Person | undefined> {
    const { people, passwords } = this.#parts;
    const kept = people.find(name)?.user.password;
    const isRight = await passwords.isRight(password, kept, isKnownDevice);
    // Read again: it may have been changed while the hash was made.
    const person = people.find(name);
    return isRight && person?.user.password === kept ? person : undefined;
  }

  async #ofDirectory(request: Credentials, directory: string): Promise<Person | undefined> {
    const { directories, people } = this.#parts;
    const answer = await directories.authenticate(directory, request.name.trim(), request.password);
    if (answer.outcome === 'away') {
      const { kind: _, code, summary, ...details } = answer.problem;
      throw new Transient(code, summary, details);
    }
    return answer.outcome === 'person' ? people.keepDirectoryPerson(answer.person) : undefined;
  }

  #takeFactor(account: string, user: UserRecord, code: string | undefined): void {
    const { factors, records, limits } = this.#parts;
    if (code === undefined) throw factorNeeded('a second factor is needed');
    const factorStep = factors.stepOf(user, code);
    const recovery = factorStep === undefined ? factors.useRecovery(user, code) : undefined;
    if (factorStep === undefined && recovery === undefined) {
      limits.failed(account);
      throw factorNeeded('the code is not right, or it was used before');
    }
    records.users.put({
      ...user,
      ...(factorStep === undefined ? {} : { factorStep }),
      ...(recovery === undefined ? {} : { recovery }),
    });
  }

  #welcome({ record }: Person, from: Knocking): SignedIn {
    const { identities, records, sessions, devices, now = Date.now } = this.#parts;
    const principal = identities.find(record.id);
    const user = records.users.get(record.id);
    if (!principal || !user) throw wrongSignIn();
    records.users.put({ ...user, lastSignInAt: new Date(now()).toISOString() });
    return {
      session: sessions.start(principal, from),
      device: devices.draw(user),
      hasSecondFactor: user.isFactorConfirmed,
    };
  }
}

/** Name of the account that is meant: local names are kept in lower case, those of a directory end in `@directory`. */
const accountOf = (name: string, directory: string | undefined): string => {
  const plain = name.trim().toLowerCase();
  return directory === undefined ? plain : `${plain}@${directory}`;
};

const factorNeeded = (summary: string): AccessRefusal =>
  new AccessRefusal('second-factor', 'ACCESS-008', summary, {
    remedy: 'Give the code of your authenticator, or one of your recovery codes.',
  });
