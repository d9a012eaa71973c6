import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { drawIdentity } from '../../../appliance/agent/sealing.ts';
import { FolderDestination } from '../../../appliance/agent/backup/folder.ts';
import { S3Destination } from '../../../appliance/agent/backup/s3.ts';
import type { BackupDestination, BackupManifest } from '../../../provisioners/contract/backup.ts';
import { Problem } from '../../../provisioners/contract/problem.ts';
import { generateSshKey } from '../../../provisioners/contract/ssh-key.ts';
import { loopbackCertificate } from '../payload/certificate.ts';
import { fakeDatabase, fakeSnapshot } from './database.ts';
import { freePort } from './free-port.ts';
import { type Moto, startMoto } from './moto.ts';
import { type PortOptions, realPort } from './port.ts';
import { type Sshd, startSshd } from './sshd.ts';

const cluster = { uid: 'c0ffee-1', name: 'c' };
const content = fakeDatabase();
const identity = await drawIdentity();
let folder: string;
let sshd: Sshd;
let moto: Moto;
/** Everything the agent logged, in all tests. */
const lines: string[] = [];
const problems: Problem[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-refusals-'));
  [sshd, moto] = await Promise.all([startSshd(), startMoto()]);
});
afterAll(async () => {
  await Promise.all([sshd?.[Symbol.asyncDispose](), moto?.[Symbol.asyncDispose]()]);
  rmSync(folder, { recursive: true, force: true });
});

const secretsOf = (): NonNullable<PortOptions['secrets']> => ({
  'backup-ssh': { privateKey: sshd.privateKey },
  'backup-s3': moto.credentials,
});

async function take(
  destination: BackupDestination,
  options: Partial<PortOptions> = {},
  bytes = content,
): Promise<BackupManifest> {
  const port = await realPort({
    identity,
    stateFolder: folder,
    secrets: secretsOf(),
    log: (text) => lines.push(text),
    ...options,
  });
  return port.take(
    { cluster, destination },
    { key: 'o/s', at: '2026-11-21T05:00:00.000Z', kubernetesVersion: 'v1.20.2', recipients: [] },
    async () => fakeSnapshot(bytes),
  );
}

/** Code and kind of what it is refused with. */
async function refusal(...given: Parameters<typeof take>): Promise<string> {
  try {
    await take(...given);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    problems.push(error);
    return `${error.report.code} ${error.report.kind}`;
  }
  return 'taken';
}

describe('a path', () => {
  it('where nothing is mounted is refused, though the folder is there: a share that went away', async () => {
    const path = join(folder, 'share');
    mkdirSync(path);
    expect(await refusal({ type: 'path', path, mustBeMounted: true })).toBe('BACKUP-001 blocked');
    expect(readdirSync(path)).toEqual([]);
    expect(await refusal({ type: 'path', path, mustBeMounted: false })).toBe('taken');
  });

  it('that is not there is refused, and not made', async () => {
    const path = join(folder, 'nowhere');
    expect(await refusal({ type: 'path', path, mustBeMounted: false })).toBe('BACKUP-002 blocked');
    expect(existsSync(path)).toBe(false);
  });

  it('in which somebody has laid a link is written nowhere else', async () => {
    const [path, elsewhere] = [join(folder, 'links'), join(folder, 'elsewhere')];
    mkdirSync(join(path, cluster.uid), { recursive: true });
    symlinkSync(elsewhere, join(path, cluster.uid, '.backup.partial'));
    const { signal } = new AbortController();
    const opened = await FolderDestination.open({ path, folder: cluster.uid, signal });
    const written = opened.write('backup', fakeSnapshot(content).data);
    await expect(written).rejects.toMatchObject({ report: { code: 'BACKUP-004' } });
    expect(existsSync(elsewhere)).toBe(false);
  });

  it('where something is mounted takes it, until that is full: then nothing of it stays', async () => {
    const path = join(folder, 'small disk');
    mkdirSync(path);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'remuda-test', path]);
    try {
      expect(await refusal({ type: 'path', path, mustBeMounted: true }, {}, fakeDatabase(2000))).toBe(
        'BACKUP-003 blocked',
      );
      expect(readdirSync(join(path, cluster.uid))).toEqual([]);
      expect(await refusal({ type: 'path', path, mustBeMounted: true })).toBe('taken');
    } finally {
      execFileSync('umount', [path]);
    }
  });
});

