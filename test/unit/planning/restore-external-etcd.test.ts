import { array, assert, boolean, constantFrom, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Intent } from '../../../provisioners/contract/intent.ts';
import type { Observed } from '../../../provisioners/contract/observed.ts';
import type { Plan, PlannedStep } from '../../../provisioners/contract/plan.ts';
import { etcdMark, readNote, unservedNote } from '../../../provisioners/kubernetes/etcd-endpoints.ts';
import { restoredMark } from '../../../provisioners/kubernetes/marks.ts';
import { planIntent } from '../../../daemon/planning/intents.ts';
import { ancestors, cluster, finished, request } from './scenario.ts';

type RestoreIntent = Extract<Intent, { kind: 'restore' }>;

const key = '0123456789ab';

const backup: RestoreIntent['source'] = {
  from: 'backup',
  destination: { type: 'stateDisk' },
  id: '20261120T050000Z-0123456789abcdef',
  at: '2026-11-20T05:00:00.000Z',
  kubernetesVersion: 'v1.20.2',
  revision: 4711,
  bytes: 1000,
  snapshotSha256: 'ab'.repeat(32),
  fileSha256: 'ab'.repeat(32),
  isKnown: true,
};

const apart = (masters: number, etcd: number) =>
  cluster(masters, 2, { etcd: { topology: 'external', replicas: etcd } });

const namesOf = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `c-${prefix}-${index + 1}`);

const kept = new Map<string, Observed>();
const whole = (masters: number, etcd: number): Observed => {
  const size = `${masters}/${etcd}`;
  const found = kept.get(size) ?? finished(apart(masters, etcd));
  kept.set(size, found);
  return found;
};

/** A finished cluster that has fallen silent; only these machines can be visited. */
function silent(masters: number, etcd: number, answering: readonly string[]): Observed {
  const {
    nodes: _nodes,
    voters: _voters,
    marks: _marks,
    apiVersion: _version,
    ...seen
  } = whole(masters, etcd);
  return {
    ...seen,
    certificates: answering.map((machine) => ({ machine, name: 'ca', notAfter: '2036-01-01T00:00:00Z' })),
    unseen: ['No API server answers.'],
  };
}

interface Size {
  readonly masters: number;
  readonly etcd: number;
}

function planned({ masters, etcd }: Size, observed: Observed, intent: RestoreIntent): Plan {
  const { retire: _retire, ...asked } = request(apart(masters, etcd), observed, { isEstablished: true });
  return planIntent({ ...asked, intent });
}

const ofKind = ({ steps }: Pick<Plan, 'steps'>, kind: string): PlannedStep[] =>
  steps.filter((step) => step.kind === kind);

const subjects = (plan: Plan, kind: string): string[] => ofKind(plan, kind).map(({ subject }) => subject);

/** The only step of a kind. */
function only(plan: Plan, kind: string): PlannedStep {
  const [step, ...more] = ofKind(plan, kind);
  if (step === undefined || more.length > 0) throw new Error(`${kind}: ${subjects(plan, kind).join()}`);
  return step;
}

/** What has to hold of every plan that begins such a restore. */
function requireOrder(plan: Plan, answering: readonly string[], lost: readonly string[]): void {
  const isMaster = (name: string): boolean => name.startsWith('c-cp-');
  const restored = only(plan, 'etcd-data.restore');
  const before = ancestors(plan.steps, restored.id);
  for (const name of lost) expect(before).toContain(`machine.destroy/${name}`);
  for (const name of answering) expect(before).toContain(`control-plane.stop/${name}`);
  for (const name of answering.filter((one) => !isMaster(one))) {
    expect(before).toContain(`etcd-data.set-aside/${name}`);
    const stopped = ancestors(plan.steps, `control-plane.stop/${name}`);
    for (const master of answering.filter(isMaster))
      expect(stopped).toContain(`control-plane.stop/${master}`);
  }
  for (const { id } of [...ofKind(plan, 'control-plane.stop'), ...ofKind(plan, 'machine.destroy')]) {
    const prepared = ancestors(plan.steps, id);
    for (const check of ofKind(plan, 'etcd-data.check')) expect(prepared).toContain(check.id);
    for (const fetch of ofKind(plan, 'backup.fetch')) expect(prepared).toContain(fetch.id);
    for (const create of ofKind(plan, 'machine.create')) expect(prepared).toContain(create.id);
  }
  const etcd = only(plan, 'etcd-member.start');
  expect(etcd.subject).toBe(restored.subject);
  expect(ancestors(plan.steps, etcd.id)).toContain(restored.id);
  for (const step of [...ofKind(plan, 'control-plane.start'), ...ofKind(plan, 'control-plane.init')]) {
    expect(ancestors(plan.steps, step.id)).toContain(etcd.id);
    expect(ancestors(plan.steps, only(plan, 'cluster.reconcile').id)).toContain(step.id);
  }
}

