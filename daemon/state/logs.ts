import {
  closeSync,
  existsSync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Instant } from '../../provisioners/contract/time.ts';
import { isOutOfSpace } from './reserve.ts';

/** A line as it arrives. `epoch` and `sequence` are the agent's report number: a repeat is recognised by them. */
export interface NewLogLine {
  readonly at: Instant;
  readonly step: string;
  readonly machine?: string;
  readonly text: string;
  readonly epoch: number;
  readonly sequence: number;
}

/** One line of an operation's log. */
export interface LogLine {
  /** Rises by one a line within the operation, from 1. */
  readonly number: number;
  readonly at: Instant;
  readonly step: string;
  readonly machine?: string;
  readonly text: string;
}

/** A page of log lines. */
export interface LogPage {
  readonly lines: readonly LogLine[];
  /** Lines before this number were dropped by the size cap; 1 = none were. */
  readonly firstKept: number;
  /** Give this as `after` to go on. */
  readonly last: number;
}

/** Size caps: an operation keeps at most `segments` files of some `segmentBytes` each. */
export interface LogLimits {
  readonly segmentBytes: number;
  readonly segments: number;
}

/** 64 MiB an operation: some 400,000 lines, a 1,000-machine install at some 100 lines a machine, four times over. */
const defaultLogLimits: LogLimits = { segmentBytes: 1024 * 1024, segments: 64 };

/** Longest text kept of one line, characters: journald's own default is of this order. */
const longestText = 16_384;

type StoredLine = LogLine & { readonly epoch: number; readonly sequence: number };

interface OpenLog {
  readonly folder: string;
  file: number;
  bytes: number;
  lastNumber: number;
  epoch: number;
  sequence: number;
  pending: string[];
  lost: number;
}

const segmentName = (first: number): string => `${String(first).padStart(12, '0')}.ndjson`;

const segmentsOf = (folder: string): { readonly name: string; readonly first: number }[] =>
  (existsSync(folder) ? readdirSync(folder) : [])
    .filter((name) => name.endsWith('.ndjson'))
    .sort()
    .map((name) => ({ name, first: Number.parseInt(name, 10) }));

/** Whole, readable lines from the start; what follows the first torn one counts for nothing. */
function readLines(content: string): { readonly lines: StoredLine[]; readonly bytes: number } {
  const lines: StoredLine[] = [];
  let bytes = 0;
  for (const text of content.split('\n').slice(0, -1)) {
    try {
      lines.push(JSON.parse(text) as StoredLine);
    } catch {
      break;
    }
    bytes += Buffer.byteLength(text) + 1;
  }
  return { lines, bytes };
}

/** Control codes from a machine must not reach anybody's terminal; tabs stay. */
const clean = (text: string): string =>
  stripVTControlCharacters(text)
    .replaceAll(/(?!\t)\p{Cc}/gu, '')
    .slice(0, longestText);

/**
 * The operations' logs: a folder an operation, in it segments of lines named by their first number. The oldest
 * segment is dropped whole. Lines are durable once {@link sync} returned, which the journal calls before each commit;
 * only then the agent's report is acknowledged, so no line is lost, and a repeated one is recognised by its number.
 */
export class OperationLogs {
  readonly #directory: string;
  readonly #limits: LogLimits;
  readonly #open = new Map<string, OpenLog>();
  readonly #unsynced = new Set<OpenLog>();

