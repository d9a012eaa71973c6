import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert, constantFrom, property, array } from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DirectoryAnswer } from '../../../appliance/agent/protocol/outgoing.ts';
import { Directories } from '../../../daemon/access/directory.ts';
import { directorySettingsSchema } from '../../../daemon/access/directory-settings.ts';
import { plainName } from '../../../daemon/access/distinguished-name.ts';
import { State } from '../../../daemon/state/state.ts';

let folder: string;
let state: State;
let asked: unknown[];
let now: number;
let answer: () => Promise<DirectoryAnswer>;
let directories: Directories;
const admins = 'CN=Admins,OU=Groups,DC=corp';
const settings = directorySettingsSchema.parse({
  title: 'Corp',
  server: 'ldaps://dc1.corp.example',
  authority: '-----BEGIN CERTIFICATE-----\n',
  account: { dn: 'cn=reader,dc=corp', secretRef: 'corp-reader' },
  people: { base: 'ou=people,dc=corp' },
  groups: { base: 'ou=groups,dc=corp' },
  roles: [
    { group: admins, role: 'operator' },
    { group: 'cn=east, ou=groups, dc=corp', role: 'admin', cluster: 'prod-east' },
  ],
});
const person = (groups: readonly string[]): DirectoryAnswer => ({
  outcome: 'person',
  login: 'Alice',
  displayName: 'Alice Liddell',
  groups,
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-directory-'));
  state = new State({ folder, reserveBytes: 65_536 });
  asked = [];
  now = Date.parse('2026-11-21T09:00:00Z');
  answer = async () => person([]);
  // The agent as a fake of its one question.
  directories = new Directories({
    state,
    now: () => now,
    reach: (async (_name: string, request: unknown) => {
      asked.push(request);
      return answer();
    }) as never,
  });
  state.secrets.put({
    name: 'corp-reader',
    sealed: 'SEALED',
    keys: ['password'],
    principal: 'user:root',
    updatedAt: new Date(now).toISOString(),
  });
  directories.set('corp', settings, 'user:root');
});
afterEach(() => {
  state.close();
  rmSync(folder, { recursive: true, force: true });
});

const signIn = (name = 'alice', password = 'pw-canary') => directories.authenticate('corp', name, password);

describe('E1: what groups of a directory give', () => {
  test('global and per cluster, the greater of several, however the DN is written', async () => {
    answer = async () =>
      person(['cn=admins, ou=Groups , dc=CORP', 'CN=East,OU=groups,DC=corp', 'cn=other,dc=corp']);
    const result = await signIn('ALICE');
    expect(result).toEqual({
      outcome: 'person',
      person: {
        id: 'user:alice@corp',
        name: 'alice',
        displayName: 'Alice Liddell',
        directory: 'corp',
        groups: ['cn=admins,ou=groups,dc=corp', 'cn=east,ou=groups,dc=corp', 'cn=other,dc=corp'],
        role: 'operator',
        grants: { 'prod-east': 'admin' },
      },
    });
  });

  test('whoever is in none of the groups is refused, unless everyone is admitted, as a mere user', async () => {
    answer = async () => person(['cn=other,dc=corp']);
    expect(await signIn()).toEqual({ outcome: 'refused' });
    directories.set('corp', { ...settings, admit: 'everyone' }, 'user:root');
    expect(await signIn()).toMatchObject({ outcome: 'person', person: { role: 'user', grants: {} } });
  });

  test('a DN that only resembles a group gives nothing', async () => {
    answer = async () =>
      person([String.raw`cn=admins\,ou=groups\,dc=corp,dc=evil`, `${admins},dc=evil`, 'cn=x,' + admins]);
    expect(await signIn()).toEqual({ outcome: 'refused' });
  });

  test('a login with signs of its own becomes a name that cannot be taken for another', async () => {
    answer = async () => ({ ...(person([admins]) as object), login: 'a b@corp' }) as DirectoryAnswer;
    expect(await signIn()).toMatchObject({ person: { id: 'user:a%20b%40corp@corp' } });
  });

  test('an empty password, an empty name and an unknown directory ask nobody', async () => {
    expect(await signIn('alice', '')).toEqual({ outcome: 'refused' });
    expect(await signIn('')).toEqual({ outcome: 'refused' });
    expect(await directories.authenticate('other', 'alice', 'pw-canary')).toEqual({ outcome: 'refused' });
    expect(asked).toEqual([]);
  });
});

