import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { nodeCordon } from '../../provisioners/kubernetes/steps/node-cordon.ts';
import { cordonAsSomebody } from './model/drain-calls.ts';
import { DrainBench } from './drain-bench.ts';

const by = 'remuda.dev/cordoned-by';

describe('cordons (complaint 9: left behind, openshift-ansible#4101, kops#6315; DESIGN §5: only what we hold is released)', () => {
  let bench: DrainBench;
  beforeAll(async () => {
    bench = new DrainBench();
    await bench.open(['w1', 'w2']);
  });

  const cordon = (operation: string, node = 'w1') =>
    bench.run('node.cordon', { node, access: bench.access }, { operation });
  const uncordon = (node = 'w1') => bench.run('node.uncordon', { node, access: bench.access });

  it('is set with the name of its operation, in one update, and released with it', async () => {
    const before = bench.fleet.effects.length;
    expect(await cordon('op-7')).toEqual({
      state: 'succeeded',
      facts: { ours: true, missing: false },
      changed: true,
    });
    expect(bench.isUnschedulable('w1')).toBe(true);
    expect(bench.node('w1').metadata.annotations?.[by]).toBe('op-7');
    expect(bench.fleet.effects.slice(before).map(({ call }) => call)).toEqual([
      'kubernetes.setUnschedulable',
    ]);
    expect(await uncordon()).toMatchObject({ state: 'succeeded', facts: { theirs: false } });
    expect(bench.isUnschedulable('w1')).toBe(false);
    expect(bench.node('w1').metadata.annotations?.[by]).toBeUndefined();
  });

  it('of somebody else is not ours, and survives the release after a failure', async () => {
    cordonAsSomebody(bench.cluster, 'w1', true);
    expect(await cordon('op-8')).toMatchObject({ facts: { ours: false, missing: false }, changed: false });
    expect(await uncordon()).toMatchObject({ facts: { theirs: true }, changed: false });
    expect(bench.isUnschedulable('w1')).toBe(true);
    cordonAsSomebody(bench.cluster, 'w1', false);
  });

  it('of an operation that did not end is taken over by the next, and released whatever operation set it', async () => {
    await cordon('op-1');
    expect(await cordon('op-2')).toMatchObject({ facts: { ours: true }, changed: true });
    expect(bench.node('w1').metadata.annotations?.[by]).toBe('op-2');
    await uncordon();
    expect(bench.isUnschedulable('w1')).toBe(false);
  });

  it('that was released by hand and set by hand again is theirs, though our annotation is still there', async () => {
    await cordon('op-1');
    cordonAsSomebody(bench.cluster, 'w1', false);
    cordonAsSomebody(bench.cluster, 'w1', true);
    expect(bench.node('w1').metadata.annotations?.[by]).toBe('op-1');
    expect(await cordon('op-1')).toMatchObject({ facts: { ours: false } });
    expect(await uncordon()).toMatchObject({ facts: { theirs: true } });
    expect(bench.isUnschedulable('w1')).toBe(true);
    expect(bench.node('w1').metadata.annotations?.[by]).toBeUndefined();
    cordonAsSomebody(bench.cluster, 'w1', false);
  });

  it('is nothing to do for a Node that is gone', async () => {
    expect(await cordon('op-1', 'w9')).toMatchObject({
      facts: { ours: false, missing: true },
      changed: false,
    });
    expect(await uncordon('w9')).toMatchObject({ facts: { theirs: false }, changed: false });
  });

  it('counts only if nobody changed the Node meanwhile: looked at again, and theirs is found', async () => {
    const { kubernetes } = bench.ports();
    const resourceVersion = String(bench.node('w2').metadata['resourceVersion']);
    cordonAsSomebody(bench.cluster, 'w2', true);
    const late = kubernetes.setUnschedulable(bench.access, { name: 'w2', resourceVersion }, true, {
      [by]: 'op',
    });
    expect(await bench.clock.run(late)).toBe('outdated');
    expect(bench.node('w2').metadata.annotations?.[by]).toBeUndefined();
    cordonAsSomebody(bench.cluster, 'w2', false);
  });

  it('yields to somebody who cordons between our look and our change', async () => {
    let isFirst = true;
    const context = bench.context('op-1', (_label, effect) => {
      if (isFirst) cordonAsSomebody(bench.cluster, 'w2', true);
      isFirst = false;
      return effect();
    });
    const input = nodeCordon.schema.parse({ node: 'w2', access: bench.access });
    await bench.clock.run(nodeCordon.apply(context, input));
    expect(isFirst).toBe(false);
    expect(await bench.clock.run(nodeCordon.observe(context, input))).toEqual({
      state: 'done',
      facts: { ours: false, missing: false },
    });
    cordonAsSomebody(bench.cluster, 'w2', false);
  });

  it('is set though the Node changes under our hands', async () => {
    let isFirst = true;
    const context = bench.context('op-1', (_label, effect) => {
      const of = { apiVersion: 'v1', kind: 'Node', name: 'w2' };
      if (isFirst)
        bench.cluster.objects.patch(of, { metadata: { labels: { a: 'b' } } }, { manager: 'kubectl' });
      isFirst = false;
      return effect();
    });
    const input = nodeCordon.schema.parse({ node: 'w2', access: bench.access });
    await bench.clock.run(nodeCordon.apply(context, input));
    expect(bench.isUnschedulable('w2')).toBe(true);
    await uncordon('w2');
  });

  it('whatever is done by us and by others, with crashes between: theirs is never released, ours always', async () => {
    const act = fc.oneof(
      fc.record({
        kind: fc.constantFrom('cordon' as const, 'uncordon' as const),
        operation: fc.constantFrom('op-1', 'op-2'),
        // Most go through; a cut is before or after the one effect there is.
        cut: fc.constantFrom(undefined, undefined, undefined, 'before' as const, 'after' as const),
      }),
      fc.record({ kind: fc.constantFrom('theirs' as const, 'their release' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 12 }), async (acts) => {
        // Who holds the Node, by the plain rules: whoever cordons an open Node holds it, kubectl releases anybody's.
        let holder: 'nobody' | 'us' | 'them' = 'nobody';
        cordonAsSomebody(bench.cluster, 'w2', false);
        await uncordon('w2');
        for (const one of acts) {
          if (!('operation' in one)) {
            cordonAsSomebody(bench.cluster, 'w2', one.kind === 'theirs');
            if (one.kind === 'their release') holder = 'nobody';
            else if (holder === 'nobody') holder = 'them';
            continue;
          }
          const cut = one.cut === undefined ? {} : { cut: { nth: 1, when: one.cut } };
          const outcome = await bench.run(
            `node.${one.kind}`,
            { node: 'w2', access: bench.access },
            { operation: one.operation, ...cut },
          );
          const isDone = outcome !== 'died' || one.cut === 'after';
          if (isDone && one.kind === 'cordon' && holder === 'nobody') holder = 'us';
          if (isDone && one.kind === 'uncordon' && holder === 'us') holder = 'nobody';
          expect(bench.isUnschedulable('w2')).toBe(holder !== 'nobody');
        }
        await uncordon('w2');
        expect(bench.isUnschedulable('w2')).toBe(holder === 'them');
        expect(bench.node('w2').metadata.annotations?.[by]).toBeUndefined();
      }),
      { numRuns: 150 },
    );
    expect(bench.fleet.violations).toEqual([]);
  });
});