/** What is made of a machine's step by whoever makes it. */
const madeSchema = z.object({
  name: z.string(),
  token: z.string(),
  role: z.enum(['control-plane', 'etcd']),
  incarnation: z.int(),
});

describe('planRestore with etcd on machines of its own (H4, complaint 8, V8)', () => {
  const story = record({
    masters: constantFrom(1, 3),
    etcd: constantFrom(1, 3, 5),
    answers: array(boolean(), { minLength: 8, maxLength: 8 }),
    fromSurvivor: boolean(),
  });

  it('whoever is left: nobody serves the old data beside the new, and looking again changes nobody', () => {
    assert(
      property(story, ({ masters, etcd, answers, fromSurvivor }) => {
        const all = [...namesOf('cp', masters), ...namesOf('etcd', etcd)];
        const answering = all.filter((_name, index) => answers[index]);
        const lost = all.filter((name) => !answering.includes(name));
        const survivor = answering.find((name) => name.startsWith('c-etcd-'));
        const source =
          fromSurvivor && survivor !== undefined
            ? ({ from: 'survivor', machine: survivor } as const)
            : backup;
        const observed = silent(masters, etcd, answering);
        const plan = planned({ masters, etcd }, observed, { kind: 'restore', key, source, lost });
        requireOrder(plan, answering, lost);
        expect(plan.destroys.toSorted()).toEqual(lost.toSorted());
        const target = only(plan, 'etcd-data.restore').subject;
        if (survivor === undefined) expect(all).not.toContain(target);
        else expect(target).toBe(survivor);
        const serving = answering.filter((name) => name.startsWith('c-cp-'));
        expect(subjects(plan, 'control-plane.start').toSorted()).toEqual(serving.toSorted());
        expect(subjects(plan, 'control-plane.init')).toHaveLength(serving.length === 0 ? 1 : 0);
        const made = subjects(plan, 'machine.create');
        expect(made).toHaveLength(Number(survivor === undefined) + Number(serving.length === 0));
        // Half-way: the lost are gone, and whoever was made answers like any other.
        const since = observed.at;
        const adopted: Observed = {
          ...observed,
          retired: Object.fromEntries(
            lost.map((name) => [name, { mode: 'destroy', reason: 'replaced', since, isFenced: false }]),
          ),
          machines: [
            ...(observed.machines ?? []).filter(({ name }) => !lost.includes(name)),
            ...ofKind(plan, 'machine.create').map(({ input }) => {
              const { name, token, role, incarnation } = madeSchema.parse(input);
              const { cluster: identity } = observed;
              return {
                name,
                token,
                role,
                incarnation,
                cluster: identity,
                id: name,
                state: 'running' as const,
              };
            }),
          ],
          certificates: [...answering, ...made].map((machine) => ({ machine, name: 'ca', notAfter: since })),
        };
        const again = planned({ masters, etcd }, adopted, plan.intent as RestoreIntent);
        expect(again.destroys).toEqual([]);
        for (const kind of [
          'etcd-data.restore',
          'control-plane.start',
          'control-plane.init',
          'machine.create',
        ])
          expect(subjects(again, kind), kind).toEqual(subjects(plan, kind));
      }),
      { numRuns: 200 },
    );
  });

  it('gives API servers the one machine that has the data, and kubeadm as well', () => {
    const observed = silent(3, 3, ['c-cp-1', 'c-cp-2', 'c-cp-3', 'c-etcd-2']);
    const lost = ['c-etcd-1', 'c-etcd-3'];
    const plan = planned({ masters: 3, etcd: 3 }, observed, { kind: 'restore', key, source: backup, lost });
    const url = `https://${observed.references['c-etcd-2']?.address}:2379`;
    const starts = ofKind(plan, 'control-plane.start');
    expect(starts.map(({ input }) => input)).toMatchObject(starts.map(() => ({ etcdServers: [url] })));
    expect(only(plan, 'kubeadm-config.upload').input).toMatchObject({
      settings: { etcd: { endpoints: [url] } },
    });
  });

  it('refuses the data of a master, which has none', () => {
    const observed = silent(1, 1, ['c-cp-1', 'c-etcd-1']);
    const source = { from: 'survivor', machine: 'c-cp-1' } as const;
    expect(() =>
      planned({ masters: 1, etcd: 1 }, observed, { kind: 'restore', key, source, lost: [] }),
    ).toThrow(/c-cp-1 is a master, and etcd has machines of its own/);
  });

  it('starts no master whose join was cut off: it joins when the others answer', () => {
    const observed = silent(3, 1, ['c-cp-1', 'c-cp-2', 'c-cp-3', 'c-etcd-1']);
    const { retire: _retire, ...asked } = request(apart(3, 1), observed, {
      isEstablished: true,
      halfJoined: ['c-cp-1'],
    });
    const plan = planIntent({ ...asked, intent: { kind: 'restore', key, source: backup, lost: [] } });
    expect(subjects(plan, 'control-plane.stop')).toContain('c-cp-1');
    expect(subjects(plan, 'control-plane.start')).toEqual(['c-cp-2', 'c-cp-3']);
  });

  it('says whose data is kept where, and that API servers are started once more', () => {
    const observed = silent(1, 3, ['c-cp-1', 'c-etcd-1', 'c-etcd-2', 'c-etcd-3']);
    const intent: RestoreIntent = { kind: 'restore', key, source: backup, lost: [] };
    const text = planned({ masters: 1, etcd: 3 }, observed, intent).notices.join('\n');
    expect(text).toContain('kept on each machine of etcd');
    expect(text).toContain('c-etcd-2, c-etcd-3 join the new etcd cluster empty');
    expect(text).toContain('API servers ask etcd on c-etcd-1 alone until the others have joined');
  });

  it('goes on by the document once the data serves: the others join, and then API servers are told of all', () => {
    const seen = whole(3, 3);
    const note = readNote(seen.marks);
    if (note === undefined) throw new Error('the cluster notes nothing of its etcd');
    const restored: Observed = {
      ...seen,
      voters: (seen.voters ?? []).filter(({ name }) => name === 'c-etcd-1'),
      marks: { ...seen.marks, [restoredMark]: key, [etcdMark]: unservedNote(note) },
    };
    const plan = planned({ masters: 3, etcd: 3 }, restored, {
      kind: 'restore',
      key,
      source: backup,
      lost: [],
    });
    expect(subjects(plan, 'etcd-member.start')).toEqual(['c-etcd-2', 'c-etcd-3']);
    expect(subjects(plan, 'control-plane.stop')).toEqual([]);
    const told = only(plan, 'etcd-endpoints.publish');
    for (const step of ofKind(plan, 'etcd-member.start'))
      expect(ancestors(plan.steps, told.id)).toContain(step.id);
    // Whatever the data says of members that were there then, nobody was told yet.
    const joined = { ...restored, voters: seen.voters ?? [] };
    const last = planned({ masters: 3, etcd: 3 }, joined, { kind: 'restore', key, source: backup, lost: [] });
    expect(subjects(last, 'etcd-endpoints.publish')).toHaveLength(1);
  });
});
