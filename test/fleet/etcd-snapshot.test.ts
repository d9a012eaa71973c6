import { describe, expect, it } from 'vitest';
import { AttemptRunner } from '../../appliance/agent/attempts.ts';
import type { AgentReport, Outcome } from '../../appliance/agent/protocol/dispatch.ts';
import { AttemptStore } from '../../appliance/agent/store.ts';
import type { Json } from '../../provisioners/contract/json.ts';
import { Transient } from '../../provisioners/contract/problem.ts';
import type { AnyStep } from '../../provisioners/contract/step.ts';
import { etcdSnapshot } from '../../provisioners/kubernetes/steps/etcd-snapshot.ts';
import { etcdSnapshotPrune } from '../../provisioners/kubernetes/steps/etcd-snapshot-prune.ts';
import { dispatchOf, FakeClock, outcomeOf } from '../unit/agent/bench.ts';
import { controlPlane, type FleetControlPlane } from './bench.ts';

const destination = { type: 'stateDisk' } as const;
const cluster = { uid: 'u1', name: 'east' };
const place = { cluster, destination };
const recipients = ['age1recovery'];

const inputFor = (bench: FleetControlPlane) => ({
  access: bench.access,
  destination,
  kubernetesVersion: 'v1.20.2',
  recipients,
});

/** An agent process over the fleet: the real runner and step loop, and a store that outlives it. */
function agentOn(bench: FleetControlPlane, store: AttemptStore) {
  const runner = new AttemptRunner({
    steps: new Map<string, AnyStep>([
      [etcdSnapshot.kind, etcdSnapshot],
      [etcdSnapshotPrune.kind, etcdSnapshotPrune],
    ]),
    store,
    clock: new FakeClock(),
    epoch: 1,
    ports: ({ key }) => bench.ports(key),
  });
  return { runner, reports: (): readonly AgentReport[] => runner.reports(0, 100_000) };
}

const dispatch = (kind: string, input: object, operation = 'op-1') =>
  dispatchOf({
    key: { operation, step: kind, attempt: 1 },
    kind,
    version: 1,
    input: JSON.parse(JSON.stringify(input)) as Json,
  });

async function snapshot(bench: FleetControlPlane, operation = 'op-1'): Promise<Outcome> {
  const { runner, reports } = agentOn(bench, new AttemptStore(':memory:'));
  runner.dispatch(dispatch('etcd.snapshot', inputFor(bench), operation));
  return outcomeOf(reports);
}

const births = ({ fleet }: FleetControlPlane): string[] =>
  fleet.births.filter((birth) => birth.startsWith('backup '));

describe('etcd.snapshot (complaint 8)', () => {
  it('says what it kept, in facts that a restore can hold the file against', async () => {
    const bench = await controlPlane(['m1', 'm2', 'm3']);
    const outcome = await snapshot(bench);
    const [kept] = await bench.ports().backup.list(place);
    expect(outcome).toEqual({
      state: 'succeeded',
      changed: true,
      facts: {
        id: kept?.id,
        sha256: kept?.snapshot.sha256,
        bytes: kept?.snapshot.bytes,
        revision: kept?.revision,
        member: kept?.member,
        fileSha256: kept?.file.sha256,
      },
    });
    expect(kept).toMatchObject({ cluster, kubernetesVersion: 'v1.20.2' });
  });

  it.each(['before', 'after'] as const)(
    'killed %s the backup counts, it is there once when the agent comes back',
    async (moment) => {
      const bench = await controlPlane(['m1', 'm2', 'm3']);
      const store = new AttemptStore(':memory:');
      const first = agentOn(bench, store);
      const cut = new Promise<void>((resolve) => {
        bench.around = async (label, effect) => {
          if (!label.startsWith('backup.put')) return effect();
          if (moment === 'after') await effect();
          resolve();
          // As far as the agent can tell, it is no more.
          return new Promise(() => {});
        };
      });
      first.runner.dispatch(dispatch('etcd.snapshot', inputFor(bench)));
      await cut;
      bench.around = undefined;
      const second = agentOn(bench, store);
      second.runner.resume();
      const outcome = await outcomeOf(second.reports);
      const [kept, ...more] = await bench.ports().backup.list(place);
      expect(outcome).toMatchObject({ state: 'succeeded', facts: { id: kept?.id } });
      expect(more).toEqual([]);
      expect(births(bench)).toEqual(['backup op-1/etcd.snapshot']);
    },
  );

  it('finds its backup when only the answer was lost, and takes no second one', async () => {
    const bench = await controlPlane(['m1', 'm2', 'm3']);
    bench.fleet.faults.add({ kind: 'lost-answer', call: 'backup.put', nth: 1 });
    expect(await snapshot(bench)).toMatchObject({ state: 'succeeded' });
    expect(births(bench)).toHaveLength(1);
  });

  it('waits for somebody without a majority, and keeps nothing meanwhile', async () => {
    const bench = await controlPlane(['m1', 'm2', 'm3']);
    for (const name of ['m1', 'm2']) await bench.stopMember(name);
    const outcome = await snapshot(bench);
    expect(outcome.state).toBe('failed');
    expect(births(bench)).toEqual([]);
  });

  it('is another backup for another operation', async () => {
    const bench = await controlPlane(['m1']);
    await snapshot(bench, 'op-1');
    bench.fleet.settle(bench.fleet.now + 60_000);
    await snapshot(bench, 'op-2');
    expect(await bench.ports().backup.list(place)).toHaveLength(2);
  });
});

