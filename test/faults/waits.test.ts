import { afterEach, expect, it } from 'vitest';
import type { OperationDetail } from '../../daemon/operations/answers.ts';
import type { Waiting } from '../../provisioners/contract/ports.ts';
import { steps } from '../../provisioners/kubernetes/steps.ts';
import { answerFile } from './answer-file.ts';
import type { ProcessName } from './boundaries.ts';
import { World } from './harness.ts';

const machine = 'demo-general-2';
const step = `payload.install/${machine}`;
let world: World | undefined;

afterEach(() => {
  world?.close();
  world = undefined;
});

interface Waits {
  readonly world: World;
  readonly id: string;
  /** When the step was looked at, model time, ms. */
  readonly looks: number[];
}

const waitOf = (detail: OperationDetail): Waiting | undefined =>
  detail.stepList.find(({ id }) => id === step)?.waiting;

/** A cluster in the making, with one machine unplugged while its step is under way and waits for it. */
async function unplugged(): Promise<Waits> {
  const looks: number[] = [];
  const watched = steps.map((one) => ({
    ...one,
    observe: (...[context, input]: Parameters<typeof one.observe>) => {
      if (context.step === step) looks.push(Date.parse(context.now()));
      return one.observe(context, input);
    },
  }));
  const opened = new World({ steps: watched });
  world = opened;
  await opened.open();
  const { operations } = await opened.run(
    opened.request((engine) =>
      engine.apply({ text: answerFile(), file: 'c.yaml', principal: 'tester', idempotencyKey: 'c' }),
    ),
  );
  const id = operations[0]?.id ?? '';
  const found = { world: opened, id, looks };
  await until(found, () => looks.length > 0);
  opened.fleet.addFault({ kind: 'line-cut', machine, from: opened.fleet.elapsed, to: 1e9 });
  await until(found, (detail) => waitOf(detail)?.lastSeen.includes('does not answer') === true);
  return found;
}

async function until(
  { world: opened, id }: Waits,
  isSo: (detail: OperationDetail) => boolean,
): Promise<OperationDetail> {
  const look = async (): Promise<OperationDetail> => {
    for (let seconds = 0; seconds < 600; seconds += 1) {
      const detail = await opened.request((engine) => engine.getOperation(id));
      if (isSo(detail)) return detail;
      await opened.clock.sleep(1000);
    }
    throw new Error(`it did not come about:\n${opened.explain()}`);
  };
  return opened.run(look());
}

const deaths: readonly { readonly who: string; readonly names: readonly ProcessName[] }[] = [
  { who: 'the agent', names: ['agent'] },
  { who: 'the daemon', names: ['daemon'] },
  { who: 'the box', names: ['agent', 'daemon'] },
];

it.each(deaths)('complaint 1: a wait keeps its age when $who dies and comes back', async ({ names }) => {
  const waits = await unplugged();
  const { world: opened, id, looks } = waits;
  const before = waitOf(await opened.run(opened.request((engine) => engine.getOperation(id))));
  await opened.run(opened.clock.sleep(30_000));
  opened.kill(names);
  const reports = looks.length;
  // A new process has looked, and what it said of it has had the time to be journalled.
  await until(waits, () => looks.length > reports + 3);
  await opened.run(opened.clock.sleep(20_000));
  const after = waitOf(await opened.run(opened.request((engine) => engine.getOperation(id))));
  expect(after).toMatchObject({ what: before?.what, since: before?.since });
  opened.fleet.repair();
  expect((await opened.run(opened.ended(id))).state, opened.explain()).toBe('succeeded');
});

it('complaint 1: the last look of a step that waits is never older than 5 s', async () => {
  const { world: opened, looks } = await unplugged();
  const from = looks.length - 1;
  await opened.run(opened.clock.sleep(300_000));
  const now = opened.clock.milliseconds();
  const times = [...looks.slice(from), now];
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  expect(gaps.length).toBeGreaterThan(60);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(5000);
});
