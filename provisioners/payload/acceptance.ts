import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { Blocked } from '../contract/problem.ts';
import { writeWhole } from './cache.ts';

const acceptanceFile = z.record(z.string(), z.number().int().nonnegative());

/**
 * The highest sequence accepted under each payload's name: the memory that makes a roll-back visible. It belongs
 * into the state directory of whoever verifies, not into the cache, which anybody may empty.
 */
export class AcceptedSequences {
  readonly #file: string;
  /** One change after another: two at once would each write what the other has not. */
  #last: Promise<void> = Promise.resolve();

  constructor(file: string) {
    this.#file = file;
  }

  /** The highest accepted sequence, 0 when the name is new. Throws Blocked when the record cannot be read. */
  async of(name: string): Promise<number> {
    return (await this.#read())[name] ?? 0;
  }

  /** Remembers a sequence; a lower one than before changes nothing. */
  accept(name: string, sequence: number): Promise<void> {
    const mine = this.#last.then(() => this.#write(name, sequence));
    this.#last = mine.catch(() => {});
    return mine;
  }

  async #write(name: string, sequence: number): Promise<void> {
    const all = await this.#read();
    if ((all[name] ?? 0) >= sequence) return;
    await writeWhole(this.#file, `${JSON.stringify({ ...all, [name]: sequence }, null, 2)}\n`, 0o600);
  }

  async #read(): Promise<Record<string, number>> {
    try {
      return acceptanceFile.parse(JSON.parse(await readFile(this.#file, 'utf8')));
    } catch (thrown) {
      if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return {};
      // An unreadable memory must not be taken for an empty one: that would be the way around it.
      throw new Blocked('PAYLOAD-021', `The record of accepted payloads ${this.#file} cannot be read.`, {
        remedy: 'Restore it from a backup; delete it only if you accept any older payload that is signed.',
      });
    }
  }
}
