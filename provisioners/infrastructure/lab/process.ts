import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** A process of the box that cannot be mistaken for another one that got its number later. */
export const processIdentitySchema = z.strictObject({
  pid: z.int().positive(),
  /** Field 22 of /proc/PID/stat (proc(5)): clock ticks between the box's boot and the process's start. */
  startTime: z.string(),
  /** /proc/sys/kernel/random/boot_id: start times of different boots do not compare. */
  boot: z.string(),
});
export type ProcessIdentity = z.infer<typeof processIdentitySchema>;

const bootId = async (): Promise<string> =>
  (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();

/** Identity of a living process; undefined when there is none (zombies count as none). */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in brackets and may hold anything, brackets and blanks too.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTime] = [fields[0], fields[19]];
    if (startTime === undefined || state === 'Z' || state === 'X') return undefined;
    return { pid, startTime, boot: await bootId() };
  } catch {
    return undefined;
  }
}

/** Identity of this process. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  const own = await identify(process.pid);
  if (!own) throw new Error('/proc does not show this very process');
  return own;
}

/** Whether the very process lives (not merely its number). */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  const now = await identify(identity.pid);
  return now?.startTime === identity.startTime && now.boot === identity.boot;
}
