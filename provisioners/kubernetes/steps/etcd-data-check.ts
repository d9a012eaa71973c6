import { z } from 'zod';
import { restoreKeySchema } from '../../contract/etcd-data.ts';
import { machineRefSchema } from '../../contract/machine.ts';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { untilMended } from '../limits.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  restore: restoreKeySchema,
  /** Bytes that come beside what is there: the snapshot and what is made of it; 0 where only room to move is needed. */
  needs: z.int().nonnegative(),
});

/** What a database grows by before anybody notices, and room for the log of a new member (64 MiB a file). */
const margin = 256 * 1024 * 1024;

/** The snapshot is two of five parts of what a restore takes: itself, what is made of it, and half as much in between. */
const shareAfterSnapshot = 3 / 5;

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)} MiB`;

/**
 * Before anything is stopped: the master answers, and has room for its former data beside the new, in case the two
 * cannot lie on one file system.
 */
export const etcdDataCheck = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'etcd-data.check',
  version: 1,
  nature: 'ensure',
  phase: 'preflight',
  destructive: false,
  title: ({ machine }) => `Check the room for a restore on ${machine.name}`,
  schema: inputSchema,
  limits: untilMended,
  async observe(context, { machine, restore, needs }) {
    const { freeBytes, dataBytes, isSetAside, snapshot, restored } = await context.etcdData.look(
      machine,
      restore,
    );
    // Looked at again after a cut: what a restore has taken by then it does not need once more.
    if (restored !== undefined) return { state: 'done', facts: {} };
    const open = snapshot === undefined ? needs : Math.ceil(needs * shareAfterSnapshot);
    const wanted = open + margin + (isSetAside ? 0 : dataBytes);
    if (freeBytes >= wanted) return { state: 'done', facts: {} };
    return {
      state: 'blocked',
      what: `room on ${machine.name}`,
      why: `a restore needs ${mebibytes(wanted)} below /var/lib on ${machine.name}, and ${mebibytes(freeBytes)} are free`,
      remedy: `Make room on ${machine.name}.${isSetAside ? '' : ' Its data was not touched yet.'}`,
    };
  },
  async apply() {
    // A check changes nothing.
  },
});
