import type { LogLine, LogPage } from '../state/logs.ts';

/** Lines in one page: a file of the log is parsed whole for each read, so a page is a good part of one. */
const pageLines = 2048;
/** Characters of text that all kept pages may have. */
const textKept = 16 * 1024 * 1024;

interface KeptPage {
  readonly lines: readonly LogLine[];
  readonly firstKept: number;
  readonly text: number;
}

/**
 * Pages of log files for clients that are behind. Those who come back after one interruption are behind at about the
 * same place: each page is read once for all of them, also when they ask at the same time.
 */
export class LogPages {
  readonly #read: (operation: string, after: number, limit: number) => Promise<LogPage>;
  readonly #kept = new Map<string, KeptPage>();
  readonly #reading = new Map<string, Promise<KeptPage>>();
  #text = 0;

  constructor(read: (operation: string, after: number, limit: number) => Promise<LogPage>) {
    this.#read = read;
  }

  /** Lines after a number, at most `limit`, oldest first; none only when there are none. @throws what reading throws */
  async after(
    operation: string,
    number: number,
    limit: number,
  ): Promise<{ readonly lines: readonly LogLine[]; readonly firstKept: number }> {
    const start = Math.floor(number / pageLines) * pageLines;
    const { lines, firstKept } = await this.#page(operation, start);
    const from = lines.findIndex((line) => line.number > number);
    return { lines: from < 0 ? [] : lines.slice(from, from + limit), firstKept };
  }

  async #page(operation: string, start: number): Promise<KeptPage> {
    const key = `${operation}/${start}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      return kept;
    }
    const reading = this.#reading.get(key) ?? this.#load(key, operation, start);
    this.#reading.set(key, reading);
    try {
      return await reading;
    } finally {
      this.#reading.delete(key);
    }
  }

  async #load(key: string, operation: string, start: number): Promise<KeptPage> {
    const { lines, firstKept } = await this.#read(operation, start, pageLines);
    const text = lines.reduce((sum, line) => sum + line.text.length, 0);
    const page = { lines, firstKept, text };
    // Only a page that is full stays as it is.
    if (lines.at(-1)?.number === start + pageLines) this.#keep(key, page);
    return page;
  }

  #keep(key: string, page: KeptPage): void {
    this.#kept.set(key, page);
    this.#text += page.text;
    for (const [oldest, { text }] of this.#kept) {
      if (this.#text <= textKept) break;
      this.#kept.delete(oldest);
      this.#text -= text;
    }
  }
}
