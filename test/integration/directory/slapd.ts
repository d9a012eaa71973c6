import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DirectoryConfig } from '../../../appliance/agent/protocol/outgoing.ts';
import { loopbackCertificate } from '../payload/certificate.ts';

const suffix = 'dc=corp,dc=example';
/** The account that searches, and its password. */
export const reader = { dn: `cn=reader,${suffix}`, password: 'reader-canary-pw' };

/** People of the directory: name and password. */
export const people = [
  ['alice', 'alice-canary-pw'],
  ['bob', 'bob-canary-pw'],
  ['star*name', 'star-canary-pw'],
  ['paren)(uid=*', 'paren-canary-pw'],
] as const;

/** Names their members; the circle names itself by way of the other. */
const groups: Readonly<Record<string, readonly string[]>> = {
  platform: ['uid=alice,ou=people'],
  engineering: ['cn=platform,ou=groups'],
  company: ['cn=engineering,ou=groups', 'uid=bob,ou=people'],
  ring: ['uid=alice,ou=people', 'cn=circle,ou=groups'],
  circle: ['cn=ring,ou=groups'],
};

/** DN of a group. */
export const groupNamed = (name: string): string => `cn=${name},ou=groups,${suffix}`;

/** A real slapd on loopback with a folder and ports of its own. */
export interface Slapd extends AsyncDisposable {
  readonly plainPort: number;
  readonly securePort: number;
  /** PEM; slapd's certificate is its own authority. */
  readonly authority: string;
  /** What it logged of connections and requests. */
  log(): string;
  config(changes?: Partial<DirectoryConfig>): DirectoryConfig;
  /** Stops answering, as a directory that is away. */
  stop(): Promise<void>;
}

/** Starts one with the people and groups above. */
export async function startSlapd(): Promise<Slapd> {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-slapd-'));
  const { certificate, privateKey } = await loopbackCertificate();
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'server.crt'), certificate);
  writeFileSync(join(folder, 'server.key'), privateKey, { mode: 0o600 });
  writeFileSync(join(folder, 'slapd.conf'), configuration(folder), { mode: 0o600 });
  const [plainPort, securePort] = [await freePort(), await freePort()];
  const urls = `ldap://127.0.0.1:${plainPort} ldaps://127.0.0.1:${securePort}`;
  const child = spawn('slapd', ['-f', join(folder, 'slapd.conf'), '-h', urls, '-d', '256'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  const started = new Promise<void>((done, fail) => {
    child.once('exit', (code) => fail(new Error(`slapd ended with ${code}: ${log}`)));
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString('utf8');
      if (log.includes('slapd starting')) done();
    });
  });
  await started;
  await load(folder, plainPort);
  return {
    plainPort,
    securePort,
    authority: certificate,
    log: () => log,
    config: (changes = {}) => ({
      server: `ldaps://127.0.0.1:${securePort}`,
      authority: certificate,
      account: reader.dn,
      people: {
        base: `ou=people,${suffix}`,
        filter: '(objectClass=person)',
        login: 'uid',
        displayName: 'cn',
      },
      groups: {
        base: `ou=groups,${suffix}`,
        filter: '(objectClass=groupOfNames)',
        member: 'member',
        nesting: 'member',
      },
      ...changes,
    }),
    stop: () => ended(child),
    async [Symbol.asyncDispose]() {
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.removeAllListeners('exit');
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const configuration = (folder: string): string => `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile ${folder}/slapd.pid
TLSCertificateFile ${folder}/server.crt
TLSCertificateKeyFile ${folder}/server.key
TLSVerifyClient never
allow bind_anon_dn
database mdb
maxsize 16777216
suffix "${suffix}"
rootdn "cn=root,${suffix}"
rootpw root
directory ${folder}/data
overlay memberof
memberof-dangling ignore
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="${reader.dn}" read by * none
`;

async function load(folder: string, port: number): Promise<void> {
  const entry = (dn: string, lines: readonly string[]): string => `dn: ${dn}\n${lines.join('\n')}\n`;
  const encoded = (text: string): string => Buffer.from(text).toString('base64');
  const escaped = (text: string): string =>
    text.replaceAll(/[()*=]/g, (one) => `\\${one.charCodeAt(0).toString(16)}`);
  const entries = [
    entry(suffix, ['objectClass: dcObject', 'objectClass: organization', 'o: corp', 'dc: corp']),
    entry(reader.dn, ['objectClass: person', 'cn: reader', 'sn: r', `userPassword: ${reader.password}`]),
    entry(`ou=people,${suffix}`, ['objectClass: organizationalUnit', 'ou: people']),
    entry(`ou=groups,${suffix}`, ['objectClass: organizationalUnit', 'ou: groups']),
    ...people.map(([name, password]) =>
      entry(`uid=${escaped(name)},ou=people,${suffix}`, [
        'objectClass: inetOrgPerson',
        `uid:: ${encoded(name)}`,
        `cn: The ${name.slice(0, 4)}`,
        'sn: one',
        `userPassword: ${password}`,
      ]),
    ),
    // Somebody elsewhere: a directory may send us anywhere, and we do not go.
    entry(`cn=elsewhere,ou=people,${suffix}`, [
      'objectClass: referral',
      'objectClass: extensibleObject',
      'cn: elsewhere',
      `ref: ldap://127.0.0.1:1/ou=people,${suffix}`,
    ]),
    ...Object.entries(groups).map(([name, members]) =>
      entry(groupNamed(name), [
        'objectClass: groupOfNames',
        `cn: ${name}`,
        ...members.map((member) => `member: ${member},${suffix}`),
      ]),
    ),
  ];
  const file = join(folder, 'people.ldif');
  writeFileSync(file, entries.join('\n'));
  await promisify(execFile)('ldapadd', [
    '-x',
    '-H',
    `ldap://127.0.0.1:${port}`,
    '-D',
    `cn=root,${suffix}`,
    '-w',
    'root',
    '-f',
    file,
  ]);
}

/** A port that nobody listens on just now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
