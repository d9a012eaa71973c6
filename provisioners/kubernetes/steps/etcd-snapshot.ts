import { z } from 'zod';
import { backupDestinationSchema, type BackupManifest, backupWords } from '../../contract/backup.ts';
import type { EtcdSnapshot } from '../../contract/ports/etcd.ts';
import { defineStep, type StepContext, type StepLimits } from '../../contract/step.ts';
import { minutes } from '../../contract/time.ts';
import { accessSchema } from '../cluster-settings.ts';
import { placeAway } from '../limits.ts';

const inputSchema = z.strictObject({
  access: accessSchema,
  destination: backupDestinationSchema,
  /** With the `v`: what the cluster runs now. */
  kubernetesVersion: z.string(),
  /** age recipients beside the agent's own: the recovery key's, without which a lost appliance would take the backup along. */
  recipients: z.array(z.string().startsWith('age1')).min(1),
  /** It stands just before what disturbs, and waits for a maintenance window with it: else it is as old as that wait. */
  isDisturbing: z.boolean().exactOptional(),
});

/** What later steps and the journal know of a backup. A restore compares `fileSha256`: what lies at the destination could be anybody's. */
type SnapshotFacts = {
  readonly id: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly revision: number;
  readonly member: string;
  readonly fileSha256: string;
};

/** etcd advises against more than 8 GiB; at 10 MB a second, written and read back, that is half an hour. */
const limits: StepLimits = { soft: minutes(3), hard: minutes(120), attempts: 3, trouble: placeAway };

const factsOf = ({ id, snapshot, revision, member, file }: BackupManifest): SnapshotFacts => ({
  id,
  sha256: snapshot.sha256,
  bytes: snapshot.bytes,
  revision,
  member,
  fileSha256: file.sha256,
});

/** The same snapshot, telling how far it is. */
function tellingProgress(context: StepContext, snapshot: EtcdSnapshot): EtcdSnapshot {
  async function* told(): AsyncGenerator<Uint8Array, void, undefined> {
    let done = 0;
    for await (const piece of snapshot.data) {
      done += piece.length;
      context.progress(done, snapshot.bytes, 'bytes of the snapshot');
      yield piece;
    }
  }
  return { ...snapshot, data: told() };
}

/**
 * A snapshot of etcd and the cluster's sealed keys, encrypted, at a destination. An act: its receipt is the finished
 * file, which bears the step's key, so that whoever comes again after a crash finds it and takes no second one.
 */
export const etcdSnapshot = defineStep<z.infer<typeof inputSchema>, SnapshotFacts>({
  kind: 'etcd.snapshot',
  version: 1,
  nature: 'act',
  phase: 'preparation',
  destructive: false,
  title: ({ destination, isDisturbing }) =>
    `Back up etcd to ${backupWords(destination)}${isDisturbing === true ? ', just before machines leave' : ''}`,
  schema: inputSchema,
  limits,
  async observe(context, { destination }) {
    const { cluster, key } = context;
    const found = await context.backup.find({ cluster, destination }, key);
    if (found === undefined) return { state: 'todo', why: 'there is no backup of this operation yet' };
    return { state: 'done', facts: factsOf(found) };
  },
  async apply(context, { access, destination, kubernetesVersion, recipients }) {
    const { cluster, key } = context;
    const kept = await context.backup.take(
      { cluster, destination },
      { key, at: context.now(), kubernetesVersion, recipients },
      async () => tellingProgress(context, await context.etcd.snapshot(access)),
    );
    context.log(
      `backup ${kept.id}: ${kept.snapshot.bytes} bytes of etcd ${kept.etcdVersion} from ${kept.member}, revision ${kept.revision}`,
    );
  },
});