describe('an SSH server', () => {
  it('that shows another host key is refused, and the user key is not even offered', async () => {
    const before = sshd.said().length;
    const server = { ...sshd.server, hostKeys: [generateSshKey('other').public] };
    expect(await refusal(server)).toBe('BACKUP-011 blocked');
    expect(sshd.said().slice(before)).not.toMatch(/publickey|Accepted/);
  });

  it('that does not know the key, or has no such folder, is said to be so', async () => {
    const secrets = { 'backup-ssh': { privateKey: generateSshKey('stranger').private } };
    expect(await refusal(sshd.server, { secrets })).toBe('BACKUP-012 blocked');
    expect(await refusal({ ...sshd.server, path: '/nowhere/at/all' })).toBe('BACKUP-013 blocked');
  });

  it('whose keys cannot be read is said to be so, without a word of them', async () => {
    const secrets = { 'backup-ssh': { privateKey: sshd.privateKey.slice(0, 200) } };
    expect(await refusal(sshd.server, { secrets })).toBe('BACKUP-014 blocked');
    expect(await refusal({ ...sshd.server, hostKeys: ['rot13 AAAA'] })).toBe('BACKUP-014 blocked');
  });

  it('that is away is waited for', async () => {
    expect(await refusal({ ...sshd.server, port: await freePort() })).toBe('BACKUP-010 transient');
  });
});

describe('an S3 server', () => {
  let other: Server | undefined;
  afterEach(async () => {
    other?.closeAllConnections();
    await new Promise((resolve) => (other === undefined ? resolve(undefined) : other.close(resolve)));
    other = undefined;
  });

  it('that proves to be another is told nothing', async () => {
    const { certificate } = await loopbackCertificate();
    expect(await refusal({ ...moto.bucket, authority: certificate })).toBe('OUTGOING-004 user');
    const { authority: _, ...publicly } = moto.bucket;
    expect(await refusal(publicly)).toBe('OUTGOING-004 user');
  });

  it('that is away is waited for', async () => {
    const endpoint = `https://127.0.0.1:${await freePort()}`;
    expect(await refusal({ ...moto.bucket, endpoint })).toBe('OUTGOING-003 transient');
  });

  it('without such a bucket is said to be so', async () => {
    expect(await refusal({ ...moto.bucket, bucket: 'no-such-bucket' })).toBe('BACKUP-022 blocked');
  });

  it.each([301, 307, 308])('that redirects with %i is not followed', async (status) => {
    const { certificate, privateKey } = await loopbackCertificate();
    const asked: string[] = [];
    other = createServer({ cert: certificate, key: privateKey }, (request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    await new Promise<void>((resolve) => other?.listen(0, '127.0.0.1', resolve));
    const endpoint = `https://127.0.0.1:${(other.address() as AddressInfo).port}`;
    expect(await refusal({ ...moto.bucket, endpoint, authority: certificate })).toBe('BACKUP-022 blocked');
    expect(asked.length).toBeGreaterThan(0);
    expect(asked).not.toContain('/elsewhere');
  });

  it('that falls silent is given up, and waited for', async () => {
    const { certificate, privateKey } = await loopbackCertificate();
    other = createServer({ cert: certificate, key: privateKey }, () => {});
    await new Promise<void>((resolve) => other?.listen(0, '127.0.0.1', resolve));
    const endpoint = `https://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const silent = await S3Destination.open({
      bucket: { ...moto.bucket, endpoint, authority: certificate },
      credentials: { ...moto.credentials },
      folder: 'x',
      reach: { isLoopbackAllowed: true },
      signal: new AbortController().signal,
      patience: 500,
    });
    await expect(silent.files()).rejects.toMatchObject({
      report: { kind: 'transient', code: 'OUTGOING-003' },
    });
  });

  it('on loopback is not connected to by an agent that serves people', async () => {
    const opened = S3Destination.open({
      bucket: moto.bucket,
      credentials: { ...moto.credentials },
      folder: 'x',
      reach: { isLoopbackAllowed: false },
      signal: new AbortController().signal,
    });
    await expect(opened).rejects.toMatchObject({ report: { code: 'OUTGOING-002' } });
  });

  it('keeps it below the prefix of the cluster; then refuses an account it does not know', async () => {
    expect(await refusal(moto.bucket)).toBe('taken');
    expect([...(await moto.objects()).keys()].map((name) => name.replace(/[^/]+$/, ''))).toEqual([
      'remuda/site-1/c0ffee-1/',
      'remuda/site-1/c0ffee-1/',
    ]);
    await moto.requireAccount();
    expect(await refusal(moto.bucket)).toBe('BACKUP-020 blocked');
  });
});

describe('secrets', () => {
  it('stand in no log, no problem and no request line', () => {
    const { accessKeyId, secretAccessKey } = moto.credentials;
    const keyBody = sshd.privateKey.split('\n').slice(1, 3);
    const told = [
      ...lines,
      ...problems.map((problem) => JSON.stringify([problem.report, problem.message, problem.stack])),
      sshd.said(),
    ];
    expect(lines.length).toBeGreaterThan(0);
    expect(problems.length).toBeGreaterThan(10);
    for (const secret of [accessKeyId, secretAccessKey, identity, ...keyBody])
      for (const text of told) expect(text).not.toContain(secret);
    // The key's name travels in the signature, as S3 wants it; never in a URL, which proxies write down.
    expect(moto.said()).toContain('/backups/remuda/site-1/');
    expect(moto.said()).not.toContain(secretAccessKey);
    expect(moto.said()).not.toContain(accessKeyId);
  });
});
