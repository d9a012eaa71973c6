import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { StepGraph } from '../../../daemon/operations/graph.ts';
import type { PlannedStep } from '../../../provisioners/contract/plan.ts';
import { noMischief, type Mischief } from './fake-agent.ts';
import { FakeSite } from './fake-site.ts';
import { settle } from './fake-clock.ts';
import type { TinyThing } from './tiny-planners.ts';

/** Random graphs: each thing may come after any thing before it. */
const graphs: fc.Arbitrary<TinyThing[]> = fc
  .array(
    fc.record({ after: fc.array(fc.nat(), { maxLength: 3 }), isAct: fc.boolean(), wantsFact: fc.boolean() }),
    { minLength: 1, maxLength: 9 },
  )
  .map((rows) =>
    rows.map(({ after, isAct, wantsFact }, index) => {
      const before = index === 0 ? [] : [...new Set(after.map((number) => `t${number % index}`))];
      const [fact] = before;
      return { id: `t${index}`, after: before, isAct, ...(wantsFact && fact !== undefined ? { fact } : {}) };
    }),
  );

const step = (id: string, after: readonly string[]): PlannedStep => ({
  id,
  kind: 'k',
  version: 1,
  phase: 'machines',
  subject: id,
  title: id,
  input: null,
  after,
  destructive: false,
});

test('the graph starts no step before its predecessors ended well, and every step once (V8)', () => {
  fc.assert(
    fc.property(graphs, fc.array(fc.nat(), { minLength: 30, maxLength: 30 }), (things, choices) => {
      const graph = new StepGraph(things.map(({ id, after }) => step(id, after)));
      const done = new Set<string>();
      const running: string[] = [];
      for (const choice of choices) {
        for (const { id, after } of graph.ready()) {
          expect(after.every((before) => done.has(before))).toBe(true);
          graph.start(id);
          running.push(id);
        }
        const [ending] = running.splice(choice % Math.max(running.length, 1), 1);
        if (ending === undefined) break;
        expect(done.has(ending)).toBe(false);
        graph.end(ending, true);
        done.add(ending);
      }
      expect(done.size).toBe(things.length);
      expect(graph.isComplete).toBe(true);
    }),
  );
});

test('nothing behind a failed step is ever ready', () => {
  const graph = new StepGraph([step('a', []), step('b', ['a']), step('c', ['b']), step('d', [])]);
  graph.start('a');
  graph.end('a', false);
  expect(graph.ready().map(({ id }) => id)).toEqual(['d']);
  expect(graph.isComplete).toBe(false);
});

test('a plan with a circle, a loose edge or a doubled step is refused as our bug', () => {
  expect(() => new StepGraph([step('a', ['b']), step('b', ['a'])])).toThrow('wait for each other: a, b');
  expect(() => new StepGraph([step('a', ['x'])])).toThrow('not in the plan');
  expect(() => new StepGraph([step('a', []), step('a', [])])).toThrow('twice');
});

/** What goes wrong in one run: kills of the daemon after so many moments, losses on the line, failing steps. */
interface Trouble {
  readonly kills: readonly number[];
  readonly losses: readonly boolean[];
  readonly failures: readonly number[];
  readonly durations: readonly number[];
}

const troubles: fc.Arbitrary<Trouble> = fc.record({
  kills: fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 6 }),
  losses: fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
  failures: fc.array(fc.nat({ max: 8 }), { maxLength: 2 }),
  durations: fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 9 }),
});

function mischiefOf(trouble: Trouble): Mischief {
  let losses = 0;
  const failed = new Set<string>();
  return {
    fails: (thing) => {
      const isDue = trouble.failures.includes(Number(thing.slice(1))) && !failed.has(thing);
      if (isDue) failed.add(thing);
      return isDue;
    },
    duration: (thing) => trouble.durations[Number(thing.slice(1)) % trouble.durations.length] as number,
    // Never for ever: at the end of the list nothing is lost any more.
    isLost: () => trouble.losses[(losses += 1)] ?? false,
  };
}

/** Runs one operation to success through all the trouble; a person resumes it when it stops on a failure. */
async function carryThrough(site: FakeSite, things: readonly TinyThing[], trouble: Trouble): Promise<string> {
  const kills = [...trouble.kills];
  let moments = 0;
  const answer = await site.apply({ name: 'one', things });
  const id = answer.operations[0]?.id as string;
  site.agent.mischief = mischiefOf(trouble);
  for (let ticks = 0; ticks < 5000; ticks += 1) {
    await settle();
    const { state } = site.engine.getOperation(id);
    if (state === 'succeeded') return id;
    if (state === 'failed') await site.run(site.engine.resumeOperation(id, 'p'));
    site.clock.tick();
    moments += 1;
    if (kills[0] === moments) {
      // Right after a timer's work, before anything that was promised by it: between two durable moments.
      kills.shift();
      moments = 0;
      site.kill();
      await settle();
      await site.start();
    }
  }
  throw new Error(`operation ${id} never ended: ${JSON.stringify(site.engine.getOperation(id))}`);
}

test('random graphs, failures, losses and kills: order kept, nothing lost, nothing twice, the same end (V8, complaint 3)', async () => {
  await fc.assert(
    fc.asyncProperty(graphs, troubles, async (things, trouble) => {
      const site = new FakeSite();
      try {
        await site.start();
        const id = await carryThrough(site, things, trouble);
        expect(site.agent.breaches).toEqual([]);
        expect([...site.agent.made.keys()].sort()).toEqual(things.map((thing) => thing.id).sort());
        expect(site.agent.effects.length).toBe(things.length);
        expect(site.state.attempts.listOpen(id)).toEqual([]);
        expect(site.state.database.pragma('integrity_check', { simple: true })).toBe('ok');
        const attempts = site.state.attempts.list(id);
        expect(new Set(site.agent.starts).size).toBe(site.agent.starts.length);
        expect(attempts.every((attempt) => attempt.outcome !== undefined)).toBe(true);
        const log = await site.engine.logLines(id, 0);
        expect(log.lines.length).toBe(site.agent.starts.length);
        site.agent.mischief = noMischief;
        const again = await site.apply({ name: 'one', things });
        expect(again.operations).toEqual([]);
      } finally {
        await site.close();
      }
    }),
    { numRuns: Number(process.env['REMUDA_RUNS'] ?? 60) },
  );
});
