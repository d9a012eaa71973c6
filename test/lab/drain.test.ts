import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../appliance/agent/clock.ts';
import type { KubernetesObject } from '../../provisioners/contract/ports/kubernetes.ts';
import type { Ports } from '../../provisioners/contract/ports.ts';
import { cordonOf } from '../../provisioners/kubernetes/cordon.ts';
import { nodeCordon } from '../../provisioners/kubernetes/steps/node-cordon.ts';
import { nodeDrain } from '../../provisioners/kubernetes/steps/node-drain.ts';
import { nodeUncordon } from '../../provisioners/kubernetes/steps/node-uncordon.ts';
import { logOf, startStep, waitOf } from '../fleet/running-step.ts';
import { FakeKubelet } from './fake-kubelet.ts';
import { LoopbackCluster } from './loopback-cluster.ts';
import { until } from './story/wait.ts';

const wait = { unmanaged: 'refuse', emptyDir: 'delete', whenBlocked: 'wait' } as const;

const deployment = (name: string, replicas: number): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: 5,
        // One a node as long as there are enough, whatever the scheduler thinks of the rest.
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'kubernetes.io/hostname',
            whenUnsatisfiable: 'ScheduleAnyway',
            labelSelector: { matchLabels: { app: name } },
          },
        ],
        containers: [{ name: 'main', image: 'example.com/none' }],
      },
    },
  },
});

const budget = (name: string, minAvailable: number): KubernetesObject => ({
  apiVersion: 'policy/v1beta1',
  kind: 'PodDisruptionBudget',
  metadata: { name, namespace: 'default' },
  spec: { minAvailable, selector: { matchLabels: { app: name } } },
});

