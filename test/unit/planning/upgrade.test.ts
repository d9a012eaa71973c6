import { assert, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planIntent } from '../../../daemon/planning/intents.ts';
import { planCluster } from '../../../daemon/planning/planner.ts';
import { requireUpgradePath } from '../../../daemon/planning/upgrade.ts';
import type { ClusterDocument } from '../../../daemon/spec/documents.ts';
import type { Observed } from '../../../provisioners/contract/observed.ts';
import type { Plan } from '../../../provisioners/contract/plan.ts';
import { ancestors, applied, cluster, inOrder, nothing, request } from './scenario.ts';

const at = (masters: number, workers: number, version: string, changes: object = {}): ClusterDocument =>
  cluster(masters, workers, { kubernetes: { version }, ...changes });

const made = (document: ClusterDocument): Observed =>
  applied(nothing(), planCluster(request(document, nothing())));

const planned = (document: ClusterDocument, observed: Observed): Plan =>
  planCluster(request(document, observed, { isEstablished: true }));

const finalizing = (document: ClusterDocument, observed: Observed): Plan =>
  planIntent({ ...request(document, observed, { isEstablished: true }), intent: { kind: 'finalize' } });

/** What is there when every plan has been carried out. */
function toTheEnd(document: ClusterDocument, observed: Observed): Observed {
  let seen = observed;
  for (let rounds = 0; rounds < 6; rounds += 1) seen = applied(seen, planned(document, seen));
  return seen;
}

const switchedOn = ({ machines = [] }: Observed) => machines.filter(({ state }) => state === 'running');

const versions = (observed: Observed): string[] => [
  ...new Set(observed.nodes?.map(({ kubeletVersion }) => kubeletVersion)),
];

