import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planIntent } from '../../../daemon/planning/intents.ts';
import { planCluster } from '../../../daemon/planning/planner.ts';
import type { ClusterRequest } from '../../../daemon/planning/request.ts';
import type { Retirement } from '../../../provisioners/contract/observed.ts';
import type { Plan } from '../../../provisioners/contract/plan.ts';
import { steps as everyStep } from '../../../provisioners/kubernetes/steps.ts';
import { ancestors, applied, cluster, finished, inOrder, request } from './scenario.ts';

const recoveryRecipient = 'age1recovery';
const touching = new Set(['control-plane.join', 'etcd-member.remove', 'kubeadm-config.upload']);
const snapshotId = 'etcd.snapshot/cluster';

const planned = (
  desired: Parameters<typeof request>[0],
  observed: Parameters<typeof request>[1],
  more: Partial<ClusterRequest> = {},
): Plan => planCluster(request(desired, observed, { isEstablished: true, recoveryRecipient, ...more }));

const s3 = {
  backup: {
    destination: {
      type: 's3',
      s3: { endpoint: 'https://s3.example', bucket: 'backups', credentials: { secretRef: 'key' } },
    },
    keep: { keepDaily: 3 },
  },
};

const replaced = (name: string): Readonly<Record<string, Retirement>> => ({
  [name]: { mode: 'destroy', reason: 'replaced' } as Retirement,
});

const hasBackup = (plan: Plan): boolean => plan.steps.some(({ id }) => id === snapshotId);

describe('one backup an operation that touches masters (DESIGN §5)', () => {
  it('stands before every step that touches etcd or closes a master, and nowhere else, for every change', () => {
    const change = fc.record({
      before: fc.constantFrom(1, 3, 5),
      after: fc.constantFrom(1, 3, 5),
      workers: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })),
      version: fc.constantFrom('1.20.2', '1.20.3'),
      gone: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(change, ({ before, after, workers, version, gone }) => {
        const observed = finished(cluster(before, workers[0]));
        const desired = cluster(after, workers[1], { kubernetes: { version } });
        const name = `c-cp-${gone}`;
        const retire = gone !== undefined && gone <= before ? replaced(name) : {};
        const plan = planned(desired, observed, { retire });
        const waiting = plan.steps.filter(
          ({ kind, subject }) =>
            touching.has(kind) || (kind === 'node.cordon' && subject.startsWith('c-cp-')),
        );
        expect(hasBackup(plan)).toBe(waiting.length > 0);
        for (const { id } of waiting) expect(ancestors(plan.steps, id)).toContain(snapshotId);
        for (const { kind } of plan.steps.filter(({ id }) => ancestors(plan.steps, snapshotId).has(id)))
          throw new Error(`the backup waits for ${kind}`);
        expect(inOrder(plan.steps)).toHaveLength(plan.steps.length);
        const schemas = new Map(everyStep.map((step) => [step.kind, step.schema]));
        for (const { kind, input } of plan.steps.filter(
          (step) => step.kind.startsWith('etcd') && step.kind.includes('snapshot'),
        ))
          expect(schemas.get(kind)?.safeParse(input).success, kind).toBe(true);
        // Planned again once the masters are as asked, nothing is backed up for nothing.
        if (version === '1.20.2') expect(hasBackup(planned(desired, applied(observed, plan)))).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('is not taken while a cluster is made, nor where only workers change', () => {
    const desired = cluster(3, 1);
    const made = finished(desired);
    const halfMade = { ...made, marks: { ...made.marks, 'remuda.dev/verified': '' } };
    expect(hasBackup(planned(cluster(3, 4), made))).toBe(false);
    const { marks, ...unmarked } = halfMade;
    const early = Object.fromEntries(Object.entries(marks).filter(([mark]) => !mark.includes('verified')));
    expect(hasBackup(planned(cluster(5, 1), { ...unmarked, marks: early }))).toBe(false);
    expect(hasBackup(planned(cluster(5, 1), made))).toBe(true);
  });

  it('goes where the document says; to the state disk where a master is dead, and says so', () => {
    const made = finished(cluster(3, 0, s3));
    const first = planned(cluster(5, 0, s3), made).steps.find(({ id }) => id === snapshotId);
    expect(first?.input).toMatchObject({ destination: { type: 's3', bucket: 'backups' } });
    const dead = {
      ...made,
      nodes: made.nodes?.map((node) => (node.name === 'c-cp-2' ? { ...node, ready: false } : node)) ?? [],
      voters: made.voters?.map((one) => (one.name === 'c-cp-2' ? { ...one, healthy: false } : one)) ?? [],
    };
    const repair = planned(cluster(3, 0, s3), dead, { retire: replaced('c-cp-2') });
    const snapshot = repair.steps.find(({ id }) => id === snapshotId);
    expect(snapshot?.input).toMatchObject({ destination: { type: 'stateDisk' } });
    expect(repair.notices.join(' ')).toContain('c-cp-2 does not answer: etcd is backed up to the state disk');
  });

  it('says that none is taken where none can be', () => {
    const made = finished(cluster(1, 0));
    const { recoveryRecipient: _none, ...without } = { recoveryRecipient };
    const plan = planCluster(request(cluster(3, 0), made, { isEstablished: true, ...without }));
    expect(hasBackup(plan)).toBe(false);
    expect(plan.notices).toContain('No backup of etcd is taken first: there is no recovery key.');
  });
});

describe('a backup on demand', () => {
  const asked = (observed: Parameters<typeof request>[1], more: Partial<ClusterRequest> = {}) =>
    planIntent({
      ...request(cluster(3, 0, s3), observed, { recoveryRecipient, ...more }),
      intent: { kind: 'backup' },
    });
  const made = finished(cluster(3, 0, s3));

  it('is a snapshot, and then the old ones away', () => {
    const plan = asked(made);
    expect(plan.steps.map(({ id, after }) => [id, after])).toEqual([
      [snapshotId, []],
      ['etcd-snapshot.prune/cluster', [snapshotId]],
    ]);
    expect(plan.steps[1]?.input).toMatchObject({ retention: { keepDaily: 3 } });
    expect(plan.steps[0]?.input).toMatchObject({
      recipients: [recoveryRecipient],
      kubernetesVersion: 'v1.20.2',
    });
    expect(plan.destroys).toEqual([]);
  });

  it('names the members while etcd has no majority, and needs a recovery key', () => {
    const voters = made.voters?.map((one) => ({ ...one, healthy: one.name === 'c-cp-1' })) ?? [];
    expect(() => asked({ ...made, voters })).toThrow(/c-cp-2, c-cp-3 of 3 members are not well/);
    const { recoveryRecipient: _none, ...without } = request(cluster(3, 0), made, { recoveryRecipient });
    expect(() => planIntent({ ...without, intent: { kind: 'backup' } })).toThrow(/no recovery key/);
  });
});
