import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { PayloadCache } from './cache.ts';
import { TOKEN_LIFE } from './server.ts';

/**
 * Says that a machine is being equipped from a payload, so that no build removes it meanwhile. It counts as long as
 * the token that was given with it; a killed agent's marks end by themselves.
 * @param holder whom the token was given to
 */
export async function markUse(cache: PayloadCache, folder: string, holder: string): Promise<void> {
  const marks = marksOf(cache, folder);
  await mkdir(marks, { recursive: true });
  await writeFile(join(marks, nameOf(holder)), '');
}

/** Ends a holder's use; without one there is no change. */
export async function endUse(cache: PayloadCache, folder: string, holder: string): Promise<void> {
  await rm(join(marksOf(cache, folder), nameOf(holder)), { force: true });
}

/** Whether any machine is being equipped from this payload. */
export async function isInUse(cache: PayloadCache, folder: string): Promise<boolean> {
  const marks = marksOf(cache, folder);
  for (const name of await readdir(marks).catch(() => [])) {
    const mark = await stat(join(marks, name)).catch(() => null);
    if (mark !== null && Date.now() - mark.mtimeMs < TOKEN_LIFE) return true;
  }
  return false;
}

const marksOf = (cache: PayloadCache, folder: string): string => join(cache.uses, basename(folder));

const nameOf = (holder: string): string => createHash('sha256').update(holder).digest('hex');
