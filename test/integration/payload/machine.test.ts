import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hashFile } from '../../../provisioners/payload/cache.ts';
import {
  curlConfig,
  installList,
  installTable,
  machineInstallScript,
} from '../../../provisioners/payload/install-list.ts';
import type { PayloadManifest } from '../../../provisioners/payload/manifest.ts';
import { PayloadServer } from '../../../provisioners/payload/server.ts';
import { writeTar } from '../../../provisioners/payload/tar.ts';
import { sampleManifest, temporaryFolder } from '../../unit/payload/sample.ts';
import { loopbackCertificate } from './certificate.ts';

const run = promisify(execFile);
const DIGEST = 'e'.repeat(64);
/** Large enough that a kill lands in the middle of it, in bytes. */
const LARGE = 24_000_000;

let folder: string;
let served: string;
let server: PayloadServer;
let manifest: PayloadManifest;

beforeEach(async () => {
  folder = await temporaryFolder();
  served = join(folder, 'payload');
  await mkdir(join(served, 'files'), { recursive: true });
  await writeFile(join(served, 'files/kubelet'), Buffer.alloc(LARGE, 'k'));
  await writeTar(
    join(served, 'files/cni-plugins.tar'),
    ['bridge', 'host-local'].map((path) => ({ path, type: 'text', text: `plug-in ${path}`, mode: 0o755 })),
    0,
  );
  const common = { mode: '0755', for: 'all', origin: 'a sample' } as const;
  manifest = {
    ...sampleManifest(),
    images: [],
    files: [
      {
        path: 'files/kubelet',
        role: 'kubelet',
        kind: 'file',
        install: '/usr/local/bin/kubelet',
        ...common,
        ...(await hashFile(join(served, 'files/kubelet'))),
      },
      {
        path: 'files/cni-plugins.tar',
        role: 'cni-plugins',
        kind: 'tar',
        install: '/opt/cni/bin',
        ...common,
        ...(await hashFile(join(served, 'files/cni-plugins.tar'))),
      },
    ],
  };
  const made = await loopbackCertificate();
  server = new PayloadServer({ ...made, address: '127.0.0.1', port: 0 });
  const port = await server.start();
  server.publish({ folder: served, manifest, digest: DIGEST });
  await writeFile(join(folder, 'script'), await machineInstallScript());
  await chmod(join(folder, 'script'), 0o755);
  const list = installList(manifest, DIGEST, 'worker', []);
  await writeFile(join(folder, 'list'), installTable(list, `https://127.0.0.1:${port}`));
  await writeFile(join(folder, 'ca.pem'), made.certificate);
  await atUptime(1000);
});
afterEach(() => server.stop());

const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  REMUDA_INSTALL_ROOT: join(folder, 'root'),
  REMUDA_UPTIME: join(folder, 'uptime'),
});
/** How long the machine has been running, as the kernel says it: seconds. */
const atUptime = (seconds: number): Promise<void> =>
  writeFile(join(folder, 'uptime'), `${seconds}.25 4321.00\n`);
const kubelet = (): string => join(folder, 'root/usr/local/bin/kubelet');

async function install(): Promise<string> {
  const config = join(folder, 'curl.conf');
  await writeFile(config, curlConfig(server.grant('w-1', DIGEST), join(folder, 'ca.pem')), { mode: 0o600 });
  const { stdout } = await run(
    join(folder, 'script'),
    ['install', join(folder, 'list'), join(folder, 'state'), config],
    { env: environment() },
  );
  return stdout;
}

async function observe(): Promise<readonly string[]> {
  const { stdout } = await run(
    join(folder, 'script'),
    ['observe', join(folder, 'list'), join(folder, 'state')],
    { env: environment() },
  );
  return stdout.split('\n').filter(Boolean);
}

test('a machine is equipped, sees that it is, and keeps neither token nor downloads', async () => {
  expect(await observe()).toEqual(['/usr/local/bin/kubelet', '/opt/cni/bin']);
  expect(await install()).toContain('2/2 in place');
  expect(await observe()).toEqual([]);
  expect((await stat(kubelet())).mode & 0o777).toBe(0o755);
  expect(await readFile(join(folder, 'root/opt/cni/bin/bridge'), 'utf8')).toBe('plug-in bridge');
  expect(await readdir(join(folder, 'state'))).toEqual(['lock', 'tars']);
  expect(await readdir(folder)).not.toContain('curl.conf');
});

test('a second install brings nothing; a changed, lost or unreadable part is seen and repaired', async () => {
  await install();
  expect((await install()).trim()).toBe('2/2 in place');
  await appendFile(kubelet(), 'x');
  await writeFile(join(folder, 'root/opt/cni/bin/bridge'), 'another plug-in');
  expect(await observe()).toEqual(['/usr/local/bin/kubelet', '/opt/cni/bin']);
  await install();
  await chmod(kubelet(), 0o644);
  await rm(join(folder, 'root/opt/cni/bin/host-local'));
  expect(await observe()).toEqual(['/usr/local/bin/kubelet', '/opt/cni/bin']);
  await install();
  expect(await observe()).toEqual([]);
});

