import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-down-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A lab's record, as far as scripts/down reads it. Nothing of it runs. */
function lab(name: string, isReleased: boolean): void {
  mkdirSync(join(folder, 'labs', name), { recursive: true });
  const record = { state: 'present', ...(isReleased ? { isReleased } : {}) };
  writeFileSync(join(folder, 'labs', name, 'lab.json'), `${JSON.stringify(record, undefined, 2)}\n`);
}

function run(command: string, words: readonly string[], input: string) {
  const places = { LAB_DIR: 'labs', STATE: 'state', CONFIG: 'config', CACHE: 'cache' };
  const env = Object.fromEntries(
    Object.entries(places).map(([name, place]) => [`REMUDA_${name}`, join(folder, place)]),
  );
  const { status, stdout, stderr } = spawnSync(command, words, {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    input,
  });
  return { status, said: stdout + stderr };
}

const script = join(root, 'scripts/down');

/** Nobody answers, and without --yes nothing is removed: only what is said counts here. */
const down = (...words: readonly string[]) => run(script, words, '');

/** Somebody at a terminal, which script(1) is, answers; never with a word that has anything removed. */
const answered = (...answers: readonly string[]) =>
  run('script', ['--quiet', '--return', '--command', script, '/dev/null'], `${answers.join('\n')}\n`);

// What scripts/up made belongs to root, and scripts/down says so to everybody else before anything.
describe.runIf(process.getuid?.() === 0)('uninstalling asks what becomes of the clusters (H23)', () => {
  test('to keep those that were not ejected is refused: their keys would be gone', () => {
    lab('prod-1', false);
    const { status, said } = down('--clusters', 'keep', '--yes');
    expect(status).toBe(3);
    expect(said).toContain('prod-1');
    expect(said).toContain('remuda eject CLUSTER --to FOLDER');
  });

  test('ejected ones stay, and it is said before anything is removed', () => {
    lab('prod-1', true);
    expect(down('--clusters', 'keep').said).toContain('but for ejected ones, which stay: prod-1');
    expect(down().said).toContain('but for ejected ones, which stay: prod-1');
    expect(down('--clusters', 'delete').said).not.toContain('which stay');
  });

  test('what ejected machines stand on is not taken from under them', () => {
    lab('prod-1', true);
    const { status, said } = down('--cache', '--yes');
    expect([status, said]).toEqual([3, expect.stringContaining('root image')]);
  });

  test('at a terminal it asks what becomes of them, and takes any other word for no', () => {
    lab('prod-1', false);
    lab('given-1', true);
    const unsure = answered('perhaps');
    expect(unsure.said).toMatch(/kept by this Remuda: prod-1\s/);
    expect(unsure.said).toContain('[d]elete them with their machines, or [k]eep them');
    expect([unsure.status, unsure.said]).toEqual([0, expect.stringContaining('Nothing was removed.')]);
    const kept = answered('k');
    expect([kept.status, kept.said]).toEqual([3, expect.stringContaining('Eject each of them first')]);
    const deleted = answered('d', 'n');
    expect(deleted.said).toContain('but for ejected ones, which stay: given-1');
    expect([deleted.status, deleted.said]).toEqual([
      0,
      expect.stringMatching(/Go on\?.*Nothing was removed\./s),
    ]);
    expect(existsSync(join(folder, 'labs', 'prod-1', 'lab.json'))).toBe(true);
  });

  test('a word that it does not know is refused', () => {
    expect(down('--clusters', 'perhaps').status).toBe(2);
  });
});
