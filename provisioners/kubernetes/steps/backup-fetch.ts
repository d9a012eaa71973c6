import { z } from 'zod';
import { backupDestinationSchema } from '../../contract/backup.ts';
import { restoreKeySchema } from '../../contract/etcd-data.ts';
import { machineRefSchema } from '../../contract/machine.ts';
import { Blocked } from '../../contract/problem.ts';
import { defineStep, type StepContext, type StepLimits } from '../../contract/step.ts';
import { minutes } from '../../contract/time.ts';
import { placeAway } from '../limits.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  restore: restoreKeySchema,
  destination: backupDestinationSchema,
  /** Id of the backup. */
  id: z.string(),
  /** Of the encrypted file: from the journal where that knows the backup. */
  fileSha256: z.string(),
  /** Of the snapshot in it. */
  snapshotSha256: z.string(),
  bytes: z.int().positive(),
});
type Input = z.infer<typeof inputSchema>;

/** What etcd's own tool says of the snapshot. */
type FetchFacts = { readonly revision: number; readonly keys: number; readonly bytes: number };

/** Some gigabytes over two lines, one after the other. */
const limits: StepLimits = { soft: minutes(3), hard: minutes(120), attempts: 3, trouble: placeAway };

async function* told(context: StepContext, input: Input, data: AsyncIterable<Uint8Array>) {
  let done = 0;
  for await (const piece of data) {
    done += piece.length;
    context.progress(done, input.bytes, 'bytes of the backup');
    yield piece;
  }
}

/**
 * Brings a backup to the master where it will be restored: fetched, compared with what is known of it, opened, and
 * looked at by etcd's own tool. Nothing of the cluster is touched.
 */
export const backupFetch = defineStep<Input, FetchFacts>({
  kind: 'backup.fetch',
  version: 1,
  nature: 'ensure',
  phase: 'preparation',
  destructive: false,
  title: ({ machine, id }) => `Bring the backup ${id} to ${machine.name} and check it`,
  schema: inputSchema,
  limits,
  async observe(context, { machine, restore, snapshotSha256, id }) {
    const { snapshot } = await context.etcdData.look(machine, restore);
    if (snapshot !== snapshotSha256)
      return { state: 'todo', why: `the backup ${id} is not on ${machine.name} yet` };
    // Its newest key may be older than its revision (a deletion that was compacted), so the two are not compared.
    return { state: 'done', facts: { ...(await context.etcdData.status(machine, restore)) } };
  },
  async apply(context, input) {
    const { cluster } = context;
    const { machine, restore, destination, id, fileSha256, snapshotSha256 } = input;
    const { manifest, data } = await context.backup.open({ cluster, destination }, id, fileSha256);
    if (manifest.snapshot.sha256 !== snapshotSha256)
      throw new Blocked(
        'RESTORE-006',
        `What the backup ${id} says of itself has changed since it was chosen`,
        {
          remedy: 'Do not trust what it lies on; choose another backup. Nothing was changed.',
        },
      );
    await context.etcdData.place(machine, restore, {
      sha256: snapshotSha256,
      data: told(context, input, data),
    });
    context.log(`the backup ${id} lies on ${machine.name}: ${manifest.snapshot.bytes} bytes, as it was kept`);
  },
});
