import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { minutes } from '../../provisioners/contract/time.ts';
import { budget, DrainBench, workload } from './drain-bench.ts';
import { waitOf } from './running-step.ts';

const policy = { unmanaged: 'refuse', emptyDir: 'delete', whenBlocked: 'wait' } as const;

const app = fc.record({
  kind: fc.constantFrom('Deployment' as const, 'StatefulSet' as const),
  replicas: fc.integer({ min: 1, max: 7 }),
  budget: fc.oneof(
    fc.constant(undefined),
    fc.record({ minAvailable: fc.oneof(fc.integer({ min: 0, max: 8 }), fc.constantFrom('50%', '100%')) }),
    fc.record({ maxUnavailable: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom('30%')) }),
  ),
});

const cut = fc.option(
  fc.record({
    nth: fc.integer({ min: 1, max: 8 }),
    when: fc.constantFrom('before' as const, 'after' as const),
  }),
  { nil: undefined },
);

describe('every drain (complaint 10)', () => {
  it('ends, or names a budget that holds a pod there; once the budgets are gone it ends; nothing is deleted past one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(app, { minLength: 1, maxLength: 3 }), cut, async (apps, where) => {
        const bench = new DrainBench();
        await bench.open(['w1', 'w2', 'w3']);
        await bench.apply(
          ...apps.flatMap((one, at) => [
            workload(one.kind, `app${at}`, one.replicas),
            ...(one.budget === undefined ? [] : [budget(`app${at}`, one.budget)]),
          ]),
        );
        const input = { node: 'w1', access: bench.access, policy };
        const before = bench.podsOn('w1').filter((pod) => pod.startsWith('shop/')).length;
        await bench.run('node.cordon', { node: 'w1', access: bench.access });
        let running = bench.start('node.drain', input, where === undefined ? {} : { cut: where });
        await bench.pass(minutes(10));
        if (where !== undefined) running = bench.start('node.drain', input);
        await bench.pass(minutes(10));
        const left = bench.podsOn('w1').filter((pod) => pod.startsWith('shop/'));
        const said = `${waitOf(running)?.what}; ${waitOf(running)?.lastSeen}`;
        if (left.length > 0) {
          expect(said).toMatch(/PodDisruptionBudget shop\/app\d/u);
          for (const pod of left.slice(0, 3)) expect(said).toContain(pod);
        }
        const { kubernetes } = bench.ports();
        for (const [at, one] of apps.entries())
          if (one.budget !== undefined)
            await bench.clock.run(
              kubernetes.remove(bench.access, {
                apiVersion: 'policy/v1beta1',
                kind: 'PodDisruptionBudget',
                namespace: 'shop',
                name: `app${at}`,
              }),
            );
        const facts = { evicted: before, skipped: [] };
        expect(await bench.clock.run(running.ended)).toMatchObject({ state: 'succeeded', facts });
        expect(bench.podsOn('w1')).toEqual(['kube-system/kube-proxy-w1']);
        expect(bench.fleet.effects.filter(({ call }) => call === 'kubernetes.deletePod')).toEqual([]);
        expect(bench.fleet.violations).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });
});
