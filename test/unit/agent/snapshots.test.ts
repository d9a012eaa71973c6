import { assert, asyncProperty, array, constantFrom, record, integer } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AttemptRunner } from '../../../appliance/agent/attempts.ts';
import type { Clock } from '../../../appliance/agent/clock.ts';
import { Snapshots } from '../../../appliance/agent/snapshots.ts';
import { AttemptStore } from '../../../appliance/agent/store.ts';
import type { ControlPlaneAccess } from '../../../provisioners/contract/ports/etcd.ts';
import type { KubernetesObject } from '../../../provisioners/contract/ports/kubernetes.ts';
import type { Ports } from '../../../provisioners/contract/ports.ts';
import { Transient } from '../../../provisioners/contract/problem.ts';
import type { StepContext } from '../../../provisioners/contract/step.ts';
import { dispatchOf, fakeStep, outcomeOf } from './bench.ts';

const master = { name: 'cp-1', address: '10.0.0.11', port: 22, user: 'root', hostKeys: ['k'] };
const access: ControlPlaneAccess = { masters: [master], apiPort: 6444 };
const nodeNamed = (name: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
});

/** A fake cluster that counts how often it is asked; what it answers rises with each change. */
class FakeCluster {
  readonly calls: string[] = [];
  changes = 0;
  problem: Error | undefined;

  readonly ports = {
    kubernetes: {
      version: async () => this.#answer('version', `v${this.changes}`),
      get: async (_access: unknown, { name }: { name: string }) =>
        this.#answer(`get ${name}`, { ...nodeNamed(name), changes: this.changes }),
      list: async () =>
        this.#answer(
          'list',
          Array.from({ length: 200 }, (_, index) => nodeNamed(`w-${index + 1}`)),
        ),
      apply: async () => {
        this.changes += 1;
      },
    },
    etcd: { members: async () => this.#answer('members', [this.changes]) },
    host: {
      facts: async ({ name }: { name: string }) => this.#answer(`facts ${name}`, { hostname: name }),
    },
    // Only what these tests use is there: anything else that is touched throws.
  } as never as Ports;

  async #answer<Value>(call: string, value: Value): Promise<Value> {
    this.calls.push(call);
    await new Promise((resolve) => setImmediate(resolve));
    if (this.problem !== undefined) throw this.problem;
    return value;
  }
}

/** A clock that stands still until it is told; who sleeps by it sleeps until the signal. */
class StillClock implements Clock {
  time = Date.parse('2026-11-21T05:00:00.000Z');
  now(): string {
    return new Date(this.time).toISOString();
  }
  random(): number {
    return 0.5;
  }
  sleep(_duration: number, signal: AbortSignal): Promise<void> {
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  }
}

const share = (snapshots: Snapshots, cluster: FakeCluster, fresh = false): Ports =>
  snapshots.share(cluster.ports, 'u1', () => fresh);

