import { z } from 'zod';
import { backupDestinationSchema, backupRetentionSchema } from '../../contract/backup.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { expiredBackups } from '../backup-retention.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { quick } from '../limits.ts';

const inputSchema = z.strictObject({
  destination: backupDestinationSchema,
  retention: backupRetentionSchema,
});
type Input = z.infer<typeof inputSchema>;

/**
 * Backups from the future count for nothing and stay: the clock was wrong once, and what was just taken would go for
 * them.
 */
async function expired(context: StepContext, { destination, retention }: Input): Promise<readonly string[]> {
  const { cluster } = context;
  const backups = await context.backup.list({ cluster, destination });
  const now = Date.parse(context.now());
  const past = backups.filter(({ at }) => Date.parse(at) <= now);
  return expiredBackups(past, cluster, retention).map(({ id }) => id);
}

/** Removes the backups that no rule keeps any more: planned after a new one counts, never before. */
export const etcdSnapshotPrune = defineStep<Input, NoFacts>({
  kind: 'etcd-snapshot.prune',
  version: 1,
  nature: 'ensure',
  phase: 'verification',
  destructive: true,
  // It takes old backups away, and touches nothing that runs.
  disrupts: false,
  title: () => 'Remove backups that are not kept any longer',
  schema: inputSchema,
  limits: quick,
  async observe(context, input) {
    const ids = await expired(context, input);
    if (ids.length === 0) return { state: 'done', facts: {} };
    return { state: 'todo', why: `not kept any longer: ${ids.join(', ')}` };
  },
  async apply(context, input) {
    const { cluster } = context;
    for (const id of await expired(context, input)) {
      await context.backup.remove({ cluster, destination: input.destination }, id);
      context.log(`backup ${id} is removed`);
    }
  },
});
