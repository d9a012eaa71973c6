import { z } from 'zod';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import { Blocked } from '../contract/problem.ts';
import type { StepContext } from '../contract/step.ts';
import type { Instant } from '../contract/time.ts';
import { clusterMark, readMarks } from './marks.ts';
import type { ReleasedEntry, ReleasePolicy } from '../contract/released.ts';

const entriesSchema = z.array(z.strictObject({ type: z.string(), id: z.string(), name: z.string() }));

const noteSchema = z.object({
  data: z.object({ operation: z.string(), since: z.string(), entries: z.string() }),
});

/** What a deletion has written down in the cluster itself about what it takes away. */
export interface DeletionNote {
  /** When the step of this operation began; undefined where the note is another operation's. */
  readonly since?: Instant;
  /** Everything that was there when it was looked at first, and since. */
  readonly entries: readonly ReleasedEntry[];
}

/** Which of the two steps a note is of: each has an object of its own, because they run at the same time. */
export type NoteOf = 'services' | 'claims';

const referenceTo = (of: NoteOf) =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: `remuda-deletion-${of}` }) as const;

/**
 * Looks whether the API that answers is this cluster's, just before anything is taken away there. A cluster without any
 * mark was never finished; that it is this one is proven by its certificate authority.
 * @throws Blocked DELETE-001
 */
export async function requireOwn(context: StepContext, access: ControlPlaneAccess): Promise<void> {
  const { [clusterMark]: uid } = await readMarks(context, access);
  if (uid === undefined || uid === context.cluster.uid) return;
  throw new Blocked(
    'DELETE-001',
    `The API that answers for ${context.cluster.name} says that it is another cluster (${uid}, not ${context.cluster.uid})`,
    { remedy: 'Find out who answers at the addresses of its masters. Nothing is deleted there.' },
  );
}

/** The note; empty where there is none, or none that can be read. */
export async function readNote(
  context: StepContext,
  access: ControlPlaneAccess,
  of: NoteOf,
): Promise<DeletionNote> {
  const found = noteSchema.safeParse(await context.kubernetes.get(access, referenceTo(of)));
  if (!found.success) return { entries: [] };
  const { operation, since, entries } = found.data.data;
  const known = entriesSchema.safeParse(jsonOf(entries));
  return {
    ...(operation === context.operation ? { since } : {}),
    entries: known.success ? known.data : [],
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Somebody wrote there: what is there now is noted anew.
    return undefined;
  }
}

/** Adds what is there now to the note: once it is gone, nothing else tells that it ever was. */
export async function writeNote(
  context: StepContext,
  access: ControlPlaneAccess,
  of: NoteOf,
  now: readonly ReleasedEntry[],
): Promise<void> {
  const { since = context.now(), entries } = await readNote(context, access, of);
  const known = new Set(now.map(({ id }) => id));
  const all = [...entries.filter(({ id }) => !known.has(id)), ...now];
  const { apiVersion, kind, ...metadata } = referenceTo(of);
  const data = { operation: context.operation, since, entries: JSON.stringify(all) };
  await context.kubernetes.apply(access, [{ apiVersion, kind, metadata, data }]);
}

/** Whether somebody chose to go on without what does not go, and the time for it is over. */
export const isGivenUp = (
  { since }: DeletionNote,
  { whenBlocked, skipAfter }: ReleasePolicy,
  now: Instant,
): boolean =>
  whenBlocked === 'skip' && since !== undefined && Date.parse(now) - Date.parse(since) >= skipAfter;