describe('etcd-snapshot.prune', () => {
  it('removes what no rule keeps, goes on after a cut, and then has nothing to do', async () => {
    const bench = await controlPlane(['m1']);
    const made = ['op-1', 'op-2', 'op-3', 'op-4'];
    for (const [index, operation] of made.entries())
      await bench.ports().backup.take(
        place,
        {
          key: `${operation}/etcd.snapshot`,
          at: `2026-11-1${index + 5}T05:00:00.000Z`,
          kubernetesVersion: 'v1.20.2',
          recipients,
        },
        () => bench.ports().etcd.snapshot(bench.access),
      );
    bench.fleet.faults.add({ kind: 'lost-answer', call: 'backup.remove', nth: 1 });
    const { runner, reports } = agentOn(bench, new AttemptStore(':memory:'));
    runner.dispatch(dispatch('etcd-snapshot.prune', { destination, retention: { keepLast: 2 } }));
    expect(await outcomeOf(reports)).toMatchObject({ state: 'succeeded', changed: true });
    const left = await bench.ports().backup.list(place);
    expect(left.map(({ at }) => at.slice(0, 10))).toEqual(['2026-11-18', '2026-11-17']);
    const before = bench.fleet.mutatingCalls;
    const input = { destination, retention: { keepLast: 2 } };
    const context = { ...bench.context(), cluster };
    expect(await etcdSnapshotPrune.observe(context, input)).toEqual({ state: 'done', facts: {} });
    expect(bench.fleet.mutatingCalls).toBe(before);
  });

  it('never removes what was just taken, though a clock that was wrong once dated another one later', async () => {
    const bench = await controlPlane(['m1']);
    const now = Date.parse(bench.context().now());
    for (const [index, at] of [now + 86_400_000, now - 60_000, now - 1000].entries())
      await bench.ports().backup.take(
        place,
        {
          key: `op-${index}/etcd.snapshot`,
          at: new Date(at).toISOString(),
          kubernetesVersion: 'v1.20.2',
          recipients,
        },
        () => bench.ports().etcd.snapshot(bench.access),
      );
    const context = { ...bench.context(), cluster };
    await etcdSnapshotPrune.apply(context, { destination, retention: { keepLast: 1 } });
    const left = await bench.ports().backup.list(place);
    expect(left.map(({ at }) => Date.parse(at) - now)).toEqual([86_400_000, -1000]);
  });

  it('removes nothing while the destination cannot be looked at', async () => {
    const bench = await controlPlane(['m1']);
    const context = {
      ...bench.context(),
      cluster,
      backup: {
        ...bench.ports().backup,
        list: async () => Promise.reject(new Transient('BACKUP-010', 'nobody answers')),
      },
    };
    const input = { destination, retention: { keepLast: 1 } };
    await expect(etcdSnapshotPrune.apply(context, input)).rejects.toThrow('nobody answers');
    expect(bench.fleet.effects.filter(({ call }) => call.startsWith('backup.'))).toEqual([]);
  });
});