describe('drain against a real control plane, its kubelets played (complaints 9 and 10)', () => {
  const cluster = new LoopbackCluster();
  const kubelets = new Map<string, FakeKubelet>();
  let attempts = 0;

  beforeAll(async () => {
    await cluster.start();
    for (const name of ['w1', 'w2', 'w3']) {
      const kubelet = new FakeKubelet(name, cluster.kubernetes, cluster.access, (path, status) =>
        cluster.patchStatus(path, status),
      );
      kubelets.set(name, kubelet);
      await kubelet.start();
    }
    // A new Node is closed to pods until the controller-manager has seen that it is ready.
    await until('open nodes', async () => {
      const nodes = await cluster.kubernetes.list(cluster.access, { apiVersion: 'v1', kind: 'Node' });
      return nodes.every(
        ({ spec }) => ((spec as { taints?: unknown[] } | undefined)?.taints ?? []).length === 0,
      );
    });
  });
  afterAll(async () => {
    await Promise.allSettled(Array.from(kubelets.values(), (kubelet) => kubelet.stop()));
    await cluster.stop();
  });

  const start = (kind: string, node: string, more: object = {}) =>
    startStep({
      steps: [nodeCordon, nodeDrain, nodeUncordon],
      kind,
      input: { node, access: cluster.access, ...more },
      cluster: { uid: 'u1', name: 'demo' },
      operation: 'op-1',
      attempt: (attempts += 1),
      clock: systemClock,
      // These steps use no other port.
      ports: () => ({ kubernetes: cluster.kubernetes }) as Ports,
    });
  const drain = (node: string, policy: object = wait, more: object = {}) =>
    start('node.drain', node, { policy, ...more });
  const podsOn = async (node: string): Promise<readonly string[]> => {
    const fieldSelector = `spec.nodeName=${node}`;
    const pods = await cluster.kubernetes.list(cluster.access, {
      apiVersion: 'v1',
      kind: 'Pod',
      fieldSelector,
    });
    return pods.map(({ metadata }) => metadata.name);
  };
  /** Applies a workload with its budget, and waits until all of it is ready and counted. */
  const apply = async (name: string, replicas: number, minAvailable: number): Promise<void> => {
    await cluster.kubernetes.apply(cluster.access, [deployment(name, replicas), budget(name, minAvailable)]);
    await expect
      .poll(async () => {
        const budgets = await cluster.kubernetes.disruptionBudgets(cluster.access);
        const status = budgets.find(({ metadata }) => metadata.name === name)?.['status'];
        return (status as { currentHealthy?: number } | undefined)?.currentHealthy;
      })
      .toBe(replicas);
  };

  it('moves pod after pod as the budget lets it, and ends', async () => {
    await apply('web', 6, 5);
    expect((await podsOn('w1')).length).toBeGreaterThan(0);
    await start('node.cordon', 'w1').ended;
    const running = drain('w1');
    expect(await running.ended).toMatchObject({ state: 'succeeded', facts: { skipped: [] } });
    expect(await podsOn('w1')).toEqual([]);
    expect(logOf(running).join('\n')).toMatch(/pod default\/web-\S+ is told to go/u);
    expect(await start('node.uncordon', 'w1').ended).toMatchObject({ facts: { theirs: false } });
    const node = await cluster.kubernetes.get(cluster.access, { apiVersion: 'v1', kind: 'Node', name: 'w1' });
    expect(node?.metadata.annotations ?? {}).not.toHaveProperty(['remuda.dev/cordoned-by']);
    expect(cordonOf(node as KubernetesObject)).toEqual({ state: 'none' });
  });

  it('names pod and budget while it holds, and goes on by itself when the workload is scaled', async () => {
    await apply('api', 3, 3);
    await start('node.cordon', 'w2').ended;
    const running = drain('w2');
    await expect
      .poll(() => waitOf(running)?.what)
      .toBe('PodDisruptionBudget default/api to let pods of w2 go');
    expect(waitOf(running)?.lastSeen).toMatch(
      /pod default\/api-\S+ may not go: PodDisruptionBudget default\/api \(minAvailable: 3\) needs 3 healthy pods, 3 of 3 are/u,
    );
    cluster.kubectl('scale', 'deployment', 'api', '--replicas=5');
    expect(await running.ended).toMatchObject({ state: 'succeeded' });
    expect(await podsOn('w2')).toEqual([]);
    await start('node.uncordon', 'w2').ended;
  });

  it('deletes past a budget that never yields, if that was chosen', async () => {
    await apply('db', 3, 3);
    await start('node.cordon', 'w1').ended;
    const running = drain('w1', { ...wait, whenBlocked: 'force', forceAfter: 2000 });
    expect(await running.ended).toMatchObject({ state: 'succeeded', facts: { skipped: [] } });
    expect(logOf(running).join('\n')).toMatch(/pod default\/db-\S+ is deleted past its budget, as chosen/u);
    expect(await podsOn('w1')).toEqual([]);
    await start('node.uncordon', 'w1').ended;
  });

  it("leaves kubectl's own cordon alone, also one that came after ours was released by hand", async () => {
    cluster.kubectl('cordon', 'w2');
    expect(await start('node.cordon', 'w2').ended).toMatchObject({ facts: { ours: false } });
    cluster.kubectl('uncordon', 'w2');
    expect(await start('node.cordon', 'w2').ended).toMatchObject({ facts: { ours: true } });
    cluster.kubectl('uncordon', 'w2');
    cluster.kubectl('cordon', 'w2');
    expect(await start('node.uncordon', 'w2').ended).toMatchObject({ facts: { theirs: true } });
    expect(cluster.kubectl('get', 'node', 'w2')).toMatch(/SchedulingDisabled/u);
    cluster.kubectl('uncordon', 'w2');
  });

  it('waits until the cluster, too, sees that a fenced machine is dead, then takes its pods away', async () => {
    await start('node.cordon', 'w3').ended;
    const before = await podsOn('w3');
    expect(before.length).toBeGreaterThan(0);
    await kubelets.get('w3')?.stop();
    const early = drain('w3', wait, { isFenced: true });
    await expect.poll(() => waitOf(early)?.what).toBe('the cluster to see that w3 is gone');
    expect(await podsOn('w3')).toEqual(before);
    expect(await early.ended).toMatchObject({
      state: 'succeeded',
      facts: { evicted: before.length, skipped: [] },
    });
    expect(await podsOn('w3')).toEqual([]);
  });
});
