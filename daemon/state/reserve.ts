import { randomFillSync } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

const chunk = 1024 * 1024;

/**
 * Space kept free for the journal: a file of useless bytes that is given up when the disk is full, so that outcomes
 * of work that is under way can still be written down. Random bytes, because a file system that compresses would not
 * reserve anything for zeros.
 */
export class Reserve {
  readonly #path: string;
  readonly #size: number;

  /** `size` in bytes; 0 = none. */
  constructor(path: string, size: number) {
    this.#path = path;
    this.#size = size;
  }

  get isHeld(): boolean {
    return this.#size === 0 || (existsSync(this.#path) && statSync(this.#path).size >= this.#size);
  }

  /** Gives the space to the journal. Never fails: there may be nothing to give. */
  release(): void {
    rmSync(this.#path, { force: true });
  }

  /**
   * Takes the space (again) when as much again stays free after it; answers whether it is held now. A half-written
   * file counts for nothing: it appears under its name only when it is whole.
   */
  hold(): boolean {
    if (this.isHeld) return true;
    const unfinished = `${this.#path}.part`;
    rmSync(unfinished, { force: true });
    const space = statfsSync(dirname(this.#path));
    if (space.bavail * space.bsize < 2 * this.#size) return false;
    try {
      this.#fill(unfinished);
      renameSync(unfinished, this.#path);
      return true;
    } catch (error) {
      rmSync(unfinished, { force: true });
      if (isOutOfSpace(error)) return false;
      throw error;
    }
  }

  #fill(path: string): void {
    const bytes = randomFillSync(Buffer.alloc(Math.min(chunk, this.#size)));
    const file = openSync(path, 'w', 0o600);
    try {
      for (let left = this.#size; left > 0; ) left -= writeSync(file, bytes, 0, Math.min(left, bytes.length));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }
}

/** Whether an error of the file system or of SQLite says that the disk (or the quota) is full. */
export function isOutOfSpace(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'SQLITE_FULL';
}