describe('an upgrade by replacement (C3, DESIGN §6)', () => {
  const plan = planned(at(3, 2, '1.20.3'), made(at(3, 2, '1.20.2')));

  it('tells kubeadm first, then exchanges master for master, then the workers, then says what is proven', () => {
    const first = ancestors(plan.steps, 'control-plane.join/c-cp-4');
    expect(first).toContain('kubeadm-config.upload/cluster');
    expect(ancestors(plan.steps, 'control-plane.join/c-cp-5')).toContain('etcd-member.remove/c-cp-1');
    const worker = ancestors(plan.steps, 'worker.join/c-w-3');
    for (const master of ['c-cp-1', 'c-cp-2', 'c-cp-3']) expect(worker).toContain(`node.remove/${master}`);
    expect(ancestors(plan.steps, 'node.drain/c-w-1')).toContain('node.label/c-w-3');
    const proof = plan.steps.find(({ kind }) => kind === 'cluster.verify');
    expect(proof?.input).toMatchObject({ kubernetesVersion: 'v1.20.3' });
  });

  it('asks its provider for the room of the surge and no more', () => {
    const room = plan.steps.find(({ kind }) => kind === 'provider.preflight');
    expect(room?.input).toMatchObject({ machines: [{ name: 'c-cp-4' }] });
  });

  it('goes forwards only, and one minor at a time', () => {
    expect(() => planned(at(1, 0, '1.20.2'), made(at(1, 0, '1.20.3')))).toThrow(
      'no upgrade is waiting to be finalized',
    );
    const running = { ...nothing(), apiVersion: 'v1.35.0', nodes: [] };
    expect(() => requireUpgradePath(at(1, 0, '1.37.1'), running)).toThrow(
      'minors are upgraded one at a time',
    );
    expect(() => requireUpgradePath(at(1, 0, '1.36.1'), running)).not.toThrow();
  });

  it('comes to the same end from wherever it is cut, with limits kept at every step, and is then done', () => {
    const story = record({
      masters: constantFrom(1, 3, 5),
      workers: integer({ min: 0, max: 5 }),
      limits: record({
        maxSurge: integer({ min: 0, max: 3 }),
        maxUnavailable: integer({ min: 0, max: 2 }),
      }).filter(({ maxSurge, maxUnavailable }) => maxSurge + maxUnavailable > 0),
      cut: integer({ min: 0, max: 200 }),
    });
    assert(
      property(story, ({ masters, workers, limits, cut }) => {
        const upgrade = { upgrade: limits };
        const after = at(masters, workers, '1.20.3', upgrade);
        let observed = made(at(masters, workers, '1.20.2', upgrade));
        const whole = planned(after, observed);
        for (let count = 0; count <= whole.steps.length; count += 1) {
          const seen = applied(observed, whole, count);
          expect(seen.voters?.length).toBeLessThanOrEqual(masters + 1);
          expect(seen.voters?.length).toBeGreaterThanOrEqual(masters);
          const machines = (seen.machines ?? []).filter(({ role }) => role === 'worker');
          expect(machines.length).toBeLessThanOrEqual(workers + limits.maxSurge);
          const open = (seen.nodes ?? []).filter((node) => !node.controlPlane && !node.unschedulable);
          expect(open.length).toBeGreaterThanOrEqual(workers - limits.maxUnavailable);
        }
        observed = applied(observed, whole, cut % (whole.steps.length + 1));
        observed = toTheEnd(after, observed);
        expect(versions(observed)).toEqual(['v1.20.3']);
        expect(switchedOn(observed)).toHaveLength(masters + workers);
        expect(planned(after, observed).steps).toEqual([]);
        const finalized = applied(observed, finalizing(after, observed));
        expect(finalized.machines).toHaveLength(masters + workers);
        expect(planned(after, finalized).steps).toEqual([]);
        expect(finalizing(after, finalized).steps).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });
});

describe('the way back of an upgrade (C3, DESIGN §6)', () => {
  const before = at(3, 2, '1.20.2');
  const after = at(3, 2, '1.20.3');
  const old = made(before);
  const upgraded = toTheEnd(after, old);

  it('is kept: masters sealed off and switched off, workers gone', () => {
    const kept = (upgraded.machines ?? []).filter(({ state }) => state === 'off').map(({ name }) => name);
    expect(kept).toEqual(['c-cp-1', 'c-cp-2', 'c-cp-3']);
    expect(planned(after, old).destroys).toEqual(['c-w-1', 'c-w-2']);
    expect(planned(after, old).notices.join(' ')).toContain('remuda back c');
  });

  it('keeps what the document says: nothing, or everything', () => {
    const keepNothing = at(3, 2, '1.20.3', { upgrade: { keep: 'none' } });
    expect(planned(keepNothing, old).destroys).toHaveLength(5);
    const keepAll = at(3, 2, '1.20.3', { upgrade: { keep: 'all' } });
    expect(planned(keepAll, old).destroys).toEqual([]);
  });

  it('takes the kept masters back, wiped, and makes workers anew', () => {
    const back = planned(before, upgraded);
    expect(back.takesBack).toEqual(['c-cp-1', 'c-cp-2', 'c-cp-3']);
    const ended = toTheEnd(before, upgraded);
    expect(versions(ended)).toEqual(['v1.20.2']);
    expect(ended.voters?.map(({ name }) => name).toSorted()).toEqual(['c-cp-1', 'c-cp-2', 'c-cp-3']);
    expect(ended.machines).toHaveLength(5);
    expect(Object.values(ended.retired).filter(({ reason }) => reason === 'upgraded')).toEqual([]);
  });

  it('is there from wherever the upgrade was cut, and can itself be cut anywhere', () => {
    const cuts = record({ up: integer({ min: 0, max: 200 }), back: integer({ min: 0, max: 200 }) });
    assert(
      property(cuts, (cut) => {
        const up = planned(after, old);
        const halfUp = applied(old, up, cut.up % (up.steps.length + 1));
        const isUntouched = versions(halfUp).every((version) => version === 'v1.20.2');
        if (isUntouched && Object.keys(halfUp.retired).length === 0) return;
        const back = planned(before, halfUp);
        for (let count = 0; count <= back.steps.length; count += 1)
          expect(applied(halfUp, back, count).voters?.length).toBeLessThanOrEqual(4);
        const halfBack = applied(halfUp, back, cut.back % (back.steps.length + 1));
        const ended = toTheEnd(before, halfBack);
        expect(versions(ended)).toEqual(['v1.20.2']);
        expect(switchedOn(ended)).toHaveLength(5);
        expect(planned(before, ended).steps).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('is not ended for a machine that is still on its way out: its Node would stay for ever', () => {
    const up = planned(after, old);
    const stop = inOrder(up.steps).findIndex(({ id }) => id === 'machine.stop/c-cp-1');
    const halfWay = applied(old, up, stop + 1);
    expect(halfWay.retired['c-cp-1']?.isFenced).toBe(true);
    expect(halfWay.nodes?.map(({ name }) => name)).toContain('c-cp-1');
    expect(finalizing(after, halfWay).steps).toEqual([]);
    const { nodes: _unseen, ...silent } = upgraded;
    expect(() => finalizing(after, { ...silent })).toThrow('its nodes could not be seen');
  });

  it('ends when the upgrade is finalized, and the next upgrade waits for that', () => {
    expect(() => planned(at(3, 2, '1.20.4'), upgraded)).toThrow('is not finalized');
    const finalized = applied(upgraded, finalizing(after, upgraded));
    expect(() => planned(before, finalized)).toThrow('no upgrade is waiting to be finalized');
    expect(planned(at(3, 2, '1.20.4'), finalized).steps.length).toBeGreaterThan(0);
  });

  it('is no way back over a minor: etcd holds what the newer one wrote', () => {
    const newer = {
      ...nothing(),
      nodes: upgraded.nodes?.map((node) => ({ ...node, kubeletVersion: 'v1.36.0' })) ?? [],
    };
    expect(() => requireUpgradePath(at(3, 2, '1.35.0'), newer)).toThrow('need not understand');
  });

  it('takes a machine that lost its power before it was sealed off for what it is: no way back', () => {
    const up = planned(after, old);
    const decided = applied(old, up, 0);
    const machines = decided.machines?.map((one) =>
      one.name === 'c-cp-2' ? { ...one, state: 'off' as const } : one,
    );
    const nodes = decided.nodes?.map((node) => (node.name === 'c-cp-2' ? { ...node, ready: false } : node));
    const voters = decided.voters?.map((one) => (one.name === 'c-cp-2' ? { ...one, healthy: false } : one));
    const plan = planned(after, {
      ...decided,
      ...(machines && { machines }),
      ...(nodes && { nodes }),
      ...(voters && { voters }),
    });
    expect(plan.destroys).toContain('c-cp-2');
  });
});

describe('machines whose kubelets are silent all at once', () => {
  it('are not taken for dead: none leaves before its successor has come, etcd still has them all', () => {
    const old = made(at(3, 2, '1.20.2'));
    const nodes = old.nodes?.map((node) => ({ ...node, ready: node.name === 'c-cp-1' })) ?? [];
    const plan = planned(at(3, 2, '1.20.3'), { ...old, nodes });
    for (const name of ['c-cp-2', 'c-cp-3', 'c-w-1', 'c-w-2']) {
      const before = ancestors(plan.steps, `node.remove/${name}`);
      expect([...before].filter((id) => id.endsWith('.join/c-cp-4'))).toHaveLength(1);
    }
    for (const master of ['c-cp-1', 'c-cp-2', 'c-cp-3'])
      expect(ancestors(plan.steps, 'control-plane.join/c-cp-4')).toContain(`endpoint.configure/${master}`);
  });
});
