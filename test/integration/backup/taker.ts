/**
 * An agent process that takes a backup and never comes to its end: the snapshot stands still after its first half. Says
 * `half` when that half went by. Started by kill.test.ts, which ends it.
 */
import { readFileSync } from 'node:fs';
import type { BackupPlace } from '../../../provisioners/contract/backup.ts';
import { fakeDatabase, fakeSnapshot } from './database.ts';
import { type PortOptions, realPort } from './port.ts';

/** What kill.test.ts tells. */
export interface Told {
  readonly options: Pick<PortOptions, 'identity' | 'stateFolder' | 'secrets'>;
  readonly place: BackupPlace;
  readonly key: string;
  readonly at: string;
}

const told = JSON.parse(readFileSync(0, 'utf8')) as Told;
// More than two parts of an S3 upload.
const content = fakeDatabase(40_000);
const snapshot = fakeSnapshot(content, async (at) => {
  if (at < content.length * 0.8) return;
  process.stdout.write('half\n');
  setInterval(() => {}, 1000);
  await new Promise(() => {});
});
const port = await realPort(told.options);
await port.take(
  told.place,
  { key: told.key, at: told.at, kubernetesVersion: 'v1.20.2', recipients: [] },
  async () => snapshot,
);
