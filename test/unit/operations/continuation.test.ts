import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { continueWith, type PastWork } from '../../../daemon/operations/continuation.ts';
import { StepGraph } from '../../../daemon/operations/graph.ts';
import { OperationRun } from '../../../daemon/operations/run.ts';
import type { AttemptRecord } from '../../../daemon/state/attempts.ts';
import type { Json } from '../../../provisioners/contract/json.ts';
import { type Plan, type PlannedStep, resolveReferences } from '../../../provisioners/contract/plan.ts';
import { tinyPlanners } from './tiny-planners.ts';

const at = '2026-11-21T00:00:00.000Z';
const subjects = ['m1', 'm2', 'm3', 'cluster'];

/** A step as chance makes it: any steps before it may come before it. */
interface Draw {
  readonly after: readonly number[];
  readonly subject: number;
  readonly isAct: boolean;
  readonly isCheck: boolean;
  readonly destructive: boolean;
  readonly takesFact: boolean;
}

const draws: fc.Arbitrary<Draw[]> = fc.array(
  fc.record({
    after: fc.array(fc.nat(), { maxLength: 3 }),
    subject: fc.nat({ max: subjects.length - 1 }),
    isAct: fc.boolean(),
    isCheck: fc.boolean(),
    destructive: fc.boolean(),
    takesFact: fc.boolean(),
  }),
  { minLength: 1, maxLength: 14 },
);

function stepsOf(drawn: readonly Draw[]): PlannedStep[] {
  return drawn.map((draw, index): PlannedStep => {
    const after = index === 0 ? [] : [...new Set(draw.after.map((number) => `s${number % index}`))].sort();
    const [fact] = after;
    return {
      id: `s${index}`,
      kind: draw.isAct ? 'act' : 'ensure',
      version: 1,
      phase: draw.isCheck ? 'preflight' : 'machines',
      subject: subjects[draw.subject] ?? 'cluster',
      title: `s${index}`,
      input:
        draw.takesFact && fact !== undefined ? { of: { $fact: { step: fact, path: ['n'] } } } : { own: 0 },
      after,
      destructive: draw.destructive,
    };
  });
}

const planOf = (steps: readonly PlannedStep[]): Plan => ({
  kind: 'update',
  cluster: { uid: 'u', name: 'one' },
  premises: { revision: 'r', observedAt: at, machines: {}, versions: {} },
  steps,
  destroys: [],
  notices: [],
  changes: [],
});

/** Runs a plan for a while and leaves it in the middle: what has ended (well or badly) and what is open. */
function leaveInTheMiddle(steps: readonly PlannedStep[], choices: readonly number[]): PastWork {
  const graph = new StepGraph(steps);
  const facts = new Map<string, Json>();
  const open = new Map<string, AttemptRecord>();
  const ended = new Map<string, AttemptRecord>();
  for (const choice of choices) {
    const ready = graph.ready();
    const isBeginning = choice % 2 === 0 && ready.length > 0;
    if (isBeginning) {
      const step = ready[choice % ready.length] as PlannedStep;
      graph.start(step.id);
      const input = resolveReferences(step.input, (id) => facts.get(id));
      const key = { operation: 'o', step: step.id, attempt: 1 };
      open.set(step.id, { key, epoch: 1, kind: step.kind, version: 1, input, intentAt: at });
      continue;
    }
    const [id, attempt] = [...open][choice % Math.max(open.size, 1)] ?? [];
    if (id === undefined || attempt === undefined) continue;
    open.delete(id);
    const isGood = choice % 7 !== 0;
    graph.end(id, isGood);
    const problem = { kind: 'blocked', code: 'T-1', summary: 'it would not' } as const;
    const outcome = isGood
      ? ({ state: 'succeeded', facts: { n: id.length }, changed: true } as const)
      : ({ state: 'failed', problem, hardLimit: false } as const);
    ended.set(id, { ...attempt, outcome });
    if (isGood) facts.set(id, { n: id.length });
  }
  return { open, ended, facts, natureOf: (kind) => (kind === 'act' ? 'act' : 'ensure') };
}

/** Another plan about the same: some steps are not wanted any more, some otherwise, some in another order. */
function replanned(steps: readonly PlannedStep[], changes: readonly number[]): PlannedStep[] {
  const gone = new Set(steps.filter((_, index) => (changes[index] ?? 0) % 4 === 1).map(({ id }) => id));
  return steps
    .filter(({ id }) => !gone.has(id))
    .map((step, index, rest) => {
      const change = (changes[index] ?? 0) % 4;
      const kept = step.after.filter((id) => !gone.has(id));
      const names = JSON.stringify(step.input).includes('$fact');
      const [fact] = step.after;
      const isLoose = names && fact !== undefined && gone.has(fact);
      const more = change === 3 && index > 0 ? [rest[index - 1]?.id ?? ''] : [];
      return {
        ...step,
        after: [...new Set([...kept, ...more])].sort(),
        ...(isLoose || (change === 2 && !names) ? { input: { own: change } } : {}),
      };
    });
}

const { readCluster, readProvider } = tinyPlanners;

