import * as fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import type { LogLine } from '../../../daemon/api/types.ts';
import { levelOf } from '../../../ui/wizard/src/run/log/level.ts';
import { type LineFilter, LineScan, noFilter } from '../../../ui/wizard/src/run/log/line-scan.ts';
import { LineStore } from '../../../ui/wizard/src/run/log/line-store.ts';

const at = '2026-11-21T10:00:00.000Z';
let scans: LineScan[] = [];
afterEach(() => {
  for (const scan of scans) scan.stop();
  scans = [];
});

/** Starts a scan; the answer waits until it has looked at everything. */
function scanOf(store: LineStore): { readonly scan: LineScan; readonly done: () => Promise<void> } {
  const scan = new LineScan(store);
  scans.push(scan);
  let wake = (): void => undefined;
  scan.start(() => wake());
  const done = async (): Promise<void> => {
    while (scan.isBehind)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  };
  return { scan, done };
}

const positions = (scan: LineScan): number[] =>
  Array.from({ length: scan.rows }, (_, row) => scan.positionAt(row));

const line = (number: number, text: string, machine = 'm1', step = 's'): LogLine => ({
  number,
  at,
  step,
  machine,
  text,
});

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom(
    '',
    'needle',
    'a NEEDLE here',
    'needleneedle',
    'İstanbul needle',
    'E1121 failed',
    'W1121 x',
    'a\nneedle\nb',
  ),
);

test('a store gives back every line as it came, in any batches, and passes over repeats', () => {
  fc.assert(
    fc.property(fc.array(texts, { maxLength: 3000 }), fc.integer({ min: 1, max: 700 }), (all, size) => {
      const store = new LineStore();
      const lines = all.map((text, index) => line(index + 1, text, `m${index % 3}`, `s${index % 5}`));
      for (let from = 0; from < lines.length; from += size)
        store.append(lines.slice(Math.max(0, from - 3), from + size));
      expect(store.end).toBe(lines.length);
      for (const [index, { number, text, machine, step }] of lines.entries()) {
        expect(store.at(index)).toMatchObject({ number, text, machine, step });
        expect(store.positionOf(number)).toBe(index);
      }
      expect(store.positionOf(lines.length + 1)).toBeUndefined();
    }),
    { numRuns: 30 },
  );
});

test('a scan shows and finds exactly the lines that a plain search finds, also those that come later', async () => {
  const filters = fc.record({
    query: fc.constantFrom('', 'needle', 'NEEDLE', 'e', 'i̇'),
    isOnlyMatching: fc.boolean(),
    machine: fc.constantFrom('', 'm0', 'm2', 'unknown'),
    step: fc.constantFrom('', 's1'),
    level: fc.constantFrom('plain' as const, 'warning' as const, 'error' as const),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(texts, { maxLength: 2500 }), filters, fc.nat(), async (all, filter, cut) => {
      const store = new LineStore();
      const { scan, done } = scanOf(store);
      const lines = all.map((text, index) => line(index + 1, text, `m${index % 3}`, `s${index % 2}`));
      const middle = lines.length === 0 ? 0 : cut % lines.length;
      store.append(lines.slice(0, middle));
      scan.use(filter);
      await done();
      store.append(lines.slice(middle));
      scan.wake();
      await done();
      const { shown, matching } = expected(lines, filter);
      expect(positions(scan)).toEqual(shown);
      expect(Array.from({ length: scan.matches }, (_, index) => scan.matchAt(index))).toEqual(matching);
      for (const [row, position] of shown.entries()) expect(scan.rowOf(position)).toBe(row);
    }),
    { numRuns: 60 },
  );
});

/** The same said plainly. */
function expected(
  lines: readonly LogLine[],
  filter: LineFilter,
): { readonly shown: number[]; readonly matching: number[] } {
  const order = ['plain', 'warning', 'error'];
  const wanted = lines
    .map((one, index) => ({ one, index }))
    .filter(
      ({ one }) =>
        (filter.machine === '' || one.machine === filter.machine) &&
        (filter.step === '' || one.step === filter.step) &&
        order.indexOf(levelOf(one.text)) >= order.indexOf(filter.level),
    );
  const matching = wanted.filter(
    ({ one }) => filter.query !== '' && one.text.toLowerCase().includes(filter.query.toLowerCase()),
  );
  const shown = filter.query !== '' && filter.isOnlyMatching ? matching : wanted;
  return { shown: shown.map(({ index }) => index), matching: matching.map(({ index }) => index) };
}

test('the oldest lines go when there are too many, and rows and places stay true', async () => {
  const store = new LineStore();
  const { scan, done } = scanOf(store);
  scan.use({ ...noFilter, query: 'odd', isOnlyMatching: true });
  const total = 810_000;
  for (let from = 1; from <= total; from += 10_000)
    store.append(
      Array.from({ length: 10_000 }, (_, index) =>
        line(from + index, (from + index) % 2 === 0 ? 'even' : 'odd'),
      ),
    );
  scan.wake();
  await done();
  expect(store.end).toBe(total);
  expect(store.end - store.start).toBeLessThanOrEqual(800_000);
  expect(store.firstNumber).toBe(store.start + 1);
  expect(store.positionOf(1)).toBeUndefined();
  expect(store.at(scan.positionAt(0))?.text).toBe('odd');
  expect(store.at(scan.positionAt(scan.rows - 1))?.number).toBe(total - 1);
  expect(scan.rows).toBe((store.end - store.start) / 2);
});

test.each([
  ['E1121 10:00:00 anything', 'error'],
  ['I1121 10:00:00 failed to do it, as a matter of information', 'plain'],
  ['W1121 10:00:00 reflector', 'warning'],
  ['error: no route to host', 'error'],
  ['[WARNING Swap]: swap is on', 'warning'],
  ['errors=0 terror', 'plain'],
])('the level of "%s" is %s', (text, level) => {
  expect(levelOf(text)).toBe(level);
});
