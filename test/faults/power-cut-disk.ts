import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Marker } from './power-cut-case.ts';

/** One thing that was done to the state folder, in the order of the trace. Paths are relative to the folder. */
export type DiskAct =
  | { readonly type: 'create' | 'truncate-open' | 'sync' | 'unlink'; readonly path: string }
  | { readonly type: 'folder' | 'sync-folder'; readonly path: string }
  | { readonly type: 'write'; readonly path: string; readonly offset: number; readonly data: Buffer }
  | { readonly type: 'truncate'; readonly path: string; readonly size: number }
  | { readonly type: 'rename'; readonly path: string; readonly to: string }
  | { readonly type: 'marker'; readonly marker: Marker };

/** A source of choices between 0 and 1 that a seed repeats. */
export type Choice = () => number;

/** mulberry32 (public domain): small, good enough to choose cuts, the same on every machine. */
export function seededChoice(seed: number): Choice {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const unhex = (text: string): Buffer => Buffer.from(text.replaceAll('\\x', ''), 'hex');
const textOf = (hex: string): string => unhex(hex).toString('utf8');

/** Joins what strace split because another thread's call came between. */
function* wholeLines(trace: string): Generator<string> {
  const unfinished = new Map<string, string>();
  for (const line of trace.split('\n')) {
    const pid = line.slice(0, line.indexOf(' '));
    if (line.endsWith('<unfinished ...>')) unfinished.set(pid, line.slice(0, -'<unfinished ...>'.length));
    else if (line.includes('resumed>'))
      yield (unfinished.get(pid) ?? '') + line.slice(line.indexOf('resumed>') + 8);
    else yield line;
  }
}

const reading = new Set([
  'access',
  'faccessat',
  'faccessat2',
  'stat',
  'lstat',
  'newfstatat',
  'statx',
  'statfs',
  'readlink',
  'readlinkat',
  'getcwd',
  'execve',
  'chdir',
]);

/**
 * Reads a trace made with `strace -f -y -xx`: what was done to the files below `folder`, and the markers between.
 * @throws Error on a call that changes files and is not modelled: better no proof than a wrong one
 */
export function readTrace(trace: string, folder: string, markerPath: string): DiskAct[] {
  const acts: DiskAct[] = [];
  let markers = '';
  const positions = new Map<string, number>();
  const known = new Set<string>();
  const inFolder = (path: string): boolean => path === folder || path.startsWith(`${folder}/`);
  for (const line of wholeLines(trace)) {
    const call = /^\d+\s+(\w+)\((.*)\)\s+= (-?\d+)/s.exec(line);
    if (call === null || Number(call[3]) < 0) continue;
    const [, name = '', args = '', result = ''] = call;
    if (reading.has(name)) continue;
    const strings = [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map((match) => match[1] as string);
    const handle = /^(\d+)<((?:\\x[0-9a-f]{2})+)>/.exec(args);
    const path = handle === null ? textOf(strings[0] ?? '') : textOf(handle[2] as string);
    if (path === markerPath && name === 'write') {
      markers += textOf(strings[0] ?? '');
      const lines = markers.split('\n');
      markers = lines.pop() ?? '';
      for (const text of lines) acts.push({ type: 'marker', marker: JSON.parse(text) as Marker });
      continue;
    }
    if (!inFolder(path)) continue;
    const short = relative(folder, path);
    if (name === 'openat' || name === 'open') {
      if (args.includes('O_CREAT') && !known.has(short)) acts.push({ type: 'create', path: short });
      else if (args.includes('O_TRUNC')) acts.push({ type: 'truncate-open', path: short });
      if (args.includes('O_CREAT')) known.add(short);
      positions.set(short, 0);
    } else if (name === 'pwrite64') {
      const offset = Number(args.slice(args.lastIndexOf(',') + 1));
      acts.push({ type: 'write', path: short, offset, data: unhex(strings[0] ?? '') });
    } else if (name === 'write') {
      const offset = positions.get(short) ?? 0;
      positions.set(short, offset + Number(result));
      acts.push({
        type: 'write',
        path: short,
        offset,
        data: unhex(strings[0] ?? '').subarray(0, Number(result)),
      });
    } else if (name === 'ftruncate') {
      acts.push({ type: 'truncate', path: short, size: Number(args.slice(args.lastIndexOf(',') + 1)) });
    } else if (name === 'fsync' || name === 'fdatasync') {
      acts.push({ type: known.has(short) ? 'sync' : 'sync-folder', path: short });
    } else if (name === 'mkdir' || name === 'mkdirat') acts.push({ type: 'folder', path: short });
    else if (name === 'unlink' || name === 'unlinkat') {
      acts.push({ type: 'unlink', path: short });
      known.delete(short);
    } else if (name === 'rename' || name === 'renameat' || name === 'renameat2') {
      const to = relative(folder, textOf(strings.at(-1) as string));
      acts.push({ type: 'rename', path: short, to });
      known.delete(short);
      known.add(to);
    } else throw new Error(`the trace has a call that the model does not know: ${name}(${path})`);
  }
  return acts;
}

const sector = 512;

interface ModelFile {
  durable: Buffer;
  pending: (DiskAct & { readonly path: string })[];
}

function applyTo(content: Buffer, act: DiskAct): Buffer {
  if (act.type === 'truncate-open') return Buffer.alloc(0);
  if (act.type === 'truncate')
    return Buffer.concat([content, Buffer.alloc(Math.max(0, act.size - content.length))]).subarray(
      0,
      act.size,
    );
  if (act.type !== 'write') return content;
  const end = act.offset + act.data.length;
  const grown = Buffer.concat([content, Buffer.alloc(Math.max(0, end - content.length))]);
  act.data.copy(grown, act.offset);
  return grown;
}

/** A write of which only some sectors reached the disk. */
function torn(act: DiskAct & { readonly type: 'write' }, content: Buffer, choice: Choice): Buffer {
  let result = content;
  for (let from = 0; from < act.data.length; from += sector)
    if (choice() < 0.5)
      result = applyTo(result, {
        ...act,
        offset: act.offset + from,
        data: act.data.subarray(from, from + sector),
      });
  return result;
}

/**
 * The folder as a power cut after `count` acts may leave it. What was synced is there. Of what was not, each write may
 * be there whole, missing, or torn at sectors, in any combination; an unsynced new file may be missing altogether (a
 * synced one is not: ext4, xfs and btrfs make a file's name durable with its first fsync); an unsynced rename or
 * unlink may not have happened.
 */
export function cut(acts: readonly DiskAct[], count: number, choice: Choice, target: string): void {
  const disk = new ModelDisk();
  for (const act of acts.slice(0, count)) disk.do(act);
  disk.write(target, choice);
}

/** Names that a power cut may still bring back: unlinked or renamed away, the folder not synced since. */
interface Ghost {
  readonly file: ModelFile;
  readonly renamedTo?: string;
}

class ModelDisk {
  readonly #files = new Map<string, ModelFile>();
  readonly #folders = new Set<string>(['']);
  readonly #named = new Set<string>();
  readonly #ghosts = new Map<string, Ghost>();

  do(act: DiskAct): void {
    if (act.type === 'marker') return;
    if (act.type === 'folder') this.#folders.add(act.path);
    else if (act.type === 'sync-folder') this.#syncFolder(act.path);
    else if (act.type === 'create') this.#create(act.path);
    else if (act.type === 'unlink') this.#leave(act.path);
    else if (act.type === 'rename') this.#rename(act.path, act.to);
    else if (act.type === 'sync') this.#sync(act.path);
    else this.#files.get(act.path)?.pending.push(act);
  }

  write(target: string, choice: Choice): void {
    for (const [path, ghost] of this.#ghosts) {
      if (choice() < 0.5) continue;
      this.#files.set(path, ghost.file);
      this.#named.add(path);
      if (ghost.renamedTo !== undefined) this.#files.delete(ghost.renamedTo);
    }
    for (const folder of this.#folders) mkdirSync(join(target, folder), { recursive: true });
    for (const [path, file] of this.#files) {
      if (!this.#named.has(path) && choice() < 0.5) continue;
      mkdirSync(dirname(join(target, path)), { recursive: true });
      writeFileSync(join(target, path), contentAfter(file, choice));
    }
  }

  #create(path: string): void {
    this.#files.set(path, { durable: Buffer.alloc(0), pending: [] });
    this.#ghosts.delete(path);
    this.#named.delete(path);
  }

  #leave(path: string): void {
    const file = this.#files.get(path);
    if (file !== undefined && this.#named.has(path)) this.#ghosts.set(path, { file });
    this.#files.delete(path);
  }

  #rename(path: string, to: string): void {
    const file = this.#files.get(path);
    if (file === undefined) return;
    this.#files.delete(path);
    this.#files.set(to, file);
    if (this.#named.has(path)) this.#ghosts.set(path, { file, renamedTo: to });
    this.#named.add(to);
  }

  #sync(path: string): void {
    const file = this.#files.get(path);
    if (file === undefined) return;
    for (const pending of file.pending) file.durable = applyTo(file.durable, pending);
    file.pending = [];
    this.#named.add(path);
  }

  #syncFolder(folder: string): void {
    const isIn = (path: string): boolean => dirname(path) === (folder || '.');
    for (const path of this.#files.keys()) if (isIn(path)) this.#named.add(path);
    for (const path of this.#ghosts.keys()) if (isIn(path)) this.#ghosts.delete(path);
  }
}

/** What was synced, and of what was not: each write whole, missing or torn. */
function contentAfter(file: ModelFile, choice: Choice): Buffer {
  let content = file.durable;
  for (const act of file.pending) {
    const fate = choice();
    if (fate < 0.4) content = applyTo(content, act);
    else if (fate < 0.7 && act.type === 'write') content = torn(act, content, choice);
  }
  return content;
}
