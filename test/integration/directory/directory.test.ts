import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createServer as createTls, TLSSocket } from 'node:tls';
import { array, assert, asyncProperty, constantFrom, pre } from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDirectoryQuestions } from '../../../appliance/agent/directory/directory.ts';
import { groupsOf as findGroups } from '../../../appliance/agent/directory/groups.ts';
import type { DirectoryAnswer, DirectoryConfig } from '../../../appliance/agent/protocol/outgoing.ts';
import { drawIdentity, recipientOf, seal } from '../../../appliance/agent/sealing.ts';
import { loopbackCertificate } from '../payload/certificate.ts';
import { groupNamed, people, reader, type Slapd, startSlapd } from './slapd.ts';

let slapd: Slapd;
let identity: string;
let secret: string;
beforeAll(async () => {
  slapd = await startSlapd();
  identity = await drawIdentity();
  secret = await seal([await recipientOf(identity)], JSON.stringify({ password: reader.password }));
});
afterAll(() => slapd[Symbol.asyncDispose]());

const questions = (isLoopbackAllowed = true) =>
  createDirectoryQuestions({ identity, reach: { isLoopbackAllowed } });
const ask = (name: string, password: string, config: DirectoryConfig = slapd.config()) =>
  questions()['directory.authenticate']({ config, secret, name, password });
const groupsOf = (answer: DirectoryAnswer): readonly string[] =>
  answer.outcome === 'person' ? [...answer.groups].sort() : [answer.outcome];
const [alice, bob] = [people[0], people[1]];
const everyGroupOfAlice = ['circle', 'company', 'engineering', 'platform', 'ring'].map(groupNamed);

