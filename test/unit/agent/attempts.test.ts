import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { array, assert, asyncProperty, constantFrom } from 'fast-check';
import type { Json } from '../../../provisioners/contract/json.ts';
import { Blocked, Transient, UserProblem } from '../../../provisioners/contract/problem.ts';
import type { Observation } from '../../../provisioners/contract/step.ts';
import { AttemptStore } from '../../../appliance/agent/store.ts';
import { bench, dispatchOf, fakeStep, FakeClock, outcomeOf } from './bench.ts';

const done = { state: 'done', facts: { address: '10.0.0.1' } } as const;
const todo = { state: 'todo', why: 'not there' } as const;

describe('one attempt', () => {
  it('applies what is to do, looks again, and tells the facts (V8)', async () => {
    let made = 0;
    const { runner, reports } = bench(
      fakeStep({ observe: () => (made > 0 ? done : todo), apply: () => void (made += 1) }),
    );
    runner.dispatch(dispatchOf());
    expect(await outcomeOf(reports)).toEqual({ state: 'succeeded', facts: done.facts, changed: true });
    expect(made).toBe(1);
    expect(reports().map((report) => report.type)).toEqual(['started', 'log', 'ended']);
    expect(reports().map((report) => report.sequence)).toEqual([1, 2, 3]);
  });

  it('changes nothing when the first look says done (second apply makes 0 mutating calls)', async () => {
    let made = 0;
    const { runner, reports } = bench(fakeStep({ observe: () => done, apply: () => void (made += 1) }));
    runner.dispatch(dispatchOf());
    expect(await outcomeOf(reports)).toMatchObject({ state: 'succeeded', changed: false });
    expect(made).toBe(0);
  });

  it.each([
    { of: 'a machine', machine: 'm1', longest: 2500 },
    { of: 'what many share', machine: undefined, longest: 30_000 },
  ])('asks $of that does not answer again after at most $longest ms of its own clock', async (row) => {
    const clock = new FakeClock();
    const looks: number[] = [];
    const details = row.machine === undefined ? {} : { machine: row.machine };
    const observe = (): Observation<{ address: string }> => {
      looks.push(Date.parse(clock.now()));
      if (looks.length < 20) throw new Transient('T-1', 'no answer', details);
      return done;
    };
    const { runner, reports } = bench(fakeStep({ observe, apply: () => {} }), { clock });
    runner.dispatch(dispatchOf());
    await outcomeOf(reports);
    const pauses = looks.slice(1).map((at, index) => at - (looks[index] ?? 0));
    // The fake clock's chance is one half: three quarters of the longest.
    expect(Math.max(...pauses)).toBe(0.75 * row.longest);
  });

  it('never applies on unknown or pending, whatever the order of what is seen', async () => {
    const kinds = constantFrom('unknown', 'fault', 'pending', 'blocked', 'todo', 'broken');
    await assert(
      asyncProperty(array(kinds, { maxLength: 12 }), async (script) => {
        let looks = 0;
        let seen = '';
        const wrong: string[] = [];
        const observe = (): Observation<{ address: string }> => {
          seen = script[looks] ?? 'done';
          looks += 1;
          if (seen === 'unknown') throw new Transient('T-1', 'the line is down');
          if (seen === 'fault') throw new Error('a bug');
          if (seen === 'pending')
            return { state: 'pending', what: 'x', since: '2026-11-21T05:00:00.000Z', usually: 1 };
          if (seen === 'blocked') return { state: 'blocked', why: 'x', remedy: 'y' };
          if (seen === 'todo' || seen === 'broken') return { state: seen, why: 'x' };
          return done;
        };
        const apply = (): void => {
          if (seen !== 'todo' && seen !== 'broken') wrong.push(seen);
        };
        const { runner, reports } = bench(fakeStep({ observe, apply }));
        runner.dispatch(dispatchOf());
        await outcomeOf(reports);
        expect(wrong).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('waits for what is blocked, says why and the remedy, and finishes after a manual fix (complaints 1, 2)', async () => {
    let looks = 0;
    const clock = new FakeClock();
    const { runner, reports } = bench(
      fakeStep({
        observe: () => {
          looks += 1;
          return looks < 60 ? { state: 'blocked', why: 'the cable is out', remedy: 'put it in' } : done;
        },
        apply: () => {
          throw new Error('must not be applied');
        },
      }),
      { clock },
    );
    runner.dispatch(dispatchOf());
    expect(await outcomeOf(reports)).toMatchObject({ state: 'succeeded', changed: false });
    const wait = reports().find((report) => report.type === 'waiting');
    expect(wait).toMatchObject({
      waiting: { what: 'somebody to act', lastSeen: 'the cable is out', youCould: 'put it in' },
    });
    const warned = reports().filter(
      (report) => report.type === 'log' && /longer than usual/u.test(report.text),
    );
    expect(warned).toHaveLength(1);
  });

  it('counts one wait from its beginning, though each look names its own moment and sees another number', async () => {
    let looks = 0;
    const { runner, reports } = bench(
      fakeStep({
        observe: (context) => {
          looks += 1;
          if (looks === 3) throw new Transient('NET-1', 'no answer');
          if (looks > 5) return done;
          const lastSeen = `${looks} of 9 are there`;
          return { state: 'pending', what: 'all to be there', lastSeen, since: context.now(), usually: 9 };
        },
        apply: () => {},
      }),
    );
    runner.dispatch(dispatchOf());
    await outcomeOf(reports);
    const waits = reports().flatMap((report) => (report.type === 'waiting' ? [report.waiting] : []));
    const same = waits.filter(({ what }) => what === 'all to be there');
    expect(same.map(({ lastSeen }) => lastSeen)).toEqual(
      [1, 2, 4, 5].map((count) => `${count} of 9 are there`),
    );
    expect(new Set(same.map(({ since }) => since)).size).toBe(1);
  });

  it('stops at the hard limit, says what it waited for, and can be resumed', async () => {
    const { runner, reports } = bench(
      fakeStep({
        observe: () => ({
          state: 'pending',
          what: 'w1 to boot',
          since: '2026-11-21T05:00:00.000Z',
          usually: 9,
        }),
        apply: () => {},
      }),
    );
    runner.dispatch(dispatchOf());
    const outcome = await outcomeOf(reports);
    expect(outcome).toMatchObject({ state: 'failed', hardLimit: true, problem: { code: 'STEP-002' } });
    expect(JSON.stringify(outcome)).toContain('w1 to boot');
  });

  it('tries a transient failure of apply again, as often as the limit says, then tells why', async () => {
    let tries = 0;
    const { runner, reports } = bench(
      fakeStep({
        observe: () => todo,
        apply: () => {
          tries += 1;
          throw new Transient('NET-7', 'refused', { lastLines: ['boom'], machine: 'w1' });
        },
      }),
    );
    runner.dispatch(dispatchOf());
    expect(await outcomeOf(reports)).toMatchObject({
      state: 'failed',
      hardLimit: false,
      problem: { code: 'NET-7', lastLines: ['boom'], machine: 'w1' },
    });
    expect(tries).toBe(3);
  });

  it('gives up with the reason when apply works but nothing becomes of it', async () => {
    const { runner, reports } = bench(fakeStep({ observe: () => todo, apply: () => {} }));
    runner.dispatch(dispatchOf());
    const outcome = await outcomeOf(reports);
    expect(outcome).toMatchObject({ state: 'failed', problem: { code: 'STEP-001' } });
    expect(JSON.stringify(outcome)).toContain('not there');
  });

  it('does not repeat what the user must change', async () => {
    let tries = 0;
    const { runner, reports } = bench(
      fakeStep({
        observe: () => todo,
        apply: () => {
          tries += 1;
          throw new UserProblem('X-1', 'no such pool', { remedy: 'change spec.pool' });
        },
      }),
    );
    runner.dispatch(dispatchOf());
    expect(await outcomeOf(reports)).toMatchObject({ state: 'failed', problem: { kind: 'user' } });
    expect(tries).toBe(1);
  });

  it('goes on when what blocked an apply is mended', async () => {
    let tries = 0;
    const { runner, reports } = bench(
      fakeStep({
        observe: () => (tries > 5 ? done : todo),
        apply: () => {
          tries += 1;
          if (tries < 6) throw new Blocked('Q-1', 'quota reached', { remedy: 'raise it' });
        },
      }),
    );
    runner.dispatch(dispatchOf());
    expect(await outcomeOf(reports)).toMatchObject({ state: 'succeeded', changed: true });
  });

  it("names what an apply gave way to, which is nobody's fault and no failed try", async () => {
    let tries = 0;
    const { runner, reports } = bench(
      fakeStep({
        observe: () => (tries > 5 ? done : todo),
        apply: () => {
          tries += 1;
          const details = { remedy: 'nothing is to be done', awaits: 'cp-2 to have joined' };
          if (tries < 6) throw new Blocked('Q-2', 'cp-2 is joining', details);
        },
      }),
    );
    runner.dispatch(dispatchOf());
    expect(await outcomeOf(reports)).toMatchObject({ state: 'succeeded' });
    const said = JSON.stringify(reports());
    expect(said).toContain('not yet: cp-2 is joining');
    expect(said).toContain('"what":"cp-2 to have joined"');
    expect(said).not.toMatch(/somebody to act|did not work/);
  });

  it('delivers an act once and keeps its receipt over attempts', async () => {
    let delivered = 0;
    const step = fakeStep({ observe: () => todo, apply: () => void (delivered += 1) }, { nature: 'act' });
    const { runner, reports } = bench(step);
    runner.dispatch(dispatchOf());
    expect(await outcomeOf(reports)).toMatchObject({ state: 'succeeded', changed: true });
    runner.dispatch(dispatchOf({ key: { ...dispatchOf().key, attempt: 2 } }));
    expect(await outcomeOf(reports, 2)).toMatchObject({ state: 'succeeded', changed: false });
    expect(delivered).toBe(1);
  });

  it('reads the facts of an act that was delivered by one that died before it could, and delivers nothing again', async () => {
    let delivered = 0;
    let isReadable = false;
    const observe = (): Observation<Json> => {
      if (delivered === 0) return todo;
      if (!isReadable) throw new Transient('X-001', 'nobody answers');
      return done;
    };
    const step = fakeStep({ observe, apply: () => void (delivered += 1) }, { nature: 'act' });
    const { runner, reports } = bench(step);
    runner.dispatch(dispatchOf());
    expect(await outcomeOf(reports)).toEqual({ state: 'succeeded', facts: {}, changed: true });
    isReadable = true;
    for (const attempt of [2, 3]) {
      runner.dispatch(dispatchOf({ key: { ...dispatchOf().key, attempt } }));
      expect(await outcomeOf(reports, attempt)).toEqual({
        state: 'succeeded',
        facts: done.facts,
        changed: false,
      });
      isReadable = false;
    }
    expect(delivered).toBe(1);
  });

  it('blacks out secrets and strips control codes in everything it says', async () => {
    const { runner, reports } = bench(
      fakeStep({
        observe: (context) => {
          context.log('\u001B[31mpassword hunter2-secret\u001B[0m\u0007');
          return { state: 'done', facts: { note: 'ok' } };
        },
        apply: () => {},
      }),
    );
    runner.dispatch(dispatchOf());
    await outcomeOf(reports);
    const line = reports().find((report) => report.type === 'log');
    expect(line).toMatchObject({ text: 'password [redacted]' });
  });
});

describe('cancel', () => {
  it('ends a wait at once', async () => {
    let release = (): void => {};
    const looking = new Promise<void>((resolve) => (release = resolve));
    const { runner, reports } = bench(
      fakeStep({
        observe: () => {
          release();
          return new Promise(() => {});
        },
        apply: () => {},
      }),
    );
    runner.dispatch(dispatchOf());
    await looking;
    runner.cancel(dispatchOf().key);
    expect(await outcomeOf(reports)).toEqual({ state: 'cancelled' });
  });

  it('lets a running apply finish, and says succeeded when that made it so', async () => {
    let isMade = false;
    const { runner, reports } = bench(
      fakeStep({
        observe: () => (isMade ? done : todo),
        apply: async (context) => {
          runner.cancel(dispatchOf().key);
          expect(context.signal.aborted).toBe(false);
          await context.sleep(5000);
          isMade = true;
        },
      }),
    );
    runner.dispatch(dispatchOf());
    expect(await outcomeOf(reports)).toMatchObject({ state: 'succeeded', changed: true });
  });
});

describe('refusals: nothing is applied, the reason is told', () => {
  const cases = [
    ['an older epoch', { epoch: 0 }, 'AGENT-030'],
    ['a newer epoch', { epoch: 2 }, 'AGENT-030'],
    ['an unknown kind', { kind: 'other.make' }, 'AGENT-031'],
    ['a newer input', { version: 3 }, 'AGENT-032'],
    ['an input its schema refuses', { input: { size: 'x' } }, 'AGENT-033'],
  ] as const;
  it.each(cases)('%s', async (_name, overrides, code) => {
    let touched = 0;
    const touch = (): typeof done => {
      touched += 1;
      return done;
    };
    const { runner, reports } = bench(fakeStep({ observe: touch, apply: () => {} }));
    runner.dispatch(dispatchOf(overrides));
    expect(await outcomeOf(reports)).toMatchObject({ state: 'failed', problem: { code } });
    expect(touched).toBe(0);
  });
});

describe('duplicates and restarts (complaint 3)', () => {
  it('joins the running attempt', async () => {
    let made = 0;
    const step = fakeStep({
      observe: () => (made > 0 ? done : todo),
      apply: async (context) => {
        await context.sleep(10);
        made += 1;
      },
    });
    const { runner, reports } = bench(step);
    for (let i = 0; i < 5; i += 1) runner.dispatch(dispatchOf());
    await outcomeOf(reports);
    runner.dispatch(dispatchOf());
    expect(made).toBe(1);
    expect(reports().filter((report) => report.type === 'ended')).toHaveLength(1);
  });

  it('tells a recorded end again when it was already acknowledged', async () => {
    const { runner, reports } = bench(fakeStep({ observe: () => done, apply: () => {} }));
    runner.dispatch(dispatchOf());
    await outcomeOf(reports);
    runner.acknowledge(2);
    expect(reports()).toEqual([]);
    expect(runner.open()).toEqual([]);
    runner.dispatch(dispatchOf());
    expect(reports()).toMatchObject([{ sequence: 3, type: 'ended' }]);
  });

  it('takes up open attempts by itself after a kill; numbers go on; nothing is applied twice', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'remuda-agent-'));
    try {
      const file = join(folder, 'agent.db');
      let made = 0;
      let reached = (): void => {};
      const isApplied = new Promise<void>((resolve) => (reached = resolve));
      const hanging = fakeStep({
        observe: () => todo,
        apply: () => {
          made += 1;
          reached();
          return new Promise<void>(() => {});
        },
      });
      const first = bench(hanging, { store: new AttemptStore(file) });
      first.runner.dispatch(dispatchOf());
      await isApplied;
      first.runner.abandon();
      first.store.close();
      const step = fakeStep({ observe: () => (made > 0 ? done : todo), apply: () => void (made += 1) });
      const second = bench(step, { store: new AttemptStore(file) });
      expect(second.runner.open()).toEqual([dispatchOf().key]);
      second.runner.resume();
      expect(await outcomeOf(second.reports)).toMatchObject({ state: 'succeeded' });
      expect(made).toBe(1);
      const numbers = second.reports().map((report) => report.sequence);
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
      await second.runner.stop();
      second.store.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('starts a new conversation with a new epoch, and refuses to go back', () => {
    const store = new AttemptStore(':memory:');
    const step = fakeStep({ observe: () => done, apply: () => {} });
    bench(step, { store, epoch: 4 });
    expect(() => bench(step, { store, epoch: 3 })).toThrow(/older/u);
    expect(store.epoch).toBe(4);
  });

  it('a newer attempt waits until the older one let go', async () => {
    const order: string[] = [];
    const step = fakeStep({
      observe: () => (order.includes('end 1') ? done : todo),
      apply: async (context) => {
        order.push(`begin ${context.attempt}`);
        if (context.attempt === 1) runner.dispatch(dispatchOf({ key: { ...dispatchOf().key, attempt: 2 } }));
        await context.sleep(1000);
        order.push(`end ${context.attempt}`);
      },
    });
    const { runner, reports } = bench(step);
    runner.dispatch(dispatchOf());
    await outcomeOf(reports, 2);
    expect(order).toEqual(['begin 1', 'end 1']);
  });
});

describe('the outbox', () => {
  it('leaves out log lines when it is full, says how many, and never an end', async () => {
    const store = new AttemptStore(':memory:', 50);
    const { runner, reports } = bench(
      fakeStep({
        observe: (context) => {
          for (let i = 0; i < 200; i += 1) context.log(`line ${i}`);
          return done;
        },
        apply: () => {},
      }),
      { store },
    );
    runner.dispatch(dispatchOf());
    await outcomeOf(reports);
    expect(reports().length).toBeLessThan(60);
    runner.acknowledge(reports().at(-1)?.sequence ?? 0);
    runner.dispatch(dispatchOf({ key: { ...dispatchOf().key, attempt: 2 } }));
    await outcomeOf(reports, 2);
    const texts = reports().map((report) => (report.type === 'log' ? report.text : ''));
    expect(texts.some((text) => /log lines were left out/u.test(text))).toBe(true);
    const numbers = reports().map((report) => report.sequence);
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
  });
});