describe('the record of what the install has checked', () => {
  const record = (): string => join(folder, 'root/run/remuda/payload-checked');
  const asked = 'f'.repeat(64);

  /** Has the list ask for another digest, and the record bear it: only who believes the record finds it on the disk. */
  async function forge(): Promise<void> {
    const own = manifest.files[0]?.sha256 ?? '';
    for (const path of [join(folder, 'list'), record()])
      await writeFile(path, (await readFile(path, 'utf8')).replaceAll(own, asked));
  }

  test('is root’s alone, and spares the next look the hashing for ten minutes', async () => {
    await install();
    expect((await stat(record())).mode & 0o777).toBe(0o600);
    await forge();
    await atUptime(1599);
    expect(await observe()).toEqual([]);
    await atUptime(1600);
    expect(await observe()).toEqual(['/usr/local/bin/kubelet']);
  });

  test('is not believed after a reboot', async () => {
    await install();
    await forge();
    const lines = await readFile(record(), 'utf8');
    await writeFile(record(), lines.replaceAll(/^\S+/gmu, '00000000-0000-0000-0000-000000000000'));
    expect(await observe()).toEqual(['/usr/local/bin/kubelet']);
    await writeFile(record(), lines);
    expect(await observe()).toEqual([]);
    // Younger than its own record: another boot, whatever it calls itself.
    await atUptime(10);
    expect(await observe()).toEqual(['/usr/local/bin/kubelet']);
  });

  test('does not hide a file that was altered in place, at its old size and with its old time', async () => {
    await install();
    for (const path of [kubelet(), join(folder, 'root/opt/cni/bin/bridge')]) {
      await run('touch', ['-r', path, join(folder, 'times')]);
      const file = await open(path, 'r+');
      await file.write('altered', 0);
      await file.close();
      await run('touch', ['-r', join(folder, 'times'), path]);
    }
    expect(await observe()).toEqual(['/usr/local/bin/kubelet', '/opt/cni/bin']);
    await install();
    expect(await observe()).toEqual([]);
    expect(await readFile(kubelet(), 'utf8')).toMatch(/^k+$/u);
  });
});

test('an install killed in a download goes on where it stopped', async () => {
  const config = join(folder, 'curl.conf');
  const slow = `limit-rate = 4M\n${curlConfig(server.grant('w-1', DIGEST), join(folder, 'ca.pem'))}`;
  await writeFile(config, slow, { mode: 0o600 });
  const args = ['install', join(folder, 'list'), join(folder, 'state'), config];
  const started = spawn(join(folder, 'script'), args, {
    env: environment(),
    stdio: 'ignore',
    detached: true,
  });
  const part = join(folder, 'state/downloads', manifest.files[0]?.sha256 ?? '');
  const sizeOfPart = async (): Promise<number> => (await stat(part).catch(() => ({ size: 0 }))).size;
  await expect.poll(sizeOfPart, { timeout: 20_000 }).toBeGreaterThan(1_000_000);
  process.kill(-(started.pid ?? 0), 'SIGKILL');
  await once(started, 'exit');
  const have = await sizeOfPart();
  expect(have).toBeLessThan(LARGE);
  expect(await observe()).toContain('/usr/local/bin/kubelet');
  await install();
  expect(await observe()).toEqual([]);
});

test('a run that was killed alone does not spoil the next one: its download ends first', async () => {
  const config = join(folder, 'curl.conf');
  const slow = `limit-rate = 8M\n${curlConfig(server.grant('w-1', DIGEST), join(folder, 'ca.pem'))}`;
  await writeFile(config, slow, { mode: 0o600 });
  const args = ['install', join(folder, 'list'), join(folder, 'state'), config];
  const started = spawn(join(folder, 'script'), args, { env: environment(), stdio: 'ignore' });
  const part = join(folder, 'state/downloads', manifest.files[0]?.sha256 ?? '');
  const sizeOfPart = async (): Promise<number> => (await stat(part).catch(() => ({ size: 0 }))).size;
  await expect.poll(sizeOfPart, { timeout: 20_000 }).toBeGreaterThan(1_000_000);
  started.kill('SIGKILL');
  await once(started, 'exit');
  expect(await install()).toContain('2/2 in place');
  expect(await observe()).toEqual([]);
});

describe('what the network says is not believed (complaint 14)', () => {
  test('other bytes than the list promises are deleted and never installed', async () => {
    const bad = Buffer.alloc(LARGE, 'k');
    bad[LARGE - 1] = 0;
    await writeFile(join(served, 'files/kubelet'), bad);
    await expect(install()).rejects.toMatchObject({
      stderr: expect.stringContaining('is not what the payload') as string,
    });
    expect(await readdir(join(folder, 'root')).catch(() => [])).toEqual([]);
    expect(await readdir(join(folder, 'state/downloads'))).toEqual([]);
  });

  test('no token, another server’s certificate: nothing is written', async () => {
    const config = join(folder, 'curl.conf');
    const args = ['install', join(folder, 'list'), join(folder, 'state'), config];
    await writeFile(config, curlConfig('wrong', join(folder, 'ca.pem')));
    await expect(run(join(folder, 'script'), args, { env: environment() })).rejects.toMatchObject({
      stderr: expect.stringContaining('401') as string,
    });
    const stranger = await loopbackCertificate();
    await writeFile(join(folder, 'ca.pem'), stranger.certificate);
    await writeFile(config, curlConfig(server.grant('w-1', DIGEST), join(folder, 'ca.pem')));
    await expect(run(join(folder, 'script'), args, { env: environment() })).rejects.toMatchObject({
      stderr: expect.stringContaining('certificate') as string,
    });
    expect(await readdir(join(folder, 'root')).catch(() => [])).toEqual([]);
  });
});
