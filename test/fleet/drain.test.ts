import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeDrain } from '../../provisioners/kubernetes/steps/node-drain.ts';
import { minutes, seconds } from '../../provisioners/contract/time.ts';
import { barePod, budget, DrainBench, workload } from './drain-bench.ts';
import { logOf, waitOf } from './running-step.ts';
import { cordonAsSomebody } from './model/drain-calls.ts';

const wait = { unmanaged: 'refuse', emptyDir: 'delete', whenBlocked: 'wait' } as const;
const neverEnds = { 'test.remuda.dev/never-ends': 'yes' };

describe('a drain that explains itself (complaint 10: blocked for ever, kubeone#1289, gravity#1277)', () => {
  let bench: DrainBench;
  beforeEach(async () => {
    bench = new DrainBench();
    await bench.open(['w1', 'w2', 'w3']);
  });
  afterEach(() => {
    expect(bench.fleet.violations).toEqual([]);
  });

  const wish = (more: object = {}, node = 'w1') => ({ node, access: bench.access, policy: wait, ...more });
  const drain = (more: object = {}, node = 'w1') => bench.run('node.drain', wish(more, node));
  const start = (more: object = {}, node = 'w1') => bench.start('node.drain', wish(more, node));
  const cordon = (node = 'w1') => bench.run('node.cordon', { node, access: bench.access });

  it('moves what has a controller; pods of DaemonSets and static pods stay', async () => {
    await bench.apply(
      workload('Deployment', 'web', 6),
      workload('StatefulSet', 'db', 3),
      workload('DaemonSet', 'log', 0),
    );
    const before = bench.podsOn('w1');
    const moving = before.filter((pod) => /\/(web|db)-/u.test(pod));
    expect(moving.length).toBeGreaterThan(1);
    await cordon();
    // A cordon alone moves nothing.
    expect(bench.podsOn('w1')).toEqual(before);
    expect(await drain()).toEqual({
      state: 'succeeded',
      facts: { evicted: moving.length, skipped: [] },
      changed: true,
    });
    expect(bench.podsOn('w1')).toEqual(['kube-system/kube-proxy-w1', 'shop/log-w1']);
    await bench.pass(seconds(10));
    const pods = ['w2', 'w3'].flatMap((node) => bench.podsOn(node)).filter((pod) => /\/(web|db)-/u.test(pod));
    expect(pods).toHaveLength(9);
    expect(await drain()).toMatchObject({ changed: false });
  });

  it('leaves the static pods of a master alone', async () => {
    const before = bench.podsOn('m1');
    expect(before).toContain('kube-system/etcd-m1');
    expect(await drain({}, 'm1')).toMatchObject({ state: 'succeeded', changed: false });
    expect(bench.podsOn('m1')).toEqual(before);
  });

  it('names the pod, the budget, what it demands and what would end it; goes on by itself when it yields', async () => {
    await bench.apply(
      workload('Deployment', 'web', 3),
      budget('web', { minAvailable: 3 }),
      workload('Deployment', 'api', 3),
    );
    await cordon();
    const running = start();
    await bench.pass(minutes(10));
    const said = waitOf(running);
    expect(said?.what).toBe('PodDisruptionBudget shop/web to let pods of w1 go');
    expect(said?.lastSeen).toBe(
      'pod shop/web-0 may not go: PodDisruptionBudget shop/web (minAvailable: 3) needs 3 healthy pods, ' +
        '3 of 3 are, and it allows 0 to go; with 3 pods it never lets one go',
    );
    expect(said?.youCould).toMatch(/Scale the pods of budget shop\/web to 4 or more/u);
    expect(said?.youCould).toMatch(/`skip`.*`force`/u);
    // The other pods went on meanwhile.
    expect(bench.podsOn('w1').filter((pod) => pod.includes('api'))).toEqual([]);
    await bench.apply(workload('Deployment', 'web', 4));
    expect(await bench.clock.run(running.ended)).toMatchObject({
      state: 'succeeded',
      facts: { evicted: 2, skipped: [] },
    });
    expect(bench.podsOn('w1')).toEqual(['kube-system/kube-proxy-w1']);
  });

  it('asks nothing of the API but looks while a budget holds everything', async () => {
    await bench.apply(workload('Deployment', 'web', 3), budget('web', { maxUnavailable: 0 }));
    await cordon();
    const running = start();
    await bench.pass(minutes(2));
    const { effects, mutatingCalls } = {
      effects: bench.fleet.effects.length,
      mutatingCalls: bench.fleet.mutatingCalls,
    };
    await bench.pass(minutes(20));
    expect(bench.fleet.effects).toHaveLength(effects);
    expect(bench.fleet.mutatingCalls).toBe(mutatingCalls);
    expect(waitOf(running)?.lastSeen).toMatch(/maxUnavailable: 0/u);
  });

  it('moves pod after pod as their replacements become ready, never below what the budget demands', async () => {
    await bench.apply(workload('Deployment', 'web', 9), budget('web', { minAvailable: 8 }));
    await cordon();
    const running = start();
    let fewest = 9;
    for (let second = 0; second < 120; second += 1) {
      await bench.pass(seconds(1));
      const [found] = await bench.clock.run(bench.ports().kubernetes.disruptionBudgets(bench.access));
      const status = found?.['status'] as { currentHealthy: number } | undefined;
      fewest = Math.min(fewest, status?.currentHealthy ?? 0);
    }
    expect(fewest).toBe(8);
    expect(await bench.clock.run(running.ended)).toMatchObject({ facts: { evicted: 3, skipped: [] } });
  });

  it('names the pods that keep a budget from yielding, and why they are not healthy', async () => {
    await bench.apply(workload('Deployment', 'web', 6), budget('web', { minAvailable: 5 }));
    for (const node of ['w2', 'w3']) cordonAsSomebody(bench.cluster, node, true);
    await cordon();
    const running = start();
    await bench.pass(minutes(3));
    expect(waitOf(running)?.lastSeen).toMatch(
      /5 of 6 are, and it allows 0 to go; not healthy: shop\/web-\d-1 on no node yet: ContainerCreating$/u,
    );
    cordonAsSomebody(bench.cluster, 'w2', false);
    expect(await bench.clock.run(running.ended)).toMatchObject({ facts: { evicted: 2, skipped: [] } });
  });

  it('takes no round for a failed try: twenty-five pods go, one at a time', async () => {
    await bench.apply(workload('Deployment', 'web', 75), budget('web', { maxUnavailable: 1 }));
    expect(bench.podsOn('w1').filter((pod) => pod.includes('web'))).toHaveLength(25);
    await cordon();
    expect(await drain()).toMatchObject({ state: 'succeeded', facts: { evicted: 25, skipped: [] } });
  });

  it('says so when several budgets select one pod', async () => {
    await bench.apply(
      workload('Deployment', 'web', 3),
      budget('one', { minAvailable: 1 }, 'web'),
      budget('two', { minAvailable: 1 }, 'web'),
    );
    await cordon();
    const running = start();
    await bench.pass(minutes(3));
    expect(waitOf(running)?.lastSeen).toMatch(/selected by 2 PodDisruptionBudgets \(shop\/one, shop\/two\)/u);
    expect(waitOf(running)?.youCould).toMatch(/Change the selectors/u);
    await bench.clock.run(
      bench.ports().kubernetes.remove(bench.access, {
        apiVersion: 'policy/v1beta1',
        kind: 'PodDisruptionBudget',
        namespace: 'shop',
        name: 'two',
      }),
    );
    expect(await bench.clock.run(running.ended)).toMatchObject({ state: 'succeeded' });
  });

  it('stops at its hard limit, resumable, with the budget in its words', async () => {
    await bench.apply(workload('Deployment', 'web', 3), budget('web', { minAvailable: '100%' }));
    await cordon();
    const ended = await drain();
    expect(ended).toMatchObject({ state: 'failed', hardLimit: true });
    expect(JSON.stringify(ended)).toMatch(/PodDisruptionBudget shop\/web/u);
  });

  it('skip: leaves on the node what a budget holds, after its patience, and says which', async () => {
    await bench.apply(
      workload('Deployment', 'web', 3),
      budget('web', { minAvailable: 3 }),
      workload('Deployment', 'api', 3),
    );
    await cordon();
    const policy = { ...wait, whenBlocked: 'skip', forceAfter: minutes(2) };
    const running = start({ policy });
    await bench.pass(seconds(100));
    expect(waitOf(running)?.what).toMatch(/shop\/web/u);
    expect(await bench.clock.run(running.ended)).toMatchObject({
      state: 'succeeded',
      facts: { evicted: 1, skipped: [{ pod: 'shop/web-0', why: expect.stringMatching(/minAvailable: 3/u) }] },
    });
    expect(bench.podsOn('w1')).toContain('shop/web-0');
  });

  it('force: deletes past the budget after its patience, and says so in the log', async () => {
    await bench.apply(workload('Deployment', 'web', 3), budget('web', { minAvailable: 3 }));
    await cordon();
    const running = start({ policy: { ...wait, whenBlocked: 'force', forceAfter: minutes(2) } });
    await bench.pass(seconds(100));
    expect(bench.podsOn('w1')).toContain('shop/web-0');
    expect(await bench.clock.run(running.ended)).toMatchObject({ facts: { evicted: 1, skipped: [] } });
    expect(logOf(running).join('\n')).toMatch(/web-0 is deleted past its budget/u);
    expect(bench.podsOn('w1')).toEqual(['kube-system/kube-proxy-w1']);
  });

  it('moves nothing while a pod is there that nobody would make again, unless that is allowed', async () => {
    await bench.apply(workload('Deployment', 'web', 3), barePod('lonely', 'w1'));
    await cordon();
    const running = start();
    await bench.pass(minutes(3));
    expect(waitOf(running)?.lastSeen).toBe('pod shop/lonely has no controller that would make it again');
    expect(waitOf(running)?.youCould).toMatch(/Delete or move pod shop\/lonely yourself/u);
    expect(bench.podsOn('w1')).toContain('shop/web-0');
    running.cancel();
    expect(await bench.clock.run(running.ended)).toEqual({ state: 'cancelled' });
    expect(await drain({ policy: { ...wait, unmanaged: 'delete' } })).toMatchObject({
      facts: { evicted: 2 },
    });
  });

  it('moves nothing while an emptyDir would be lost that the policy keeps', async () => {
    const volumes = [{ name: 'scratch', emptyDir: {} }];
    await bench.apply(workload('Deployment', 'web', 3, { spec: { volumes } }));
    await cordon();
    const running = start({ policy: { ...wait, emptyDir: 'refuse' } });
    await bench.pass(minutes(3));
    expect(waitOf(running)?.lastSeen).toMatch(/web-0 would lose what its emptyDir volumes hold \(scratch\)/u);
    expect(await drain()).toMatchObject({ facts: { evicted: 1 } });
  });

  it('removes finished pods without asking, and takes jobs for managed', async () => {
    await bench.apply(
      barePod('done', 'w1', { status: { phase: 'Succeeded' } }),
      barePod('broken', 'w1', { status: { phase: 'Failed' }, volumes: [{ name: 'a', emptyDir: {} }] }),
      barePod('job', 'w1', { owner: 'Job' }),
    );
    await cordon();
    expect(await drain({ policy: { ...wait, emptyDir: 'refuse' } })).toMatchObject({ facts: { evicted: 3 } });
  });

  it('says which pod does not end, on a node that is well', async () => {
    await bench.apply(workload('Deployment', 'web', 3, { labels: neverEnds }));
    await cordon();
    const running = start();
    await bench.pass(seconds(20));
    expect(waitOf(running)?.what).toBe('the pods of w1 to end');
    expect(waitOf(running)?.lastSeen).toMatch(/1 left: shop\/web-0 \(by /u);
    await bench.pass(minutes(3));
    expect(waitOf(running)?.lastSeen).toMatch(/pod shop\/web-0 should have ended by .* and has not/u);
    expect(waitOf(running)?.youCould).toMatch(/log of the kubelet on w1/u);
  });

  it('gives pods the time that was asked for, and never none', async () => {
    await bench.apply(workload('Deployment', 'web', 3, { labels: neverEnds }));
    await cordon();
    const running = start({ policy: { ...wait, gracePeriod: seconds(5) } });
    const began = bench.clock.milliseconds();
    await bench.pass(seconds(3));
    const due = Date.parse(/\(by (.*)\)/u.exec(waitOf(running)?.lastSeen ?? '')?.[1] ?? '');
    expect(due - began).toBeGreaterThan(seconds(4));
    expect(due - began).toBeLessThan(seconds(8));
    expect(nodeDrain.schema.safeParse(wish({ policy: { ...wait, gracePeriod: 0 } })).success).toBe(false);
  });

  it('skip: leaves behind what was told to go by others before, and never ended', async () => {
    await bench.apply(workload('Deployment', 'web', 3, { labels: neverEnds }));
    await cordon();
    const first = start();
    await bench.pass(minutes(5));
    first.cancel();
    await bench.clock.run(first.ended);
    const policy = { ...wait, whenBlocked: 'skip', forceAfter: minutes(1) };
    const outcome = await bench.run('node.drain', wish({ policy }), { operation: 'op-2' });
    expect(outcome).toMatchObject({
      facts: {
        evicted: 0,
        skipped: [{ pod: 'shop/web-0', why: expect.stringMatching(/should have ended by/u) }],
      },
    });
  });

  it('says which finalizers keep a pod', async () => {
    await bench.apply(workload('Deployment', 'web', 3, { finalizers: ['example.com/backup'] }));
    await cordon();
    const running = start();
    await bench.pass(minutes(3));
    expect(waitOf(running)?.lastSeen).toBe('pod shop/web-0 is kept by its finalizers: example.com/backup');
  });

  it('of a dead node says that nobody confirms; takes its pods away at once when the machine is fenced', async () => {
    await bench.apply(
      workload('StatefulSet', 'db', 3),
      barePod('lonely', 'w1'),
      budget('db', { minAvailable: 3 }),
    );
    const machine = bench.cluster.machines.get('w1');
    if (machine === undefined) throw new Error('no w1');
    bench.fleet.setPower(machine, 'off');
    await bench.pass(minutes(3));
    await cordon();
    const running = start({ policy: { ...wait, unmanaged: 'delete', whenBlocked: 'force', forceAfter: 0 } });
    await bench.pass(minutes(5));
    expect(waitOf(running)?.lastSeen).toMatch(
      /the Node w1 is not ready, so nobody confirms that pod shop\/db-0 has ended/u,
    );
    expect(waitOf(running)?.youCould).toMatch(/fence its machine/u);
    expect(bench.podsOn('w1')).toEqual(expect.arrayContaining(['shop/db-0', 'shop/lonely']));
    running.cancel();
    await bench.clock.run(running.ended);
    expect(await drain({ isFenced: true })).toMatchObject({ state: 'succeeded', facts: { skipped: [] } });
    await bench.pass(seconds(10));
    expect([...bench.podsOn('w2'), ...bench.podsOn('w3')].filter((pod) => pod.includes('db'))).toHaveLength(
      3,
    );
  });

  it('believes no fence while the cluster still hears the node (a zombie): it waits, and moves nothing', async () => {
    await bench.apply(workload('Deployment', 'web', 3));
    await cordon();
    const running = start({ isFenced: true });
    await bench.pass(minutes(3));
    expect(waitOf(running)?.what).toBe('the cluster to see that w1 is gone');
    expect(bench.podsOn('w1')).toContain('shop/web-0');
    const machine = bench.cluster.machines.get('w1');
    if (machine !== undefined) bench.fleet.setPower(machine, 'off');
    expect(await bench.clock.run(running.ended)).toMatchObject({ state: 'succeeded' });
  });

  it('looks again just before it takes the pods of a fenced machine away', async () => {
    await bench.apply(workload('Deployment', 'web', 3));
    const input = nodeDrain.schema.parse(wish({ isFenced: true }));
    await bench.clock.run(nodeDrain.apply(bench.context('op-1'), input));
    expect(bench.fleet.effects.filter(({ call }) => call === 'kubernetes.deletePod')).toEqual([]);
  });

  it('cordons again when somebody opened the node meanwhile, and is done where there is no Node', async () => {
    await bench.apply(workload('Deployment', 'web', 3));
    await cordon();
    cordonAsSomebody(bench.cluster, 'w1', false);
    expect(await drain()).toMatchObject({ state: 'succeeded' });
    expect(bench.isUnschedulable('w1')).toBe(true);
    await bench.run('node.uncordon', { node: 'w1', access: bench.access });
    expect(bench.isUnschedulable('w1')).toBe(false);
    expect(bench.node('w1').metadata.annotations).toEqual({});
    expect(await drain({}, 'w9')).toMatchObject({ facts: { evicted: 0, skipped: [] }, changed: false });
  });

  it('cordons again while a budget holds everything, so that nothing comes back meanwhile', async () => {
    await bench.apply(workload('Deployment', 'web', 3), budget('web', { maxUnavailable: 0 }));
    await cordon();
    const running = start();
    await bench.pass(minutes(2));
    cordonAsSomebody(bench.cluster, 'w1', false);
    await bench.pass(seconds(30));
    expect(bench.isUnschedulable('w1')).toBe(true);
    expect(waitOf(running)?.what).toMatch(/shop\/web/u);
  });

  it('leaves the cordon of somebody else theirs, though it notes its drain there', async () => {
    await bench.apply(workload('Deployment', 'web', 3));
    cordonAsSomebody(bench.cluster, 'w1', true);
    await cordon();
    expect(await drain()).toMatchObject({ facts: { evicted: 1 } });
    await bench.run('node.uncordon', { node: 'w1', access: bench.access });
    expect(bench.isUnschedulable('w1')).toBe(true);
    expect(bench.node('w1').metadata.annotations).toEqual({});
  });

  it('goes on wherever its agent died, moves nothing twice and tells the same (complaint 3)', async () => {
    for (const when of ['before', 'after'] as const)
      for (let nth = 1; nth <= 8; nth += 1) {
        const one = new DrainBench();
        await one.open(['w1', 'w2', 'w3']);
        await one.apply(workload('Deployment', 'web', 9), budget('web', { minAvailable: 7 }));
        const input = { node: 'w1', access: one.access, policy: wait };
        const { length } = one.podsOn('w1').filter((pod) => pod.includes('web'));
        await one.run('node.cordon', { node: 'w1', access: one.access });
        const first = await one.run('node.drain', input, { cut: { nth, when } });
        const last = first === 'died' ? await one.run('node.drain', input) : first;
        expect(last).toMatchObject({ state: 'succeeded', facts: { evicted: length, skipped: [] } });
        const evicted = one.fleet.effects.filter(({ call }) => call === 'kubernetes.evict');
        expect(new Set(evicted.map(({ target }) => target)).size).toBe(evicted.length);
        expect(evicted).toHaveLength(length);
        expect(one.fleet.violations).toEqual([]);
      }
  });

  it('goes on after lost answers and a cut line to the only master', async () => {
    await bench.apply(workload('Deployment', 'web', 12), budget('web', { minAvailable: 9 }));
    const { length } = bench.podsOn('w1').filter((pod) => pod.includes('web'));
    await cordon();
    for (const nth of [1, 3]) bench.fleet.addFault({ kind: 'lost-answer', call: 'kubernetes.evict', nth });
    const from = bench.fleet.elapsed + seconds(3);
    bench.fleet.addFault({ kind: 'line-cut', machine: 'm1', from, to: from + minutes(2) });
    const running = start();
    await bench.pass(minutes(1));
    expect(waitOf(running)?.what).toMatch(/^an answer/u);
    expect(await bench.clock.run(running.ended)).toMatchObject({
      state: 'succeeded',
      facts: { evicted: length, skipped: [] },
    });
  });

  it('costs as many calls on a big cluster as on a small one', async () => {
    await bench.apply(workload('Deployment', 'web', 3));
    await cordon();
    const countOf = (one: DrainBench): number =>
      [...one.fleet.callCounts.values()].reduce((a, b) => a + b, 0);
    const before = countOf(bench);
    await drain();
    const small = countOf(bench) - before;
    const big = new DrainBench();
    await big.open(Array.from({ length: 12 }, (_, at) => `w${at + 1}`));
    await big.apply(workload('Deployment', 'web', 12));
    await big.run('node.cordon', { node: 'w1', access: big.access });
    const begun = countOf(big);
    await big.run('node.drain', { node: 'w1', access: big.access, policy: wait });
    expect(countOf(big) - begun).toBeLessThanOrEqual(small + 2);
  });
});
