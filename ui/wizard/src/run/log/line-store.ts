import type { LogLine } from '../../../../../daemon/api/types.ts';
import { type Level, levelOf, levels } from './level.ts';

/** Lines in one closed chunk: some 100 kB of text, searched in about a millisecond. */
const chunkLines = 1024;
/** Characters of text held; beyond, the oldest chunks go (they stay on the server). */
const textKept = 96 * 1024 * 1024;
/** Lines held: rows have one height, and browsers cap how high an element may be. */
const linesKept = 800_000;

/** A line as it is shown. */
export interface ShownLine {
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly step: string;
  readonly machine: string;
  readonly level: Level;
  readonly text: string;
}

/** Names by small numbers: a line holds two numbers instead of two strings. */
export class Names {
  readonly #numbers = new Map<string, number>();
  readonly list: string[] = [];

  numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.list.push(name);
    this.#numbers.set(name, this.list.length - 1);
    return this.list.length - 1;
  }

  find(name: string): number {
    return this.#numbers.get(name) ?? -1;
  }
}

/**
 * Some lines in columns: one string for all texts and typed arrays for the rest, so that 200,000 lines are a few
 * hundred objects for the browser and not a million.
 */
export class Chunk {
  /** All texts, each ended by a line feed. */
  text = '';
  readonly starts = new Uint32Array(chunkLines + 1);
  readonly numbers = new Uint32Array(chunkLines);
  readonly times = new Float64Array(chunkLines);
  readonly steps = new Uint16Array(chunkLines);
  readonly machines = new Uint16Array(chunkLines);
  readonly levels = new Uint8Array(chunkLines);
  count = 0;

  textOf(index: number): string {
    return this.text.slice(this.starts[index], (this.starts[index + 1] ?? 0) - 1);
  }

  get isFull(): boolean {
    return this.count === chunkLines;
  }
}

/** The log as the browser holds it. Positions count the lines ever taken, from 0; the oldest may be gone. */
export class LineStore {
  readonly steps = new Names();
  readonly machines = new Names();
  #chunks: Chunk[] = [];
  /** Chunks dropped from the front. */
  #dropped = 0;
  #text = 0;
  #count = 0;
  #lastNumber = 0;
  #missing = 0;
  readonly #listeners = new Set<() => void>();

  /** Calls back after each change; the answer ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Lines that the server no longer had when they were asked for. */
  get missing(): number {
    return this.#missing;
  }

  /** One more than the position of the newest line. */
  get end(): number {
    return this.#count;
  }

  /** Position of the oldest line that is still held. */
  get start(): number {
    return this.#dropped * chunkLines;
  }

  /** Number of the newest line; 0 = none. */
  get lastNumber(): number {
    return this.#lastNumber;
  }

  /** Number of the oldest line held; 0 = none. */
  get firstNumber(): number {
    return this.#chunks[0]?.numbers[0] ?? 0;
  }

  /** Takes lines in order; those that are held already are passed over. `missing`: lines lost before the first. */
  append(lines: readonly LogLine[], missing = 0): void {
    let texts: string[] = [];
    let chunk = this.#openChunk();
    const close = (): void => {
      chunk.text += texts.join('');
      texts = [];
    };
    for (const line of lines) {
      if (line.number <= this.#lastNumber) continue;
      if (chunk.isFull) {
        close();
        chunk = this.#openChunk();
      }
      texts.push(`${line.text}\n`);
      this.#put(chunk, line);
    }
    close();
    this.#missing += missing;
    this.#forget();
    for (const listener of this.#listeners) listener();
  }

  /** The line at a position. Undefined when it is not held. */
  at(position: number): ShownLine | undefined {
    const chunk = this.chunkAt(position);
    if (chunk === undefined) return undefined;
    const index = position % chunkLines;
    if (index >= chunk.count) return undefined;
    return {
      number: chunk.numbers[index] ?? 0,
      at: chunk.times[index] ?? 0,
      step: this.steps.list[chunk.steps[index] ?? 0] ?? '',
      machine: this.machines.list[chunk.machines[index] ?? 0] ?? '',
      level: levels[chunk.levels[index] ?? 0] ?? 'plain',
      text: chunk.textOf(index),
    };
  }

  chunkAt(position: number): Chunk | undefined {
    return this.#chunks[Math.floor(position / chunkLines) - this.#dropped];
  }

  /** The position of a line's number; undefined when it is not held (yet, or any more). */
  positionOf(number: number): number | undefined {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const chunk = this.#chunks[middle];
      const first = chunk?.numbers[0] ?? 0;
      const last = chunk?.numbers[(chunk?.count ?? 1) - 1] ?? 0;
      if (number < first) high = middle - 1;
      else if (number > last) low = middle + 1;
      else {
        const index = chunk?.numbers.subarray(0, chunk.count).indexOf(number) ?? -1;
        return index < 0 ? undefined : (this.#dropped + middle) * chunkLines + index;
      }
    }
    return undefined;
  }

  #openChunk(): Chunk {
    const last = this.#chunks.at(-1);
    if (last !== undefined && !last.isFull) return last;
    const chunk = new Chunk();
    this.#chunks.push(chunk);
    return chunk;
  }

  #put(chunk: Chunk, line: LogLine): void {
    const index = chunk.count;
    const start = chunk.starts[index] ?? 0;
    chunk.starts[index + 1] = start + line.text.length + 1;
    chunk.numbers[index] = line.number;
    chunk.times[index] = Date.parse(line.at);
    chunk.steps[index] = this.steps.numberOf(line.step);
    chunk.machines[index] = this.machines.numberOf(line.machine ?? '');
    chunk.levels[index] = levels.indexOf(levelOf(line.text));
    chunk.count += 1;
    this.#count += 1;
    this.#text += line.text.length + 1;
    this.#lastNumber = line.number;
  }

  #forget(): void {
    while (this.#chunks.length > 1 && (this.#text > textKept || this.end - this.start > linesKept)) {
      this.#text -= this.#chunks.shift()?.text.length ?? 0;
      this.#dropped += 1;
    }
  }
}
