import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDirectoryQuestions } from '../../../appliance/agent/directory/directory.ts';
import type { DirectoryAnswer } from '../../../appliance/agent/protocol/outgoing.ts';
import { drawIdentity, recipientOf, seal } from '../../../appliance/agent/sealing.ts';
import { configOf, directorySettingsSchema } from '../../../daemon/access/directory-settings.ts';
import { adGroup, adReader, type SambaDomain, startSamba } from './samba.ts';

/*
 * The preset `type: activeDirectory` against a real domain controller (Samba's), with nothing left out of the way that
 * the agent goes. It knows the rule that walks chains of groups; slapd does not.
 */
let domain: SambaDomain;
let identity: string;
let secret: string;
beforeAll(async () => {
  domain = await startSamba();
  identity = await drawIdentity();
  secret = await seal([await recipientOf(identity)], JSON.stringify({ password: adReader.password }));
});
afterAll(() => domain[Symbol.asyncDispose]());

const questions = () => createDirectoryQuestions({ identity, reach: { isLoopbackAllowed: true } });
const config = (more: { readonly server?: string; readonly nesting?: 'member' | 'memberOf' } = {}) =>
  configOf(
    directorySettingsSchema.parse({
      title: 'Corp',
      type: 'activeDirectory',
      server: more.server ?? `ldaps://${domain.address}`,
      authority: domain.authority,
      account: { dn: adReader.dn, secretRef: 'reader' },
      people: { base: domain.base },
      groups: { base: domain.base, ...(more.nesting === undefined ? {} : { nesting: more.nesting }) },
    }),
  );
const ask = (name: string, password: string, more: Parameters<typeof config>[0] = {}) =>
  questions()['directory.authenticate']({ config: config(more), secret, name, password });
const groupsOf = (answer: DirectoryAnswer): readonly string[] =>
  answer.outcome === 'person' ? [...answer.groups].sort() : [answer.outcome];

describe('E1: Active Directory, against a real domain controller', () => {
  const everyGroupOfAlice = ['circle', 'company', 'engineering', 'platform', 'ring'].map(adGroup);

  test('the server walks the chain: groups in groups in groups are found with one search, circles too', async () => {
    expect(config().groups.nesting).toBe('inChain');
    const answer = await ask('alice', 'Alice-canary-pw1');
    expect(answer).toMatchObject({ outcome: 'person', login: 'alice' });
    expect(groupsOf(answer)).toEqual(everyGroupOfAlice);
    // Parentheses in the DN: it is a value of the filter, not a part of it.
    expect(groupsOf(await ask('bob', 'Bob-canary-pw1'))).toEqual([adGroup('company')]);
  });

  test.each(['member', 'memberOf'] as const)('nesting by %s finds the same groups', async (nesting) => {
    expect(groupsOf(await ask('alice', 'Alice-canary-pw1', { nesting }))).toEqual(everyGroupOfAlice);
  });

  test('StartTLS is as good as LDAPS', async () => {
    const answer = await ask('alice', 'Alice-canary-pw1', { server: `ldap://${domain.address}` });
    expect(groupsOf(answer)).toEqual(everyGroupOfAlice);
  });

  test('a disabled account, a wrong, an empty password and names made of filters are refused', async () => {
    for (const [name, password] of [
      ['mallory', 'Mallory-canary-pw1'],
      ['alice', 'wrong'],
      ['alice', ''],
      ['*', 'Alice-canary-pw1'],
      ['alice)(objectClass=*', 'Alice-canary-pw1'],
      ['nobody', 'x'],
    ] as const)
      expect([name, await ask(name, password)]).toEqual([name, { outcome: 'refused' }]);
  });

  test('the connection test walks the whole way', async () => {
    expect(await questions()['directory.test']({ config: config(), secret })).toEqual({ isReachable: true });
  });
});