  constructor(directory: string, limits: LogLimits = defaultLogLimits) {
    this.#directory = directory;
    this.#limits = limits;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** Takes a line; undefined when it is a repeat. */
  append(operation: string, line: NewLogLine): LogLine | undefined {
    const log = this.#opened(operation);
    const isRepeat = line.epoch < log.epoch || (line.epoch === log.epoch && line.sequence <= log.sequence);
    if (isRepeat) return undefined;
    log.lastNumber += 1;
    log.epoch = line.epoch;
    log.sequence = line.sequence;
    const kept: LogLine = {
      number: log.lastNumber,
      at: line.at,
      step: line.step,
      ...(line.machine === undefined ? {} : { machine: line.machine }),
      text: clean(line.text),
    };
    log.pending.push(`${JSON.stringify({ ...kept, epoch: line.epoch, sequence: line.sequence })}\n`);
    this.#unsynced.add(log);
    return kept;
  }

  /** Makes all taken lines durable. On a full disk lines give way to the journal and the gap is said in the log. */
  sync(): void {
    for (const log of this.#unsynced) this.#write(log);
    this.#unsynced.clear();
  }

  /** Lines after a number, oldest first. */
  async read(operation: string, after: number, limit: number): Promise<LogPage> {
    this.sync();
    const folder = join(this.#directory, operation);
    const segments = segmentsOf(folder);
    const lines: LogLine[] = [];
    for (const [index, segment] of segments.entries()) {
      const next = segments[index + 1];
      if (next !== undefined && next.first <= after + 1) continue;
      const content = await readFile(join(folder, segment.name), 'utf8').catch(() => '');
      for (const { epoch: _epoch, sequence: _sequence, ...line } of readLines(content).lines)
        if (line.number > after && lines.length < limit) lines.push(line);
      if (lines.length >= limit) break;
    }
    return { lines, firstKept: segments[0]?.first ?? 1, last: lines.at(-1)?.number ?? after };
  }

  /** The operation is over: its file is closed until somebody writes again. */
  close(operation: string): void {
    const log = this.#open.get(operation);
    if (log === undefined) return;
    this.sync();
    closeSync(log.file);
    this.#open.delete(operation);
  }

  closeAll(): void {
    for (const operation of this.#open.keys()) this.close(operation);
  }

  #opened(operation: string): OpenLog {
    const known = this.#open.get(operation);
    if (known !== undefined) return known;
    const folder = join(this.#directory, operation);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const newest = segmentsOf(folder).at(-1);
    const log = openSegment(folder, newest?.first ?? 1);
    this.#open.set(operation, log);
    return log;
  }

  #write(log: OpenLog): void {
    const text = this.#withGap(log) + log.pending.join('');
    try {
      if (log.bytes >= this.#limits.segmentBytes) this.#turnOver(log);
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; )
        at += writeSync(log.file, bytes, at, bytes.length - at, log.bytes + at);
      fdatasyncSync(log.file);
      log.bytes += bytes.length;
      log.lost = 0;
    } catch (error) {
      if (!isOutOfSpace(error)) throw error;
      log.lost += log.pending.length;
    }
    log.pending = [];
  }

  /** What to say of lines that a full disk took. It stands in for them under the number of the last one. */
  #withGap(log: OpenLog): string {
    if (log.lost === 0) return '';
    const first = JSON.parse(log.pending[0] ?? '{}') as Partial<StoredLine>;
    const text = `${log.lost} lines are missing here: the disk was full.`;
    return `${JSON.stringify({ ...first, number: (first.number ?? 1) - 1, text })}\n`;
  }

  #turnOver(log: OpenLog): void {
    const first = log.lastNumber - log.pending.length + 1;
    const next = openSync(join(log.folder, segmentName(first)), 'w', 0o600);
    closeSync(log.file);
    log.file = next;
    log.bytes = 0;
    for (const old of segmentsOf(log.folder).slice(0, -this.#limits.segments))
      rmSync(join(log.folder, old.name));
  }
}

/** Opens the newest segment for writing on; a torn end (power cut) is cut off, its lines come again. */
function openSegment(folder: string, first: number): OpenLog {
  const path = join(folder, segmentName(first));
  const { lines, bytes } = existsSync(path) ? readLines(readFileSync(path, 'utf8')) : { lines: [], bytes: 0 };
  const file = openSync(path, existsSync(path) ? 'r+' : 'w', 0o600);
  ftruncateSync(file, bytes);
  const last = lines.at(-1);
  return {
    folder,
    file,
    bytes,
    lastNumber: last?.number ?? first - 1,
    epoch: last?.epoch ?? 0,
    sequence: last?.sequence ?? 0,
    pending: [],
    lost: 0,
  };
}
