import { array, assert, boolean, constantFrom, integer, pre, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EtcdMember, Observed, Retirement } from '../../../provisioners/contract/observed.ts';
import type { Plan } from '../../../provisioners/contract/plan.ts';
import { Problem } from '../../../provisioners/contract/problem.ts';
import { planCluster, planRevival } from '../../../daemon/planning/planner.ts';
import { compareFound } from '../../../daemon/planning/found-cluster.ts';
import { planIntent } from '../../../daemon/planning/intents.ts';
import type { ClusterDocument } from '../../../daemon/spec/documents.ts';
import { quorumOf } from '../../../provisioners/kubernetes/membership.ts';
import { ancestors, applied, cluster, finished, nothing, request } from './scenario.ts';

const apart = (etcd: number, masters = 1, more: object = {}): ClusterDocument =>
  cluster(masters, 1, { etcd: { topology: 'external', replicas: etcd, ...more } });

const planned = (
  desired: ClusterDocument,
  observed: Observed,
  retire: Readonly<Record<string, Retirement>> = {},
): Plan => planCluster(request(desired, observed, { retire, isEstablished: true, mayHaveJoined: true }));

/** Applies until nothing is left to do. */
function settled(desired: ClusterDocument, observed: Observed): Observed {
  let now = observed;
  for (let round = 0; round < 5; round += 1) {
    const plan = planned(desired, now);
    if (plan.steps.length === 0) return now;
    now = applied(now, plan);
  }
  throw new Error(`no end: ${planned(desired, now).steps.map(({ id }) => id)}`);
}

const etcdOf = ({ machines = [] }: Observed): string[] =>
  machines.filter(({ role }) => role === 'etcd').map(({ name }) => name);

const made = new Map<number, Observed>();
const makes = (etcd: number): Observed => {
  const found = made.get(etcd) ?? finished(apart(etcd));
  made.set(etcd, found);
  return found;
};

type Ailment = 'well' | 'dead' | 'unreachable' | 'learner' | 'unstarted';

const changed = (observed: Observed, name: string, change: Partial<EtcdMember>): Observed => ({
  ...observed,
  voters: (observed.voters ?? []).map((member) => (member.name === name ? { ...member, ...change } : member)),
});

/** What is the matter with one machine of etcd; a join that was cut leaves a member that does not vote, and no note. */
function ailing(observed: Observed, name: string, ailment: Ailment): Observed {
  if (ailment === 'well') return observed;
  if (ailment === 'unreachable') return changed(observed, name, { healthy: false });
  if (ailment === 'learner') return changed(observed, name, { learner: true });
  if (ailment === 'unstarted') return changed(observed, name, { name: '', started: false, healthy: false });
  const machines = (observed.machines ?? []).map((machine) =>
    machine.name === name ? { ...machine, state: 'off' as const } : machine,
  );
  return { ...changed(observed, name, { healthy: false }), machines };
}

const votersOf = ({ voters = [] }: Observed): readonly EtcdMember[] =>
  voters.filter(({ learner }) => !learner);
const wellOf = (observed: Observed): number =>
  votersOf(observed).filter(({ healthy, started }) => healthy && started).length;

/** A majority of the voters is well after every single step, and there is never more than one beyond what is asked for. */
function requireQuorumThroughout(observed: Observed, plan: Plan, desired: number): void {
  const before = observed.voters?.length ?? 0;
  for (let count = 0; count <= plan.steps.length; count += 1) {
    const now = applied(observed, plan, count);
    expect(wellOf(now)).toBeGreaterThanOrEqual(quorumOf(votersOf(now).length));
    expect(votersOf(now).length).toBeLessThanOrEqual(Math.max(before, desired + 1));
  }
}

/** Whoever leaves and works is asked by no API server any more. */
function requireNobodyDepends(observed: Observed, plan: Plan): void {
  for (const step of plan.steps.filter(({ kind }) => kind === 'etcd-member.remove')) {
    const member = observed.voters?.find(({ name }) => name === step.subject);
    const isDead = observed.machines?.find(({ name }) => name === step.subject)?.state !== 'running';
    if (member?.healthy !== true || isDead) continue;
    const before = ancestors(plan.steps, step.id);
    const told = plan.steps.filter(({ id, kind }) => kind === 'etcd-endpoints.publish' && before.has(id));
    const names = told.map(({ input }) =>
      (input as { readonly etcd: readonly { readonly name: string }[] }).etcd.map(({ name }) => name),
    );
    expect(names.some((list) => list.length > 0 && !list.includes(step.subject))).toBe(true);
  }
}

