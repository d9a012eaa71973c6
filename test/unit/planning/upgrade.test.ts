import { assert, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planCluster } from '../../../daemon/planning/planner.ts';
import { requireUpgradePath } from '../../../daemon/planning/upgrade.ts';
import type { ClusterDocument } from '../../../daemon/spec/documents.ts';
import type { Observed } from '../../../provisioners/contract/observed.ts';
import type { Plan } from '../../../provisioners/contract/plan.ts';
import { ancestors, applied, cluster, nothing, request } from './scenario.ts';

const at = (masters: number, workers: number, version: string, changes: object = {}): ClusterDocument =>
  cluster(masters, workers, { kubernetes: { version }, ...changes });

const made = (document: ClusterDocument): Observed =>
  applied(nothing(), planCluster(request(document, nothing())));

const planned = (document: ClusterDocument, observed: Observed): Plan =>
  planCluster(request(document, observed, { isEstablished: true }));

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
    expect(() => planned(at(1, 0, '1.20.2'), made(at(1, 0, '1.20.3')))).toThrow('goes forward only');
    const running = { ...nothing(), apiVersion: 'v1.35.0', nodes: [] };
    expect(() => requireUpgradePath(at(1, 0, '1.37.1'), running)).toThrow(
      'minors are upgraded one at a time',
    );
    expect(() => requireUpgradePath(at(1, 0, '1.36.1'), running)).not.toThrow();
  });

  it('does not pretend to upgrade in place', () => {
    const inPlace = { upgrade: { strategy: 'InPlace' } };
    const observed = made(at(1, 0, '1.20.2', inPlace));
    expect(() => planned(at(1, 0, '1.20.3', inPlace), observed)).toThrow('upgrades in place');
  });

  it('comes to the same end from wherever it is cut, with limits kept at every step, and is then done', () => {
    const story = record({
      masters: constantFrom(1, 3, 5),
      workers: integer({ min: 0, max: 5 }),
      maxSurge: integer({ min: 1, max: 3 }),
      cut: integer({ min: 0, max: 200 }),
    });
    assert(
      property(story, ({ masters, workers, maxSurge, cut }) => {
        const upgrade = { upgrade: { maxSurge } };
        const after = at(masters, workers, '1.20.3', upgrade);
        let observed = made(at(masters, workers, '1.20.2', upgrade));
        const whole = planned(after, observed);
        for (let count = 0; count <= whole.steps.length; count += 1) {
          const seen = applied(observed, whole, count);
          expect(seen.voters?.length).toBeLessThanOrEqual(masters + 1);
          expect(seen.voters?.length).toBeGreaterThanOrEqual(masters);
          const machines = (seen.machines ?? []).filter(({ role }) => role === 'worker');
          expect(machines.length).toBeLessThanOrEqual(workers + maxSurge);
          const open = (seen.nodes ?? []).filter((node) => !node.controlPlane && !node.unschedulable);
          expect(open.length).toBeGreaterThanOrEqual(workers);
        }
        observed = applied(observed, whole, cut % (whole.steps.length + 1));
        for (let rounds = 0; rounds < 6; rounds += 1) observed = applied(observed, planned(after, observed));
        expect(versions(observed)).toEqual(['v1.20.3']);
        expect(observed.machines).toHaveLength(masters + workers);
        expect(planned(after, observed).steps).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });
});