describe('E1: a directory that is away', () => {
  const away = async (): Promise<DirectoryAnswer> => ({
    outcome: 'away',
    problem: { kind: 'transient', code: 'OUTGOING-003', summary: 'away' },
  });

  test('after three failures it is answered at once, one tries half a minute later, and it comes back', async () => {
    answer = away;
    for (let time = 0; time < 6; time += 1) expect((await signIn()).outcome).toBe('away');
    expect(asked).toHaveLength(3);
    now += 30_001;
    const both = await Promise.all([signIn(), signIn()]);
    expect([asked.length, ...both.map(({ outcome }) => outcome)]).toEqual([4, 'away', 'away']);
    now += 30_001;
    answer = async () => person([admins]);
    expect((await signIn()).outcome).toBe('person');
    expect((await signIn()).outcome).toBe('person');
  });

  test('refusals are answers: a flood of wrong passwords does not make it seem away', async () => {
    answer = async () => ({ outcome: 'refused' });
    for (let time = 0; time < 10; time += 1) await signIn();
    answer = async () => person([admins]);
    expect((await signIn()).outcome).toBe('person');
  });

  test('an agent that is away, and one that hangs, keep nobody waiting who comes later', async () => {
    answer = () => Promise.reject(new Error('pw-canary'));
    const failed = await signIn();
    expect(failed).toMatchObject({ outcome: 'away', problem: { code: 'DIRECTORY-034' } });
    expect(JSON.stringify(failed)).not.toContain('canary');
    directories.set('corp', settings, 'user:root');
    answer = () => new Promise(() => {});
    for (let time = 0; time < 32; time += 1) void signIn();
    expect(await signIn()).toMatchObject({ outcome: 'away', problem: { code: 'DIRECTORY-033' } });
  });
});

describe('S: the secret of the searching account', () => {
  test('goes to the server for which it was given and to no other, until it is given anew', async () => {
    const other = { ...settings, server: 'ldaps://evil.example' };
    expect(() => directories.set('corp', other, 'user:root')).toThrow(/not given for this server/);
    expect(state.secrets.get('corp-reader')?.destination).toBe('ldaps://dc1.corp.example');
    expect(() =>
      directories.set(
        'corp',
        { ...settings, account: { ...settings.account, secretRef: 'none' } },
        'user:root',
      ),
    ).toThrow(/no secret named none/);
  });

  test('nothing of a sign-in is kept in the state', async () => {
    answer = async () => person([admins]);
    await signIn();
    const tables = state.database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all() as {
      name: string;
    }[];
    const everything = tables.map(({ name }) =>
      JSON.stringify(state.database.prepare(`SELECT * FROM "${name}"`).all()),
    );
    expect(everything.join('')).not.toContain('canary');
  });
});

test('plainName: spaces around separators and case say nothing, escaped separators stay parts of values', () => {
  const piece = constantFrom('cn=A', 'ou=b c', String.raw`cn=x\, y`, 'dc=Z');
  assert(
    property(array(piece, { minLength: 1, maxLength: 5 }), (parts) => {
      const plain = plainName(parts.join(','));
      expect(plainName(parts.join(' ,  ').toUpperCase())).toBe(plain);
      expect(plainName(plain)).toBe(plain);
      expect(plain.replaceAll('\\,', '').split(',')).toHaveLength(parts.length);
    }),
  );
});
