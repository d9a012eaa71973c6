import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawIdentity } from '../../../appliance/agent/sealing.ts';
import { type BackupBench, backupSuite } from '../../contract/backup.ts';
import { startMoto } from './moto.ts';
import { type PortOptions, realPort } from './port.ts';
import { startSshd } from './sshd.ts';

/** A bench at one destination; what it stands on ends with it. */
async function benchAt(
  destination: BackupBench['destination'],
  secrets: PortOptions['secrets'],
  stop: () => PromiseLike<void> | void,
  stateFolder: string,
): Promise<BackupBench> {
  const port = await realPort({
    identity: await drawIdentity(),
    stateFolder,
    ...(secrets === undefined ? {} : { secrets }),
  });
  return {
    backup: () => port,
    destination,
    stop: async () => {
      await stop();
      rmSync(stateFolder, { recursive: true, force: true });
    },
  };
}

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'remuda-backup-'));

backupSuite('state disk', () => benchAt({ type: 'stateDisk' }, undefined, () => {}, newFolder()));

backupSuite('path', () => {
  const folder = newFolder();
  const path = join(folder, 'files of a server');
  mkdirSync(path);
  return benchAt({ type: 'path', path, mustBeMounted: false }, undefined, () => {}, folder);
});

backupSuite('SFTP on a real sshd', async () => {
  const sshd = await startSshd();
  const secrets = { 'backup-ssh': { privateKey: sshd.privateKey } };
  return benchAt(sshd.server, secrets, () => sshd[Symbol.asyncDispose](), newFolder());
});

backupSuite("S3, moto's", async () => {
  const moto = await startMoto();
  const secrets = { 'backup-s3': moto.credentials };
  return benchAt(moto.bucket, secrets, () => moto[Symbol.asyncDispose](), newFolder());
});
