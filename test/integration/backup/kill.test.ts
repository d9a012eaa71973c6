import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawIdentity } from '../../../appliance/agent/sealing.ts';
import type { BackupDestination } from '../../../provisioners/contract/backup.ts';
import { fakeDatabase, fakeSnapshot } from './database.ts';
import { type Moto, startMoto } from './moto.ts';
import { type PortOptions, realPort } from './port.ts';
import { type Sshd, startSshd } from './sshd.ts';
import type { Told } from './taker.ts';

const cluster = { uid: 'c0ffee-1', name: 'c' };
let folder: string;
let sshd: Sshd;
let moto: Moto;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-kill-'));
  [sshd, moto] = await Promise.all([startSshd(), startMoto()]);
});
afterAll(async () => {
  await Promise.all([sshd?.[Symbol.asyncDispose](), moto?.[Symbol.asyncDispose]()]);
  rmSync(folder, { recursive: true, force: true });
});

/** Lets an agent take a backup until most of it went by, and kills it with SIGKILL. */
async function killedHalfway(told: Told): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'taker.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(told));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  expect(line.toString('utf8')).toBe('half\n');
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  expect(await ended).toEqual([null, 'SIGKILL']);
}

interface Case {
  readonly destination: () => BackupDestination;
  readonly secrets: () => NonNullable<PortOptions['secrets']>;
  /** Names of whatever lies half-written at the destination. */
  readonly halves: () => Promise<readonly string[]> | readonly string[];
}

const namesIn = (path: string): readonly string[] => readdirSync(join(path, cluster.uid));

const cases: Readonly<Record<string, Case>> = {
  'a folder': {
    destination: () => ({ type: 'stateDisk' }),
    secrets: () => ({}),
    halves: () => namesIn(join(folder, 'backups')).filter((name) => name.startsWith('.')),
  },
  SFTP: {
    destination: () => sshd.server,
    secrets: () => ({ 'backup-ssh': { privateKey: sshd.privateKey } }),
    halves: () => namesIn(sshd.server.path).filter((name) => name.startsWith('.')),
  },
  S3: {
    destination: () => moto.bucket,
    secrets: () => ({ 'backup-s3': moto.credentials }),
    halves: () => moto.uploads(),
  },
};

describe('an agent that is killed in the middle of a backup (complaint 8)', () => {
  it.each(Object.keys(cases))(
    'leaves nothing that looks like one in %s, and the next cleans up',
    async (name) => {
      const found = cases[name];
      if (found === undefined) throw new Error('no such case');
      const { destination, secrets, halves } = found;
      const options = { identity: await drawIdentity(), stateFolder: folder, secrets: secrets() };
      const place = { cluster, destination: destination() };
      const key = 'operation-1/etcd.snapshot';
      await killedHalfway({ options, place, key, at: '2026-11-21T05:00:00.000Z' });
      expect(await halves()).toHaveLength(1);

      const port = await realPort(options);
      expect(await port.list(place)).toEqual([]);
      expect(await port.find(place, key)).toBeUndefined();
      const kept = await port.take(
        place,
        { key, at: '2026-11-21T05:10:00.000Z', kubernetesVersion: 'v1.20.2', recipients: [] },
        async () => fakeSnapshot(fakeDatabase()),
      );
      expect(await halves()).toEqual([]);
      expect(await port.list(place)).toEqual([kept]);
    },
  );
});
