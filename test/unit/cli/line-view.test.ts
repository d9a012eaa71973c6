import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LineView } from '../../../daemon/cli/progress/line-view.ts';
import { fakeOperation, fakeStep } from '../../integration/api/fake-engine.ts';
import type { Printer } from '../../../daemon/cli/terminal.ts';

const begin = Date.parse('2026-11-21T05:00:00.000Z');

beforeEach(() => {
  vi.useFakeTimers({ now: begin });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A fake printer that only keeps what was answered. */
function fakeView() {
  const lines: string[] = [];
  // Only what a LineView prints with is there.
  const printer = { answer: (text: string) => lines.push(text) } as never as Printer;
  return {
    view: new LineView(printer),
    lines,
    waits: () => lines.filter((line) => line.includes('waits for')),
  };
}

const waiting = (what: string, lastSeen: string) =>
  fakeOperation({
    stepList: [
      fakeStep('machine.preflight/cp-3', {
        state: 'running',
        attempt: 1,
        waiting: { what, lastSeen, since: new Date(begin).toISOString(), usually: 20_000 },
      }),
    ],
  });

test('a wait is said once, again at most every 30 s when only a number moved, at once when it is another', () => {
  const { view, waits } = fakeView();
  for (let second = 0; second <= 60; second += 1) {
    vi.setSystemTime(begin + second * 1000);
    view.show([waiting('HOST-DISK-LATENCY to pass', `cp-3: ${second} of 100 writes took too long`)]);
  }
  expect(waits()).toHaveLength(3);
  view.show([waiting('HOST-CLOCK to pass', 'cp-3: 9 s behind')]);
  expect(waits()).toHaveLength(4);
});

test('a wait names its machine once, and its age from its beginning', () => {
  const { view, waits } = fakeView();
  vi.setSystemTime(begin + 180_000);
  view.show([waiting('HOST-DISK-LATENCY to pass', 'cp-3: 99 of 100 writes took too long')]);
  expect(waits()[0]).toContain(
    'cp-3: waits for HOST-DISK-LATENCY to pass; last seen: 99 of 100 writes took too long; for 3 min, usually 20 s',
  );
});

test('a check that found all in order has passed; only what was there before is "already so"; no time below a second', () => {
  const { view, lines } = fakeView();
  const ended = (phase: 'preflight' | 'preparation', seconds: number) => ({
    phase,
    state: 'succeeded' as const,
    changed: false,
    startedAt: new Date(begin).toISOString(),
    endedAt: new Date(begin + seconds * 1000).toISOString(),
  });
  view.show([
    fakeOperation({
      stepList: [
        fakeStep('machine.preflight/cp-3', ended('preflight', 0.2)),
        fakeStep('kubelet.install/cp-3', ended('preparation', 3)),
      ],
    }),
  ]);
  expect(lines.find((line) => line.includes('preflight'))).toMatch(/ passed preflight: [^0-9]*cp-3$/);
  expect(lines.find((line) => line.includes('preparation'))).toMatch(/ already so preparation: .* in 3 s$/);
});