function runWith(plan: Plan): OperationRun {
  const record = {
    id: 'o',
    cluster: 'u',
    kind: 'update',
    state: 'running',
    principal: 'p',
    revision: 1,
    planNumber: 2,
    bypass: [],
    approved: [],
    isCancelRequested: false,
    approvalsNeeded: 1,
    isAgreed: true,
    createdAt: at,
  } as const;
  const subject = {
    cluster: plan.cluster,
    provider: readProvider({}),
    desired: readCluster({ name: 'one', things: [] }),
    keys: '',
  };
  return new OperationRun(record, subject, plan);
}

const numbers = fc.array(fc.nat({ max: 1000 }), { minLength: 60, maxLength: 60 });

test('random graphs, random open attempts, another plan: no step is begun twice, none beside an attempt at the same thing, all end (complaint 1, V8)', () => {
  fc.assert(
    fc.property(draws, numbers, numbers, numbers, (drawn, choices, changes, order) => {
      const before = stepsOf(drawn);
      const past = leaveInTheMiddle(before, choices);
      const after = planOf(replanned(before, changes));
      const { done, started, strays } = continueWith(after, past);
      // Every open attempt is one or the other, and nothing that is done or open is begun.
      expect([...started, ...strays].sort()).toEqual([...past.open.keys()].sort());
      for (const id of done) expect(past.ended.get(id)?.outcome?.state).toBe('succeeded');
      const byId = new Map(after.steps.map((step) => [step.id, step]));
      for (const id of started)
        for (const earlier of byId.get(id)?.after ?? [])
          expect(past.ended.get(earlier)?.outcome?.state).toBe('succeeded');

      const run = runWith(after);
      const old = new Map(before.map((step) => [step.id, step]));
      for (const id of strays) {
        const { subject = '', destructive = false } = old.get(id) ?? {};
        run.strays.set(id, { subject, destructive, isWanted: byId.has(id) });
      }
      const graph = new StepGraph(after.steps, done, started);
      const begun = new Set<string>();
      const over = new Set(done);
      const running = [...started, ...strays];
      for (const choice of order) {
        for (const step of graph.ready(Number.POSITIVE_INFINITY, (one) => run.isHeld(one))) {
          expect(begun.has(step.id) || started.has(step.id) || done.has(step.id)).toBe(false);
          expect(running).not.toContain(step.id);
          for (const stray of run.strays.keys()) expect(old.get(stray)?.subject).not.toBe(step.subject);
          expect(step.after.every((id) => over.has(id))).toBe(true);
          graph.start(step.id);
          begun.add(step.id);
          running.push(step.id);
        }
        const [ending] = running.splice(choice % Math.max(running.length, 1), 1);
        if (ending === undefined) break;
        if (run.strays.delete(ending)) continue;
        graph.end(ending, true);
        over.add(ending);
      }
      expect(graph.isComplete).toBe(true);
      expect(over.size).toBe(after.steps.length);
    }),
    { numRuns: Number(process.env['REMUDA_RUNS'] ?? 400) },
  );
});

const made = (steps: readonly PlannedStep[]): PastWork => leaveInTheMiddle(steps, [0, 1, 0, 1, 0, 1, 0]);

const road: readonly PlannedStep[] = stepsOf([
  { after: [], subject: 0, isAct: false, isCheck: false, destructive: false, takesFact: false },
  { after: [0], subject: 0, isAct: false, isCheck: false, destructive: false, takesFact: true },
  { after: [1], subject: 0, isAct: false, isCheck: true, destructive: false, takesFact: true },
  { after: [2], subject: 0, isAct: false, isCheck: false, destructive: false, takesFact: true },
]);

test('what came before an attempt on its machine is not looked at again while it works there', () => {
  const past = made(road);
  expect([...past.open.keys()]).toEqual(['s3']);
  const { done, started, strays } = continueWith(planOf(road), past);
  expect([[...started], [...strays]]).toEqual([['s3'], []]);
  expect([...done].sort()).toEqual(['s0', 's1', 's2']);
});

test('a machine that is made anew takes nothing over: neither attempts nor passed checks', () => {
  const [first, ...rest] = road as [PlannedStep, ...PlannedStep[]];
  const { done, started, strays } = continueWith(
    planOf([{ ...first, input: { own: 1 } }, ...rest]),
    made(road),
  );
  expect([[...done], [...started], [...strays]]).toEqual([[], [], ['s3']]);
});

test('a check that failed, or was about something else, is asked again', () => {
  const past = made(road.slice(0, 3));
  const check = past.ended.get('s2') as AttemptRecord;
  const problem = { kind: 'blocked', code: 'T-1', summary: 'no' } as const;
  const failed = new Map(past.ended).set('s2', {
    ...check,
    outcome: { state: 'failed', problem, hardLimit: false },
  });
  const plan = planOf(road.slice(0, 3));
  expect([...continueWith(plan, past).done]).toEqual(['s2']);
  expect([...continueWith(plan, { ...past, ended: failed }).done]).toEqual([]);
  const other = new Map(past.ended).set('s2', { ...check, input: { of: 99 } });
  expect([...continueWith(plan, { ...past, ended: other }).done]).toEqual([]);
});
