/*
 * Loaded before a real program (`node --import`): kills it with -9 at the boundary whose number is in `REMUDA_KILL_AT`,
 * counting from 0 each change that it makes to its disk: before it, and in the middle of it where it is a write. Each
 * boundary is named in the file of `REMUDA_KILL_TRACE` before it is crossed.
 */
import Database from 'better-sqlite3';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

type Call = (...given: unknown[]) => unknown;

const at = Number(process.env['REMUDA_KILL_AT'] ?? -1);
const trace = process.env['REMUDA_KILL_TRACE'];
const { appendFileSync } = fs;
let count = -1;
/** A library's own calls inside a call that is a boundary already are none. */
let isInside = false;

/** Files that were written to since they were opened: one write stands for all of a file's. */
const written = new Set<unknown>();

/** Crosses a boundary; answers whether it is the one to die at. */
function isHere(label: string): boolean {
  count += 1;
  if (trace !== undefined) appendFileSync(trace, `${label}\n`);
  return count === at;
}

const die = (): void => void process.kill(process.pid, 'SIGKILL');

/** The first half of what is written; undefined when it cannot be halved. */
function half(content: unknown): unknown {
  if (typeof content === 'string') return content.slice(0, content.length / 2);
  return content instanceof Uint8Array ? content.subarray(0, content.length / 2) : undefined;
}

/** Whether the call leaves the disk as it is: opening to read, modules' sources above all. */
function isReading(name: string, given: readonly unknown[]): boolean {
  if (name.startsWith('open')) return typeof given[1] !== 'string' || /^rs?$/.test(given[1]);
  return name === 'pragma' && !String(given[0]).includes('=');
}

function cross(name: string, call: Call, given: unknown[]): unknown {
  if (isInside || isReading(name, given) || (name === 'writeSync' && written.has(given[0])))
    return call(...given);
  isInside = true;
  try {
    if (isHere(`${name} ${String(given[0]).trim().split('\n')[0]?.slice(0, 80)}`)) die();
    const first = /write|append/i.test(name) ? half(given[1]) : undefined;
    if (first !== undefined && isHere(`${name}, half of it`)) {
      const done = call(given[0], first);
      if (done instanceof Promise) return done.then(die);
      die();
    }
    const result = call(...given);
    if (name === 'writeSync') written.add(given[0]);
    if (name === 'openSync') written.delete(result);
    return result;
  } finally {
    isInside = false;
  }
}

function take(owner: object, names: readonly string[]): void {
  const calls = owner as Record<string, Call>;
  for (const name of names) {
    const call = calls[name];
    if (call === undefined) throw new Error(`there is no ${name} to kill at`);
    calls[name] = function (this: unknown, ...given: unknown[]) {
      return cross(name, call.bind(this), given);
    };
  }
}

const changes = [
  'mkdir',
  'rename',
  'rm',
  'unlink',
  'chmod',
  'writeFile',
  'appendFile',
  'copyFile',
  'symlink',
];
take(
  fs,
  [...changes, 'open', 'write'].map((name) => `${name}Sync`),
);
take(fs.promises, [...changes, 'open']);
syncBuiltinESMExports();
const probe = new Database(':memory:');
take(Object.getPrototypeOf(probe.prepare('SELECT 1')) as object, ['run']);
probe.close();
take(Database.prototype, ['exec', 'pragma']);
