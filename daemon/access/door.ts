import type { State } from '../state/state.ts';
import { AccessKey } from './access-key.ts';
import { BrowserSessions } from './browser-sessions.ts';
import { KnownDevices } from './devices.ts';
import type { Directories } from './directory.ts';
import { Identities } from './identities.ts';
import { Passwords } from './passwords.ts';
import { People } from './people.ts';
import { SecondFactors } from './second-factor.ts';
import { ServerSetup } from './server-setup.ts';
import { SignIn } from './sign-in.ts';
import { SignInLimits } from './sign-in-limits.ts';
import { AccessTokens } from './tokens.ts';

/** Everything about who may come in. */
export interface Door {
  readonly key: AccessKey;
  readonly identities: Identities;
  readonly tokens: AccessTokens;
  readonly sessions: BrowserSessions;
  readonly devices: KnownDevices;
  readonly factors: SecondFactors;
  readonly people: People;
  readonly setup: ServerSetup;
  readonly signIn: SignIn;
}

/** What the door stands on. */
export interface DoorParts {
  readonly state: State;
  /** The state folder: the access key and the set-up code lie there. */
  readonly folder: string;
  readonly authorityHash: string;
  readonly directories: Pick<Directories, 'authenticate'>;
  readonly now?: () => number;
}

/** Puts the parts of the door together. */
export function openDoor({ state, folder, authorityHash, directories, now = Date.now }: DoorParts): Door {
  const records = { principals: state.principals, users: state.users, grants: state.grants };
  const key = AccessKey.open(folder);
  const identities = new Identities(records);
  const tokens = new AccessTokens({ principals: state.principals, identities, authorityHash, now });
  const sessions = new BrowserSessions(state.sessions, identities, now);
  const devices = new KnownDevices(key);
  const factors = new SecondFactors(key, now);
  const setup = new ServerSetup(state.setup, folder);
  const passwords = new Passwords();
  const people = new People({ records, passwords, sessions, setup, now });
  const signIn = new SignIn({
    records,
    identities,
    passwords,
    limits: new SignInLimits({
      now,
      records: state.signInLimits,
      keyOf: (subject) => key.sign('sign-in-limit', subject),
    }),
    factors,
    devices,
    sessions,
    people,
    directories,
    setup,
    now,
  });
  return { key, identities, tokens, sessions, devices, factors, people, setup, signIn };
}
