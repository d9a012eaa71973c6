import { assert, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planCluster } from '../../../daemon/planning/planner.ts';
import { needsConfirmation } from '../../../daemon/operations/review.ts';
import type { ClusterDocument } from '../../../daemon/spec/documents.ts';
import type { Observed, ObservedNode } from '../../../provisioners/contract/observed.ts';
import type { Plan } from '../../../provisioners/contract/plan.ts';
import { ancestors, applied, cluster, nothing, request } from './scenario.ts';

const inPlace = { strategy: 'InPlace' };

const at = (masters: number, workers: number, version: string, changes: object = {}): ClusterDocument =>
  cluster(masters, workers, { kubernetes: { version }, upgrade: inPlace, ...changes });

const made = (document: ClusterDocument): Observed =>
  applied(nothing(), planCluster(request(document, nothing())));

const planned = (document: ClusterDocument, observed: Observed): Plan =>
  planCluster(request(document, observed, { isEstablished: true }));

const ofKind = ({ steps }: Plan, kind: string): string[] =>
  steps.filter((step) => step.kind === kind).map(({ id }) => id);

/** The same cluster with other Nodes. */
const withNodes = (observed: Observed, change: (node: ObservedNode) => ObservedNode): Observed => ({
  ...observed,
  nodes: (observed.nodes ?? []).map(change),
});

describe('an upgrade in place (C3, H22, DESIGN §6)', () => {
  const before = made(at(3, 3, '1.20.2'));
  const plan = planned(at(3, 3, '1.20.3'), before);

  it('replaces nobody, says that nothing leads back, and is asked for by name', () => {
    expect(plan.destroys).toEqual([]);
    expect(ofKind(plan, 'machine.create')).toEqual([]);
    expect(plan.notices.join(' ')).toMatch(/no way back/);
    expect(needsConfirmation(plan, before, 3)).toBe(true);
    expect(plan.changes.map(({ detail }) => detail).join(' ')).toMatch(/v1\.20\.2 to v1\.20\.3/);
  });

  it('lets no kubelet be newer than an API server, and no master go before the one before it is through', () => {
    const controlPlanes = ofKind(plan, 'control-plane.upgrade');
    expect(controlPlanes).toHaveLength(3);
    for (const kind of ['payload.install', 'kubelet.upgrade'])
      for (const id of ofKind(plan, kind))
        expect([...ancestors(plan.steps, id)]).toEqual(expect.arrayContaining(controlPlanes) as string[]);
    expect(ancestors(plan.steps, 'control-plane.upgrade/c-cp-2')).toContain('control-plane.upgrade/c-cp-1');
    expect([...ancestors(plan.steps, 'control-plane.upgrade/c-cp-1')]).toEqual(
      expect.arrayContaining(['kubeadm-config.upload/cluster', 'payload.preflight/cluster']) as string[],
    );
    expect(ancestors(plan.steps, 'node.cordon/c-w-1')).toContain('node.uncordon/c-cp-3');
  });

  it('takes one worker of a group at a time, or as many as may be missing', () => {
    expect(ancestors(plan.steps, 'node.cordon/c-w-2')).toContain('node.uncordon/c-w-1');
    const wide = { upgrade: { ...inPlace, maxUnavailable: 2 } };
    const two = planned(at(3, 3, '1.20.3', wide), made(at(3, 3, '1.20.2', wide)));
    expect(ancestors(two.steps, 'node.cordon/c-w-2')).not.toContain('node.uncordon/c-w-1');
    expect(ancestors(two.steps, 'node.cordon/c-w-3')).toContain('node.uncordon/c-w-1');
  });

  it('sees the other masters at work before it takes one, or a worker, away', () => {
    for (const name of ['c-cp-2', 'c-w-1']) {
      const gate = plan.steps.find(({ id }) => id === `control-plane.verify/before-${name}`);
      const others = ['c-cp-1', 'c-cp-2', 'c-cp-3'].filter((master) => master !== name);
      expect(gate?.input).toMatchObject({ machines: others.map((master) => ({ name: master })) });
      expect(ancestors(plan.steps, `node.cordon/${name}`)).toContain(gate?.id);
    }
  });

  it('finishes whom it has begun with before it takes another', () => {
    const begun = withNodes(before, (node) =>
      ['c-cp-3', 'c-w-2'].includes(node.name) ? { ...node, unschedulable: true, cordonedBy: 'before' } : node,
    );
    const { steps } = planned(at(3, 3, '1.20.3'), begun);
    expect(ancestors(steps, 'node.cordon/c-cp-1')).toContain('node.uncordon/c-cp-3');
    expect(ancestors(steps, 'node.cordon/c-w-1')).toContain('node.uncordon/c-w-2');
  });

  it('says that the API is away where there is one master, and only there', () => {
    const told = (masters: number): string =>
      planned(at(masters, 1, '1.20.3'), made(at(masters, 1, '1.20.2'))).notices.join(' ');
    expect(told(1)).toContain('There is one master: the API is away');
    expect(told(3)).not.toContain('There is one master');
  });

  it('keeps the number of machines that must serve, and refuses one that leaves none to be upgraded', () => {
    const all = { maintenance: { minimumReady: 3 } };
    expect(() => planned(at(3, 3, '1.20.3', all), made(at(3, 3, '1.20.2', all)))).toThrow(
      'must go on serving',
    );
    const cordon = plan.steps.find(({ id }) => id === 'node.cordon/c-w-1');
    expect(cordon?.input).toMatchObject({ floor: { ready: 2 } });
  });

  it('says who is replaced all the same, because more than the version is another', () => {
    const workers = [{ name: 'w', replicas: 3, machine: { cpus: 8 } }];
    const other = planned(at(3, 3, '1.20.3', { workers }), before);
    expect(Object.keys(other.retires ?? {})).toEqual(['c-w-1', 'c-w-2', 'c-w-3']);
    expect(other.notices.join(' ')).toMatch(/c-w-1, c-w-2, c-w-3 are replaced, whatever/);
    expect(ofKind(other, 'control-plane.upgrade')).toHaveLength(3);
  });

  it('never goes back, however far it came', () => {
    const begun = { ...before, apiVersion: 'v1.20.3' };
    expect(() => planned(at(3, 3, '1.20.2'), begun)).toThrow('no upgrade is waiting to be finalized');
  });

  it('goes on from wherever it is cut, with whom it began first, and replaces nobody then either', () => {
    const story = record({ done: integer({ min: 0, max: 6 }), told: integer({ min: 0, max: 6 }) });
    const target = at(3, 3, '1.20.3');
    const marks = new Map(
      plan.steps
        .filter(({ kind }) => kind === 'node.label')
        .map(({ subject, input }) => [subject, (input as { configDigest: string }).configDigest]),
    );
    assert(
      property(story, ({ done, told }) => {
        const names = [...marks.keys()];
        const seen = withNodes({ ...before, apiVersion: 'v1.20.3' }, (node) => {
          const index = names.indexOf(node.name);
          const isTold = index < Math.max(done, told);
          const configDigest = index < done ? marks.get(node.name) : node.configDigest;
          return {
            ...node,
            ...(configDigest === undefined ? {} : { configDigest }),
            kubeletVersion: isTold ? 'v1.20.3' : node.kubeletVersion,
            ...(index === done ? { unschedulable: true, cordonedBy: 'before' } : {}),
          };
        });
        const next = planned(target, seen);
        expect(next.retires).toBeUndefined();
        expect(next.destroys).toEqual([]);
        expect(ofKind(next, 'kubelet.upgrade')).toHaveLength(6 - done);
      }),
    );
  });
});
