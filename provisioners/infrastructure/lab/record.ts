import { link, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { clusterIdentitySchema, machineRoleSchema, machineShapeSchema } from '../../contract/machine.ts';
import { processIdentitySchema } from './process.ts';

/** What is remembered of a lab: written before anything of it is made, removed after everything of it is gone. */
export const labRecordSchema = z.strictObject({
  version: z.literal(1),
  /** Eight hexadecimal digits that label everything the lab makes on the box. */
  id: z.string(),
  cluster: clusterIdentitySchema,
  state: z.enum(['creating', 'present', 'removing']),
  /** IPv4 network, for example `10.77.5.0/24`. */
  subnet: z.string(),
  /** The box's own address in it, also the hosts' default route (which leads nowhere further). */
  gateway: z.string(),
  /** Where addresses of machines may come from, `first-last` or CIDR. */
  ranges: z.array(z.string()),
  /** Its cluster was given away: it lives on, and no call changes or sweeps it. */
  isReleased: z.literal(true).exactOptional(),
});
export type LabRecord = z.infer<typeof labRecordSchema>;

/** What is remembered of a machine: written before it is made and before every change of its state. */
export const machineRecordSchema = z.strictObject({
  version: z.literal(1),
  cluster: clusterIdentitySchema,
  name: z.string(),
  role: machineRoleSchema,
  incarnation: z.int().positive(),
  token: z.string(),
  shape: machineShapeSchema,
  labels: z.record(z.string(), z.string()),
  state: z.enum(['creating', 'present', 'deleting']),
  /** Who is making it; when that process is dead and the state is `creating`, the creation was cut off. */
  maker: processIdentitySchema,
  /** The power switch's position. */
  power: z.enum(['on', 'off']),
  address: z.string(),
  /** Public half of the provisional host key, `ssh-ed25519 AAAA…`. */
  hostKey: z.string(),
  /** Folder of the root image it was made from: a machine keeps its image over restarts. */
  root: z.string(),
  /** The process that supervises it, as last started. For people: what belongs to a machine is told by cgroup. */
  supervisor: processIdentitySchema.optional(),
});
export type MachineRecord = z.infer<typeof machineRecordSchema>;

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

/** Text of a file, or undefined when there is none. */
export async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Reads a record; undefined when there is none.
 * @throws Error naming the file when it holds something else: somebody edited it, and guessing would be dangerous.
 */
export async function readRecord<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readOptional(path);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${path} is not JSON; it is written only by Remuda`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new Error(`${path} is not a record of Remuda: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** Writes a file so that after any crash there is the old or the new one, never a part: temporary, fsync, rename, fsync. */
export async function writeDurably(path: string, text: string, mode = 0o600): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const temporary = `${path}.${process.pid}.new`;
  const file = await open(temporary, 'w', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const parent = await open(folder, 'r');
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
}

/** Writes a record durably. */
export const writeRecord = (path: string, record: LabRecord | MachineRecord): Promise<void> =>
  writeDurably(path, `${JSON.stringify(record, undefined, 2)}\n`);

/**
 * Makes a file only when there is none yet: the file system's own mutual exclusion. The content appears whole with
 * the name (written aside, then linked).
 * @returns false when there was one already.
 */
export async function createExclusively(path: string, text: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}.new`;
  await writeFile(temporary, text, { mode: 0o600 });
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}
