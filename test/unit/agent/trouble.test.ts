import { describe, expect, it } from 'vitest';
import { Blocked, Transient } from '../../../provisioners/contract/problem.ts';
import { minutes } from '../../../provisioners/contract/time.ts';
import { bench, dispatchOf, fakeStep, FakeClock, outcomeOf } from './bench.ts';

const done = { state: 'done', facts: {} } as const;
const todo = { state: 'todo', why: 'not there' } as const;
const limits = { soft: minutes(0.5), hard: minutes(8), attempts: 3 };
const away = (): never => {
  throw new Blocked('BACKUP-001', 'Nothing is mounted there.', { remedy: 'Mount it.' });
};

/** The outcome, and after how many minutes of the fake clock. */
async function run(thing: Parameters<typeof fakeStep>[0], trouble?: number) {
  const clock = new FakeClock();
  const before = Date.parse(clock.now());
  const step = fakeStep(thing, { limits: trouble === undefined ? limits : { ...limits, trouble } });
  const { runner, reports } = bench(step, { clock });
  runner.dispatch(dispatchOf());
  const outcome = await outcomeOf(reports);
  return { outcome, lasted: Math.round((Date.parse(clock.now()) - before) / minutes(1)) };
}

describe('problems that nobody mends (complaint 2)', () => {
  it('stop a step that limits them, resumable, with what was seen and for how long', async () => {
    const { outcome, lasted } = await run({ observe: away, apply: () => {} }, minutes(1));
    expect(outcome).toMatchObject({
      state: 'failed',
      hardLimit: false,
      problem: {
        kind: 'blocked',
        code: 'BACKUP-001',
        summary: expect.stringMatching(/^Nothing is mounted there; it has been so for 1 minutes?$/),
        remedy: expect.stringMatching(/^Mount it\. Then resume/),
      },
    });
    expect(lasted).toBeLessThan(3);
  });

  it('stop it also where it can look, and only its tries fail', async () => {
    const { outcome, lasted } = await run({ observe: () => todo, apply: away }, minutes(1));
    expect(outcome).toMatchObject({ state: 'failed', problem: { code: 'BACKUP-001' } });
    expect(lasted).toBeLessThan(3);
  });

  it('are waited for to the hard limit where no step says otherwise', async () => {
    const { lasted } = await run({ observe: away, apply: () => {} });
    expect(lasted).toBeGreaterThan(6);
  });

  it('count anew when something came of it between them', async () => {
    let looks = 0;
    const observe = () => {
      looks += 1;
      if (looks > 150) return done;
      // Now and then somebody answers.
      if (looks % 3 === 0)
        return { state: 'pending', what: 'it', since: '2026-11-21T05:00:00.000Z', usually: 9 } as const;
      throw new Transient('NET-1', 'no answer');
    };
    const { outcome, lasted } = await run({ observe, apply: () => {} }, minutes(1));
    expect(outcome).toMatchObject({ state: 'succeeded' });
    expect(lasted).toBeGreaterThan(1);
  });
});
