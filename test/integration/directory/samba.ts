import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { loopbackCertificate } from '../payload/certificate.ts';

const run = promisify(execFile);
const domain = 'DC=corp,DC=example';
const administrator = { dn: `CN=Administrator,CN=Users,${domain}`, password: 'Adm1n-canary-pw' };
/** The account that searches, and its password. */
export const adReader = { dn: `CN=reader,CN=Users,${domain}`, password: 'Reader-canary-pw1' };

/** Login, password, and bits of userAccountControl (MS-ADTS §2.2.16): 512 a usual account, 514 a disabled one. */
const accounts = [
  ['reader', adReader.password, 512],
  ['alice', 'Alice-canary-pw1', 512],
  ['bob (ops)', 'Bob-canary-pw1', 512],
  ['mallory', 'Mallory-canary-pw1', 514],
] as const;

/** Groups and their members; ring and circle name one another. */
const groups: readonly (readonly [string, readonly string[]])[] = [
  ['platform', ['alice', 'mallory']],
  ['engineering', ['platform']],
  ['company', ['engineering', 'bob (ops)']],
  ['ring', ['alice']],
  ['circle', ['ring']],
];

const dnOf = (name: string): string => `CN=${name},CN=Users,${domain}`;
/** DN of a group. */
export const adGroup = dnOf;

/** A real domain controller of Active Directory's kind on loopback. */
export interface SambaDomain extends AsyncDisposable {
  /** Its address: one of loopback's own, since its ports are 389 and 636 for good. */
  readonly address: string;
  /** PEM. */
  readonly authority: string;
  readonly base: string;
}

/**
 * Makes a domain in a folder of its own and starts nothing of it but LDAP. Needs root for its ports.
 * @throws Error with what samba said.
 */
export async function startSamba(): Promise<SambaDomain> {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-samba-'));
  const address = `127.${randomInt(100, 250)}.${randomInt(1, 250)}.${randomInt(1, 250)}`;
  const { certificate, privateKey } = await loopbackCertificate([address]);
  const path = (name: string): string => join(folder, name);
  writeFileSync(path('server.crt'), certificate);
  writeFileSync(path('server.key'), privateKey, { mode: 0o600 });
  mkdirSync(path('run'));
  const options = [
    `log file=${path('log')}`,
    `pid directory=${path('run')}`,
    `ncalrpc dir=${path('run')}`,
    // With the mask of loopback: samba takes an address alone in its network for that network's own.
    `interfaces=${address}/8`,
    'bind interfaces only=yes',
    'server services=ldap',
    `tls certfile=${path('server.crt')}`,
    `tls keyfile=${path('server.key')}`,
    'tls cafile=',
  ].map((option) => `--option=${option}`);
  await provision(folder, options);
  const child = spawn(
    'samba',
    ['-F', '--debug-stdout', '-d1', '-M', 'single', '-s', path('etc/smb.conf'), ...options],
    // It ends when its stdin does: also when this process is killed.
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
    });
  try {
    await listening(address, child);
    await load(folder, address);
  } catch (error) {
    await ended(child);
    throw new Error(`samba: ${said}`, { cause: error });
  }
  return {
    address,
    authority: certificate,
    base: domain,
    async [Symbol.asyncDispose]() {
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function provision(folder: string, options: readonly string[]): Promise<void> {
  await run('samba-tool', [
    'domain',
    'provision',
    `--targetdir=${folder}`,
    '--realm=CORP.EXAMPLE',
    '--domain=CORP',
    '--server-role=dc',
    '--dns-backend=NONE',
    '--host-name=dc',
    '--host-ip=127.0.0.1',
    `--adminpass=${administrator.password}`,
    ...options,
  ]);
}

/** Tenths of a second in which it must take connections: the whole of it is a failure that says what samba said. */
const patience = 900;

/** Waits until it takes connections. @throws Error when it ends or never does. */
async function listening(address: string, child: ChildProcess): Promise<void> {
  for (let look = 0; look < patience && child.exitCode === null && child.signalCode === null; look += 1) {
    const socket = connect({ host: address, port: 636 });
    const isOpen = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (isOpen) return;
    await sleep(100);
  }
  throw new Error('it takes no connections');
}

/** People and groups, by one LDIF over LDAPS; passwords as MS-ADTS §3.1.1.3.1.5 wants them. */
async function load(folder: string, address: string): Promise<void> {
  const secret = (text: string): string => Buffer.from(`"${text}"`, 'utf16le').toString('base64');
  const person = ([login, password, control]: (typeof accounts)[number]): string =>
    [
      `dn: ${dnOf(login)}`,
      'objectClass: user',
      `sAMAccountName: ${login.split(' ')[0]}`,
      `unicodePwd:: ${secret(password)}`,
      `userAccountControl: ${control}`,
    ].join('\n');
  const group = ([name, members]: (typeof groups)[number]): string =>
    [
      `dn: ${dnOf(name)}`,
      'objectClass: group',
      `sAMAccountName: ${name}`,
      ...members.map((member) => `member: ${dnOf(member)}`),
    ].join('\n');
  // The circle is closed once both are there.
  const circle = `dn: ${dnOf('ring')}\nchangetype: modify\nadd: member\nmember: ${dnOf('circle')}`;
  const added = [...accounts.map(person), ...groups.map(group)];
  const file = join(folder, 'people.ldif');
  writeFileSync(file, `${[...added.map(asAddition), circle].join('\n\n')}\n`, { mode: 0o600 });
  await run(
    'ldapmodify',
    ['-x', '-H', `ldaps://${address}`, '-D', administrator.dn, '-w', administrator.password, '-f', file],
    { env: { ...process.env, LDAPTLS_CACERT: join(folder, 'server.crt') } },
  );
}

const asAddition = (entry: string): string => entry.replace('\n', '\nchangetype: add\n');

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