describe('plans with etcd on machines of its own (H4, H18, complaint 6)', () => {
  it('starts exactly one first member, lets each other join after the one before, and then the masters', () => {
    const plan = planCluster(request(apart(3, 3), nothing()));
    const starts = plan.steps.filter(({ kind }) => kind === 'etcd-member.start');
    expect(starts.map(({ input }) => (input as { readonly isFirst: boolean }).isFirst)).toEqual([
      true,
      false,
      false,
    ]);
    for (const [index, step] of starts.slice(1).entries())
      expect(ancestors(plan.steps, step.id)).toContain(starts[index]?.id);
    const before = ancestors(plan.steps, 'control-plane.init/c-cp-1');
    for (const { id } of starts) expect(before).toContain(id);
  });

  it('has nothing to do when all is there, and leaves machines of etcd alone that a patch of Kubernetes does not change', () => {
    expect(planned(apart(3), makes(3)).steps).toEqual([]);
    const upgrade = planned(
      cluster(1, 1, { etcd: { topology: 'external', replicas: 3 }, kubernetes: { version: '1.20.3' } }),
      makes(3),
    );
    expect(upgrade.destroys.filter((name) => name.includes('-etcd-'))).toEqual([]);
  });

  it('removes no machine of etcd without which there is no majority, and names who has to be well', () => {
    const observed = ailing(makes(3), 'c-etcd-2', 'unreachable');
    const retire = { 'c-etcd-1': { mode: 'destroy', reason: 'removed' } as const };
    expect(() => planned(apart(2), observed, retire)).toThrowError(/c-etcd-1 cannot leave.*c-etcd-2/);
  });

  it('takes no master without a member for the reason why a cluster is silent', () => {
    const desired = apart(3, 3);
    const { nodes: _nodes, voters: _voters, ...observed } = finished(desired);
    const halfJoined = ['c-cp-2'];
    const { provider } = request(desired, observed);
    expect(planRevival({ desired, provider, observed, revision: 'r1', halfJoined })).toBeUndefined();
    const stacked = cluster(3, 1);
    const { nodes: _others, voters: _members, ...silent } = finished(stacked);
    expect(
      planRevival({ desired: stacked, provider, observed: silent, revision: 'r1', halfJoined }),
    ).toBeDefined();
  });

  it('is not taken in on the word of an agent that knows of no etcd apart', () => {
    const settings = { name: '', endpoint: '', podCidr: '', serviceCidr: '', serviceDomain: '' };
    const found = { settings, version: '', nodes: [], daemonSets: [] };
    const { provider } = request(apart(3), makes(3));
    expect(compareFound(apart(3), provider, found).isEtcdUnseen).toBe(true);
    expect(compareFound(cluster(3, 1), provider, found).isEtcdUnseen).toBe(false);
    const etcd = { topology: 'external', members: [], given: {} } as const;
    expect(compareFound(apart(3), provider, { ...found, etcd }).isEtcdUnseen).toBe(false);
  });

  it('refuses to rotate authorities, and says what still works', () => {
    const asked = {
      ...request(apart(3), makes(3)),
      intent: { kind: 'rotate', stage: 'trust' },
    } as Parameters<typeof planIntent>[0];
    expect(() => planIntent(asked)).toThrowError(
      expect.objectContaining({
        report: expect.objectContaining({
          code: 'PLAN-071',
          summary: expect.stringContaining('cannot rotate the authorities of such a cluster yet') as unknown,
          remedy: expect.stringContaining('remuda certificates renew c') as unknown,
        }) as unknown,
      }) as Problem,
    );
  });

  it('upgrades machines of etcd where they stand: each alone, its files first, after masters and before workers', () => {
    const size = constantFrom(1, 3, 5, 7);
    assert(
      property(
        size,
        constantFrom(1, 3),
        array(boolean(), { minLength: 7, maxLength: 7 }),
        (etcd, masters, unwell) => {
          const of = (version: string) =>
            cluster(masters, 1, {
              etcd: { topology: 'external', replicas: etcd },
              kubernetes: { version },
              upgrade: { strategy: 'InPlace' },
              addons: { dns: { enabled: false } },
            });
          const names = Array.from({ length: etcd }, (_, index) => `c-etcd-${index + 1}`);
          const sick = names.filter((_name, index) => unwell[index]);
          const observed = sick.reduce(
            (seen, name) => changed(seen, name, { healthy: false }),
            finished(of('1.35.6')),
          );
          const plan = planned(of('1.36.3'), observed);
          expect(plan.destroys).toEqual([]);
          const upgrades = plan.steps.filter(({ kind }) => kind === 'etcd-member.upgrade');
          // Who is not well may have been cut off: its turn is finished first.
          const well = names.filter((name) => !sick.includes(name));
          expect(upgrades.map(({ subject }) => subject)).toEqual([...sick, ...well]);
          for (const [index, { id, subject }] of upgrades.entries()) {
            const before = ancestors(plan.steps, id);
            const earlier = upgrades[index - 1];
            if (earlier !== undefined) expect(before).toContain(earlier.id);
            for (const kind of ['payload.install', 'kubelet.install', 'containerd.start'])
              expect(before).toContain(`${kind}/${subject}`);
            for (const master of plan.steps.filter(({ subject: one }) => one.startsWith('c-cp-')))
              if (master.kind === 'kubelet.upgrade') expect(before).toContain(master.id);
            if (earlier !== undefined)
              expect(ancestors(plan.steps, `payload.install/${subject}`)).toContain(earlier.id);
          }
          const worker = ancestors(plan.steps, 'kubelet.upgrade/c-w-1');
          for (const { id } of upgrades) expect(worker).toContain(id);
          const noted = plan.steps.find(({ kind }) => kind === 'etcd-endpoints.publish');
          for (const { id } of upgrades) expect(ancestors(plan.steps, noted?.id ?? '')).toContain(id);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('replaces machines of etcd all the same whose flags change, and leaves them alone for a patch', () => {
    const upgrade = { strategy: 'InPlace' };
    const at = (version: string, more: object = {}) =>
      cluster(1, 1, {
        etcd: { topology: 'external', replicas: 1 },
        kubernetes: { version },
        upgrade,
        addons: { dns: { enabled: false } },
        ...more,
      });
    const observed = finished(at('1.35.6'));
    const patch = planned(at('1.35.7'), observed);
    expect(patch.steps.filter(({ subject }) => subject === 'c-etcd-1')).toEqual([]);
    const flags = planned(
      at('1.36.3', { kubeadm: { extraArgs: { etcd: { 'quota-backend-bytes': '8' } } } }),
      observed,
    );
    expect(flags.destroys).toContain('c-etcd-1');
  });

  const sizes = constantFrom(1, 3, 5, 7);
  const ailments = constantFrom<Ailment>(
    'well',
    'well',
    'well',
    'dead',
    'unreachable',
    'learner',
    'unstarted',
  );
  const story = record({
    from: sizes,
    to: sizes,
    ailments: array(ailments, { minLength: 7, maxLength: 7 }),
    replaced: array(boolean(), { minLength: 7, maxLength: 7 }),
    cut: integer({ min: 0, max: 60 }),
  });

  it('whatever is asked of whatever is there: quorum holds, nobody depends on who leaves, a cut goes on to the same end (V8)', () => {
    let refused = 0;
    assert(
      property(story, ({ from, to, ailments: states, replaced, cut }) => {
        let observed = makes(from);
        states.slice(0, from).forEach((state, index) => {
          observed = ailing(observed, `c-etcd-${index + 1}`, state);
        });
        // What has lost its quorum already is a matter of restoring it.
        pre(wellOf(observed) >= quorumOf(votersOf(observed).length) && votersOf(observed).length > 0);
        const names = etcdOf(observed).filter((_name, index) => replaced[index] === true);
        const retire = Object.fromEntries(
          names.map((name) => [name, { mode: 'destroy', reason: 'replaced' } as const]),
        );
        let plan: Plan;
        try {
          plan = planned(apart(to), observed, retire);
        } catch (error) {
          if (!(error instanceof Problem)) throw error;
          refused += 1;
          expect(error.message).toMatch(/c-etcd-\d|etcd|unstarted/);
          return;
        }
        requireQuorumThroughout(observed, plan, to);
        requireNobodyDepends(observed, plan);
        const half = applied(observed, plan, cut % (plan.steps.length + 1));
        const revived: Observed = {
          ...half,
          machines: (half.machines ?? []).map((one) => ({ ...one, state: 'running' as const })),
          voters: (half.voters ?? []).map((one) => ({ ...one, healthy: one.started })),
        };
        const end = settled(apart(to), revived);
        expect(
          votersOf(end)
            .map(({ name }) => name)
            .toSorted(),
        ).toEqual(etcdOf(end).toSorted());
        expect(etcdOf(end)).toHaveLength(to);
      }),
      { numRuns: 150 },
    );
    expect(refused).toBeLessThan(150);
  });
});
