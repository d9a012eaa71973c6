import { spawnSync } from 'node:child_process';
import { appendFile, cp, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { payloadCache, type PayloadCache } from '../../../provisioners/payload/cache.ts';
import { localSigningKey } from '../../../provisioners/payload/signature.ts';
import { temporaryFolder, writeSample } from '../../unit/payload/sample.ts';

const program = resolve(import.meta.dirname, '..', '..', '..', 'daemon/cli/main.ts');

let root: string;
let cache: PayloadCache;
beforeEach(async () => {
  root = await temporaryFolder();
  cache = payloadCache(root);
});

/** `remuda payload verify`, as a person runs it. */
function verify(...folders: readonly string[]) {
  const env = { ...process.env, REMUDA_CACHE: root, REMUDA_STATE: join(root, 'state') };
  return spawnSync(process.execPath, [program, 'payload', 'verify', ...folders], { env, encoding: 'utf8' });
}

/** A small signed payload in the cache. */
async function payload(name: string, sequence: number): Promise<string> {
  const folder = join(cache.payloads, name);
  await mkdir(cache.payloads, { recursive: true });
  await cp(await writeSample(await localSigningKey(cache.signingKey), sequence), folder, { recursive: true });
  return folder;
}

/** What the agent of this machine would have accepted before. */
async function accept(accepted: Readonly<Record<string, number>>): Promise<void> {
  const folder = join(root, 'state', 'agent');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'accepted-payloads.json'), JSON.stringify(accepted));
}

test('complaint 14: verify refuses what the agent would refuse: older than one it accepted, of that name alone', async () => {
  const folder = await payload('one', 7);
  const alone = verify();
  expect([alone.status, alone.stdout]).toEqual([0, `${folder}: intact, signed by local build\n`]);
  expect(alone.stderr).toContain('a roll-back would not show here');
  await accept({ 'kubernetes-v1.20.2-lab': 7, 'kubernetes-v1.20.3-lab': 99 });
  expect(verify().status).toBe(0);
  await accept({ 'kubernetes-v1.20.2-lab': 8 });
  const older = verify();
  expect([older.status, older.stdout]).toEqual([
    1,
    expect.stringContaining('sequence 7 is older than 8, which was accepted before (roll-back)'),
  ]);
});

test('an older build beside a newer one is not used and is no fault; named by its folder, it is checked', async () => {
  const [older, newer] = [await payload('older', 7), await payload('newer', 8)];
  await accept({ 'kubernetes-v1.20.2-lab': 8 });
  const { status, stdout } = verify();
  expect([status, stdout.split('\n').sort()]).toEqual([
    0,
    ['', `${newer}: intact, signed by local build`, `${older}: not checked and not used, ${newer} is newer`],
  ]);
  expect(verify(older).status).toBe(1);
});

test('a changed byte is found and named; an empty cache says so', async () => {
  expect(verify().stdout).toBe('The cache holds no payload.\n');
  const folder = await payload('one', 7);
  await appendFile(join(folder, 'files', 'kubeadm'), 'x');
  const { status, stdout } = verify();
  expect([status, stdout]).toEqual([1, expect.stringContaining('files/kubeadm: has ')]);
});