describe('what steps read of a cluster at the same moment (DESIGN §4)', () => {
  it('machines that are compared with each other are each asked once, and never for another host key', async () => {
    const cluster = new FakeCluster();
    const snapshots = new Snapshots(new StillClock());
    const machines = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ ...master, name }));
    const found = await Promise.all(
      machines.map(() => {
        const { host } = share(snapshots, cluster);
        return Promise.all(machines.map((machine) => host.facts(machine)));
      }),
    );
    for (const seen of found) expect(seen.map(({ hostname }) => hostname)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(cluster.calls).toHaveLength(5);
    await share(snapshots, cluster).host.facts({ ...master, name: 'a', hostKeys: ['other'] });
    expect(cluster.calls).toHaveLength(6);
  });

  it.each([5, 50, 200])('%i steps that look at once make a constant number of calls', async (count) => {
    const cluster = new FakeCluster();
    const observe = async ({ kubernetes, etcd, step }: StepContext) => {
      const name = step.split('/')[1] ?? '';
      const [node] = await Promise.all([
        kubernetes.get(access, { apiVersion: 'v1', kind: 'Node', name }),
        etcd.members(access),
        kubernetes.version(access, master),
      ]);
      return { state: 'done', facts: { node: node?.metadata.name ?? 'none' } } as const;
    };
    const step = fakeStep({ observe, apply: () => {} });
    const store = new AttemptStore(':memory:');
    const steps = new Map([[step.kind, step]]);
    const runner = new AttemptRunner({
      steps,
      store,
      clock: new StillClock(),
      epoch: 1,
      ports: () => cluster.ports,
    });
    const names = Array.from({ length: count }, (_, index) => `w-${index + 1}`);
    for (const name of names)
      runner.dispatch(dispatchOf({ key: { operation: 'op-1', step: `thing.make/${name}`, attempt: 1 } }));
    await outcomeOf(() => runner.reports(0, 100_000).filter(({ key }) => key.step.endsWith(`/w-${count}`)));
    const ended = runner.reports(0, 100_000).filter((report) => report.type === 'ended');
    expect(ended.map((report) => report.type === 'ended' && report.outcome)).toEqual(
      names.map((node) => ({ state: 'succeeded', facts: { node }, changed: false })),
    );
    const nodeCalls = cluster.calls.filter((call) => call.startsWith('get'));
    expect(nodeCalls.length).toBeLessThanOrEqual(3);
    expect(cluster.calls.filter((call) => !call.startsWith('get')).sort()).toEqual([
      'list',
      'members',
      'version',
    ]);
    await runner.stop();
  });

  it('a few Nodes are read one by one: adding a machine to a large cluster lists nothing (complaint 18)', async () => {
    const cluster = new FakeCluster();
    const snapshots = new Snapshots(new StillClock());
    for (const name of ['w-1', 'w-2', 'w-3'])
      await share(snapshots, cluster).kubernetes.get(access, { apiVersion: 'v1', kind: 'Node', name });
    expect(cluster.calls).toEqual(['get w-1', 'get w-2', 'get w-3']);
  });

  it('nobody sees the same picture twice, nor one that is older than a second', async () => {
    const cluster = new FakeCluster();
    const clock = new StillClock();
    const snapshots = new Snapshots(clock);
    const [one, two] = [share(snapshots, cluster), share(snapshots, cluster)];
    const look = async (ports: Ports): Promise<number> => {
      await ports.etcd.members(access);
      return cluster.calls.length;
    };
    expect([await look(one), await look(two)]).toEqual([1, 1]);
    expect([await look(one), await look(two)]).toEqual([2, 2]);
    clock.time += 1000;
    expect(await look(share(snapshots, cluster))).toBe(3);
  });

  it('a problem of the cluster is everybody’s; that somebody who asked was cancelled is not', async () => {
    const cluster = new FakeCluster();
    const snapshots = new Snapshots(new StillClock());
    const ask = (): Promise<unknown> => share(snapshots, cluster).etcd.members(access);
    cluster.problem = new Transient('T-1', 'no answer');
    const silent = await Promise.allSettled([ask(), ask(), ask()]);
    expect(silent.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(cluster.calls).toHaveLength(1);
    cluster.problem = new DOMException('cancelled', 'AbortError');
    const first = ask();
    const second = ask();
    await expect(first)
      .rejects.toThrow('cancelled')
      .finally(() => {
        cluster.problem = undefined;
      });
    expect(await second).toEqual([0]);
  });

  it('whatever the order, nobody sees a cluster as it was before the last apply, and whoever applies sees it as it is', async () => {
    const act = record({
      kind: constantFrom('look', 'apply', 'wait'),
      who: integer({ min: 0, max: 3 }),
      time: integer({ min: 0, max: 700 }),
    });
    await assert(
      asyncProperty(array(act, { maxLength: 40 }), async (acts) => {
        const cluster = new FakeCluster();
        const clock = new StillClock();
        const snapshots = new Snapshots(clock);
        const viewers = [false, false, false, true].map((fresh) => share(snapshots, cluster, fresh));
        for (const { kind, who, time } of acts) {
          const ports = viewers[who] ?? cluster.ports;
          if (kind === 'apply') await ports.kubernetes.apply(access, []);
          else if (kind === 'wait') clock.time += time;
          else {
            const before = cluster.calls.length;
            expect(await ports.etcd.members(access)).toEqual([cluster.changes]);
            if (who === 3) expect(cluster.calls.length).toBe(before + 1);
          }
        }
      }),
    );
  });
});