describe('E1: sign-in against a real slapd', () => {
  const overStartTls = () => slapd.config({ server: `ldap://127.0.0.1:${slapd.plainPort}` });

  test.each(['LDAPS', 'StartTLS'])('%s: the right password is a person with all her groups', async (way) => {
    const config = way === 'LDAPS' ? slapd.config() : overStartTls();
    const answer = await ask(...alice, config);
    expect(answer).toMatchObject({ outcome: 'person', login: 'alice', displayName: 'The alic' });
    expect(groupsOf(answer)).toEqual(everyGroupOfAlice);
    expect(await ask('alice', 'wrong', config)).toEqual({ outcome: 'refused' });
    expect(await ask('nobody', 'wrong', config)).toEqual({ outcome: 'refused' });
  });

  test('groups in groups by the attribute memberOf; a circle ends; a group of others is not hers', async () => {
    const { groups } = slapd.config();
    const config = slapd.config({ groups: { ...groups, nesting: 'memberOf' } });
    expect(groupsOf(await ask(...alice, config))).toEqual(everyGroupOfAlice);
    expect(groupsOf(await ask(...bob, config))).toEqual([groupNamed('company')]);
    expect(groupsOf(await ask(...bob))).toEqual([groupNamed('company')]);
  });

  test("Active Directory's rule in chain is asked once, with the person's DN (slapd does not know the rule)", async () => {
    const { groups } = slapd.config();
    const filters: string[] = [];
    const found = await findGroups(
      {
        search: async (_base, { filter }) => {
          filters.push(String(filter));
          return [{ dn: 'CN=Platform,DC=corp' }, { dn: 'CN=Company,DC=corp' }];
        },
      },
      slapd.config({ groups: { ...groups, filter: '(objectClass=group)', nesting: 'inChain' } }),
      'CN=Bob (ops),DC=corp',
    );
    expect(found).toEqual(['CN=Platform,DC=corp', 'CN=Company,DC=corp']);
    expect(filters).toEqual([
      String.raw`(&(objectClass=group)(|(member:1.2.840.113556.1.4.1941:=CN=Bob \28ops\29,DC=corp)))`,
    ]);
  });

  test('names are values, never parts of a filter: *, parentheses and NUL find only whom they name', async () => {
    for (const [name, password] of people)
      expect(await ask(name, password)).toMatchObject({ outcome: 'person', login: name });
    const attempts = [
      '*',
      'ali*',
      'alice)(uid=*',
      'alice)(|(uid=*',
      'alice\u0000',
      '\\2a',
      'alice)(&)',
      '*)(objectClass=*',
    ];
    for (const name of attempts) expect(await ask(name, alice[1]), name).toEqual({ outcome: 'refused' });
  });

  test('no text but her own name lets anybody in with her password', async () => {
    const piece = constantFrom(
      'alice',
      '*',
      '(',
      ')',
      '|',
      '&',
      '=',
      '\\',
      '2a',
      'uid',
      ',',
      '+',
      '\u0000',
      'ou=people',
    );
    const name = array(piece, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
    await assert(
      asyncProperty(name, async (text) => {
        pre(text !== 'alice');
        expect(await ask(text, alice[1])).toEqual({ outcome: 'refused' });
      }),
      { numRuns: 60 },
    );
  });

  test('an empty password is refused before the directory hears of it (it would let anybody in)', async () => {
    const before = slapd.log().length;
    expect(await ask('alice', '')).toEqual({ outcome: 'refused' });
    expect(slapd.log().slice(before)).toBe('');
  });

  test('referrals are not followed', async () => {
    const base = slapd.config();
    const config = slapd.config({ people: { ...base.people, login: 'cn', filter: '(objectClass=*)' } });
    expect(await ask('elsewhere', 'anything', config)).toEqual({ outcome: 'refused' });
  });
});

describe('a directory that is not what it should be', () => {
  test('an authority that did not sign it, and another name than its own, are refused before a word', async () => {
    const { certificate } = await loopbackCertificate();
    const other = await ask(...alice, slapd.config({ authority: certificate }));
    const named = await ask(
      ...alice,
      slapd.config({ server: `ldaps://[::ffff:127.0.0.1]:${slapd.securePort}` }),
    );
    for (const answer of [other, named])
      expect(answer).toMatchObject({ outcome: 'away', problem: { code: 'OUTGOING-004' } });
  });

  test('a server that closes after StartTLS never sees a password in the clear', async () => {
    await using liar = await lyingServer();
    const answer = await ask(...alice, slapd.config({ server: `ldap://127.0.0.1:${liar.port}` }));
    expect(answer.outcome).toBe('away');
    expect(liar.heard()).not.toContain('canary');
    expect(liar.heard().length).toBeGreaterThan(200); // the beginning of a TLS handshake, and nothing else
    expect(liar.connections()).toBe(1);
  });

  test.each(['LDAPS', 'StartTLS', 'nothing'])(
    'a server that is silent after %s is away, and ends nothing of the agent',
    async (when) => {
      await using silent = await silentServer(when);
      const scheme = when === 'LDAPS' ? 'ldaps' : 'ldap';
      const config = slapd.config({
        server: `${scheme}://127.0.0.1:${silent.port}`,
        authority: silent.authority,
      });
      const impatient = createDirectoryQuestions({
        identity,
        reach: { isLoopbackAllowed: true },
        patience: 500,
      });
      const answer = await impatient['directory.authenticate']({
        config,
        secret,
        name: 'alice',
        password: alice[1],
      });
      expect(answer).toMatchObject({ outcome: 'away', problem: { kind: 'transient' } });
    },
  );

  test('loopback, link-local and metadata addresses are refused, also behind a name', async () => {
    for (const host of [
      '127.0.0.1',
      'localhost',
      '[::1]',
      '169.254.169.254',
      '[::ffff:127.0.0.1]',
      '0.0.0.0',
      '[fd00:ec2::254]',
    ]) {
      const config = slapd.config({ server: `ldaps://${host}:${slapd.securePort}` });
      const check = await questions(false)['directory.test']({ config, secret });
      expect([host, check.problem?.code]).toEqual([host, 'OUTGOING-002']);
    }
  });

  test('the connection test says in a code how far it came, and nothing that the server said', async () => {
    const { people: who, groups } = slapd.config();
    const codeOf = async (changes: Partial<DirectoryConfig>, sealed = secret) => {
      const { problem } = await questions()['directory.test']({
        config: slapd.config(changes),
        secret: sealed,
      });
      expect(JSON.stringify(problem ?? {})).not.toMatch(/canary|Invalid Credentials|0x/);
      return problem?.code;
    };
    const wrong = await seal([await recipientOf(identity)], JSON.stringify({ password: 'other-canary' }));
    const empty = await seal([await recipientOf(identity)], JSON.stringify({ other: 'x' }));
    expect(await codeOf({})).toBeUndefined();
    expect(await codeOf({}, wrong)).toBe('DIRECTORY-008');
    expect(await codeOf({}, empty)).toBe('DIRECTORY-007');
    expect(await codeOf({ server: 'https://x' })).toBe('DIRECTORY-001');
    expect(await codeOf({ server: 'ldaps://nowhere.invalid' })).toBe('OUTGOING-001');
    expect(await codeOf({ server: 'ldaps://127.0.0.1:1' })).toBe('OUTGOING-003');
    expect(await codeOf({ people: { ...who, filter: '(((' } })).toBe('DIRECTORY-002');
    expect(await codeOf({ people: { ...who, filter: '(objectClass=dcObject)' } })).toBe('DIRECTORY-009');
    expect(await codeOf({ groups: { ...groups, base: 'ou=none,dc=corp,dc=example' } })).toBe('DIRECTORY-003');
  });
});

/** Secures the connection in one of the ways, or does nothing, and then never says a word. */
async function silentServer(when: string) {
  const { certificate, privateKey } = await loopbackCertificate();
  const identityOfIt = { cert: certificate, key: privateKey };
  const sockets: Socket[] = [];
  const keep = (socket: Socket): void => {
    sockets.push(socket);
    socket.on('error', () => {});
  };
  const server = when === 'LDAPS' ? createTls(identityOfIt, (socket) => socket.resume()) : createServer();
  server.on('connection', (socket: Socket) => {
    keep(socket);
    if (when === 'StartTLS')
      socket.once('data', (chunk: Buffer) => {
        socket.write(agreedTo(chunk[4] ?? 0));
        keep(new TLSSocket(socket, { isServer: true, ...identityOfIt }).resume());
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { readonly port: number }).port,
    authority: certificate,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** ExtendedResponse, success, no matchedDN, no message (RFC 4511 §4.12), to the message of this number. */
const agreedTo = (number: number): Buffer =>
  Buffer.from([0x30, 12, 2, 1, number, 0x78, 7, 0x0a, 1, 0, 4, 0, 4, 0]);

/** Agrees to StartTLS and closes; counts who comes and keeps what it hears. */
async function lyingServer() {
  let heard = '';
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const isFirst = heard === '';
      heard += chunk.toString('latin1');
      if (isFirst) socket.write(agreedTo(chunk[4] ?? 0));
      else socket.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  return {
    port,
    heard: () => heard,
    connections: () => sockets.length,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
