import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../provisioners/contract/json.ts';
import { type Plan, resolveReferences } from '../../../provisioners/contract/plan.ts';
import { Problem } from '../../../provisioners/contract/problem.ts';
import { describePlan, planCluster } from '../../../daemon/planning/planner.ts';
import {
  ancestors,
  applied,
  cluster,
  finished,
  inOrder,
  labExample,
  needsOf,
  nothing,
  request,
} from './scenario.ts';

const masterCounts = fc.constantFrom(1, 3, 5, 7);
const workerCounts = fc.integer({ min: 0, max: 12 });

const ids = (plan: Plan): string[] => plan.steps.map(({ id }) => id);

/** The problem a call throws; fails the test when it throws none. */
function problemOf(call: () => unknown) {
  try {
    call();
  } catch (thrown) {
    if (thrown instanceof Problem) return thrown.report;
    throw thrown;
  }
  throw new Error('nothing was refused');
}

describe('planCluster: create', () => {
  it('prints the plan of the manual’s example for people', () => {
    const { desired, provider } = labExample();
    const plan = planCluster(request(desired, nothing('lab-ha'), { provider }));
    expect(describePlan(plan)).toMatchSnapshot();
  });

  it('is deterministic: equal requests give equal plans', () => {
    fc.assert(
      fc.property(masterCounts, workerCounts, (masters, workers) => {
        const make = () => planCluster(request(cluster(masters, workers), nothing()));
        expect(JSON.stringify(make())).toBe(JSON.stringify(make()));
      }),
      { numRuns: 20 },
    );
  });

  it('has no circle, no edge to nothing, no id twice, and every fact comes from an earlier step', () => {
    fc.assert(
      fc.property(masterCounts, workerCounts, (masters, workers) => {
        const { steps } = planCluster(request(cluster(masters, workers), nothing()));
        expect(new Set(steps.map(({ id }) => id)).size).toBe(steps.length);
        expect(inOrder(steps)).toHaveLength(steps.length);
        for (const step of steps) {
          const before = ancestors(steps, step.id);
          for (const need of needsOf(step)) expect(before).toContain(need);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('leaves nothing to do once its effects are there (second apply: 0 calls)', () => {
    fc.assert(
      fc.property(masterCounts, workerCounts, (masters, workers) => {
        const desired = cluster(masters, workers);
        const again = planCluster(request(desired, finished(desired), { isEstablished: true }));
        expect(again.steps).toEqual([]);
        expect(again.changes).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });

  it('goes on from every half-built state and ends at the same cluster (V8, complaint 3)', () => {
    const desired = cluster(3, 2);
    const whole = planCluster(request(desired, nothing()));
    for (let count = 0; count < whole.steps.length; count += 1) {
      const half = applied(nothing(), whole, count);
      const plan = planCluster(request(desired, half));
      const end = applied(half, plan);
      expect(planCluster(request(desired, end)).steps, `cut after ${count} steps`).toEqual([]);
      expect(end.machines?.map(({ token }) => token).toSorted()).toEqual(
        finished(desired)
          .machines?.map(({ token }) => token)
          .toSorted(),
      );
    }
  });

  it('starts exactly one control plane, whatever was there (complaint 7)', () => {
    const desired = cluster(3, 1);
    const whole = planCluster(request(desired, nothing()));
    for (let count = 0; count <= whole.steps.length; count += 1) {
      const half = applied(nothing(), whole, count);
      const inits = planCluster(request(desired, half)).steps.filter(
        ({ kind }) => kind === 'control-plane.init',
      );
      expect(inits.length).toBeLessThanOrEqual(1);
      if (half.marks?.['cluster'] !== undefined) expect(inits).toEqual([]);
    }
  });

  it('lets no machine that is to join wait for another but the first master (complaints 1 and 5)', () => {
    const { steps } = planCluster(request(cluster(5, 3), nothing()));
    const joins = steps.filter(({ kind }) => ['control-plane.join', 'worker.join'].includes(kind));
    expect(joins.length).toBe(7);
    for (const { id, subject } of joins) {
      const before = steps.filter((step) => ancestors(steps, id).has(step.id));
      expect(before.map((step) => step.id)).toContain('control-plane.init/c-cp-1');
      const subjects = new Set(before.map((step) => step.subject));
      expect([...subjects].toSorted()).toEqual(['c-cp-1', subject, 'cluster'].toSorted());
    }
  });

  it('joins machines of a new cluster right after kubeadm init, and later ones after their token was looked at', () => {
    const desired = cluster(3, 2);
    const whole = planCluster(request(desired, nothing()));
    const joinsOf = ({ steps }: Plan) =>
      steps
        .filter(({ kind }) => kind === 'control-plane.join' || kind === 'worker.join')
        .map(({ id }) => ancestors(steps, id));
    for (const before of joinsOf(whole)) {
      expect(before).toContain('control-plane.init/c-cp-1');
      expect(before).not.toContain('cluster-access.grant/cluster');
    }
    // Made, perhaps initialised days ago: init may have nothing to do, and its token may be gone.
    const made = applied(
      nothing(),
      whole,
      whole.steps.findIndex(({ id }) => id === 'machine.create/c-cp-1') + 1,
    );
    const grown = finished(cluster(3, 0));
    for (const plan of [planCluster(request(desired, made)), planCluster(request(desired, grown))]) {
      expect(joinsOf(plan).length).toBeGreaterThan(1);
      for (const before of joinsOf(plan)) expect(before).toContain('cluster-access.grant/cluster');
    }
  });

  it('compares every two new machines before either is part of a cluster, in whatever order they are met (complaint 1)', () => {
    const { steps } = planCluster(request(cluster(3, 2), nothing()));
    const checks = steps.filter(({ kind }) => kind === 'machines.preflight');
    const joins = steps.filter(({ kind }) => /^(control-plane\.(init|join)|worker\.join)$/.test(kind));
    for (const { id, subject } of joins) {
      const awaited = [...ancestors(steps, id)].filter((before) => before.startsWith('machines.preflight/'));
      expect(awaited).toContain(`machines.preflight/${subject}`);
      // The first master's and its own, and nobody else's.
      expect(awaited.length).toBeLessThanOrEqual(2);
    }
    const names = checks.map(({ subject }) => subject);
    fc.assert(
      fc.property(fc.shuffledSubarray(names, { minLength: names.length }), (order) => {
        const met = new Map<string, Json>();
        const pairs = new Set<string>();
        const sent = new Set<string>();
        for (const name of order) {
          met.set(`host-key.replace/${name}`, { reference: { name } });
          // Sent as soon as what it cannot do without is known.
          for (const { id, subject, input, after } of checks) {
            if (sent.has(id) || !after.every((before) => met.has(before))) continue;
            sent.add(id);
            const text = JSON.stringify(resolveReferences(input, (step) => met.get(step)));
            const named = names.filter((other) => other !== subject && text.includes(`"${other}"`));
            for (const other of named) pairs.add([subject, other].toSorted().join(' '));
          }
        }
        expect(pairs.size).toBe((names.length * (names.length - 1)) / 2);
      }),
      { numRuns: 50 },
    );
  });

  it('says that going from one master to two has no majority to spare', () => {
    const notices = (masters: number) =>
      planCluster(request(cluster(masters, 1), nothing())).notices.join(' ');
    expect(notices(3)).toContain('etcd has two members and needs both');
    expect(notices(1)).not.toContain('etcd has two members');
  });

  it('gives addresses that are free and never the endpoint, the gateway, a DNS server or the network’s edges', () => {
    const network = {
      ranges: ['10.80.0.0-10.80.0.20'],
      prefix: 24,
      gateway: '10.80.0.1',
      dns: ['10.80.0.2'],
    };
    const controlPlane = { replicas: 3, endpoint: { host: '10.80.0.4' } };
    const desired = cluster(3, 4, { nodeNetwork: network, controlPlane });
    const addresses = planCluster(request(desired, nothing())).steps.flatMap(({ kind, input }) =>
      kind === 'machine.create' ? [(input as { address: string }).address] : [],
    );
    expect(addresses).toEqual([3, 5, 6, 7, 8, 9, 10].map((last) => `10.80.0.${last}/24`));
  });

  it('refuses when the ranges hold too few addresses, naming the field', () => {
    const desired = cluster(3, 4, { nodeNetwork: { ranges: ['10.80.0.5-10.80.0.7'], prefix: 24 } });
    const report = problemOf(() => planCluster(request(desired, nothing())));
    expect(report).toMatchObject({ kind: 'user', place: { field: 'spec.nodeNetwork.ranges' } });
  });
});

describe("planCluster: people's rights inside the cluster", () => {
  const desired = cluster(3, 2);
  const ofOlderRelease = (marks: Readonly<Record<string, string>>) => ({ ...finished(desired), marks });

  it('those that an older release gave are a difference, and nothing but the grant and the proof follows', () => {
    const { access: _, ...older } = finished(desired).marks ?? {};
    for (const marks of [older, { ...older, access: 'sha256:other' }]) {
      const plan = planCluster(request(desired, ofOlderRelease(marks)));
      expect(plan.steps.map(({ kind }) => kind)).toEqual(['cluster-access.grant', 'cluster.verify']);
      expect(plan.changes).toEqual([
        { action: 'change', subject: 'cluster', detail: 'rights of people in it' },
      ]);
      expect(plan.destroys).toEqual([]);
      expect(planCluster(request(desired, applied(ofOlderRelease(marks), plan))).steps).toEqual([]);
    }
  });

  it('a new cluster has them, and an unchanged file plans nothing', () => {
    expect(planCluster(request(desired, finished(desired))).steps).toEqual([]);
  });
});

describe('planCluster: what was not seen is never zero', () => {
  it('refuses to plan when the provider could not be asked', () => {
    const { machines: _, ...unseen } = nothing();
    const observed = { ...unseen, unseen: ['The lab did not answer.'] };
    const report = problemOf(() => planCluster(request(cluster(3, 2), observed)));
    expect(report).toMatchObject({ kind: 'blocked', code: 'PLAN-002' });
    expect(report.summary).toContain('The lab did not answer.');
  });

  it('refuses to plan on a cluster that has run and is silent: an outage is no empty cluster', () => {
    const desired = cluster(3, 2);
    const { nodes: _nodes, voters: _voters, marks: _marks, ...silent } = finished(desired);
    const report = problemOf(() => planCluster(request(desired, silent, { isEstablished: true })));
    expect(report).toMatchObject({ kind: 'blocked', code: 'PLAN-003' });
  });

  it('adds no master while etcd cannot be seen, or has no majority to spare (complaint 6)', () => {
    const { voters, ...blind } = finished(cluster(3, 0));
    const desired = cluster(5, 0);
    expect(problemOf(() => planCluster(request(desired, blind))).code).toBe('PLAN-009');
    const limping = voters?.map((voter, index) => Object.assign({}, voter, { healthy: index !== 0 })) ?? [];
    const report = problemOf(() => planCluster(request(desired, { ...blind, voters: limping })));
    expect(report.code).toBe('PLAN-010');
    expect(report.remedy).toBe(
      'Bring c-cp-1 back first, then apply again; or put a new one in its place (remuda machine replace c c-cp-1).',
    );
  });

  it('speaks of a restore where the majority is gone, not of a replacement (complaints 6 and 19)', () => {
    const { voters, ...blind } = finished(cluster(3, 0));
    const lost = voters?.map((voter, index) => Object.assign({}, voter, { healthy: index === 0 })) ?? [];
    const report = problemOf(() => planCluster(request(cluster(5, 0), { ...blind, voters: lost })));
    expect(report.remedy).toBe(
      'Bring c-cp-2, c-cp-3 back first, then apply again; or where they are lost for ever, restore (remuda restore c --from survivor --lost c-cp-2 --lost c-cp-3).',
    );
  });
});

describe('planCluster: quorum', () => {
  it('adds a master only if the result keeps quorum even when the joiner never starts (complaint 6)', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(3, 5),
        fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
        (masters, health) => {
          const before = finished(cluster(masters, 0));
          const voters =
            before.voters?.map((voter, index) => ({ ...voter, healthy: health[index] === true })) ?? [];
          const healthy = voters.filter((voter) => voter.healthy).length;
          const isSafe = healthy >= Math.floor((masters + 1) / 2) + 1;
          const plan = () => planCluster(request(cluster(masters + 2, 0), { ...before, voters }));
          if (isSafe) expect(ids(plan())).toContain(`control-plane.join/c-cp-${masters + 1}`);
          else expect(problemOf(plan).code).toBe('PLAN-010');
        },
      ),
    );
  });
});

describe('planCluster: growing and changing', () => {
  it('adds one worker at the same cost at any size (complaint 18)', () => {
    const sizes = [1, 10, 100].map((workers) => {
      const plan = planCluster(
        request(cluster(3, workers + 1), finished(cluster(3, workers)), { isEstablished: true }),
      );
      const machines = plan.steps
        .filter(({ subject }) => subject !== 'cluster')
        .map(({ subject }) => subject);
      expect(new Set(machines)).toEqual(new Set([`c-w-${workers + 1}`]));
      return plan.steps.length;
    });
    expect(new Set(sizes).size).toBe(1);
  });

  it('tells every master of a new one, those that serve already one after another (H10)', () => {
    const before = finished(cluster(3, 0));
    const { steps } = planCluster(request(cluster(5, 0), before));
    const serving = [1, 2, 3].map((number) => `endpoint.configure/c-cp-${number}`);
    expect(ids({ steps } as Plan)).toEqual(expect.arrayContaining(serving));
    expect(ancestors(steps, serving[2] ?? '')).toContain(serving[1]);
    expect(ancestors(steps, serving[1] ?? '')).toContain(serving[0]);
    expect(steps.some(({ kind }) => kind === 'control-plane.init')).toBe(false);
  });

  it('replaces machines of another size, and nothing else (C2)', () => {
    const bigger = cluster(3, 2, {
      workers: [{ name: 'w', replicas: 2, machine: { cpus: 8, memory: '16Gi' } }],
    });
    const plan = planCluster(request(bigger, finished(cluster(3, 2))));
    expect(plan.destroys).toEqual(['c-w-1', 'c-w-2']);
    expect(plan.retires).toMatchObject({ 'c-w-1': { reason: 'changed' } });
    const joins = plan.steps.filter(({ kind }) => kind.endsWith('.join')).map(({ subject }) => subject);
    expect(joins).toEqual(['c-w-3', 'c-w-4']);
  });

  it('changes labels and taints in place, on the machines of the group alone', () => {
    const before = finished(cluster(3, 2));
    const desired = cluster(3, 2, { workers: [{ name: 'w', replicas: 2, labels: { tier: 'gold' } }] });
    const plan = planCluster(request(desired, before));
    const labels = plan.steps.filter(({ kind }) => kind === 'node.label').map(({ subject }) => subject);
    expect(labels).toEqual(['c-w-1', 'c-w-2']);
    expect(plan.steps.some(({ kind }) => kind === 'worker.join')).toBe(false);
    expect(planCluster(request(desired, applied(before, plan))).steps).toEqual([]);
  });

  it('raises the incarnation only when a machine that was met is gone', () => {
    const desired = cluster(3, 2);
    const whole = finished(desired);
    const withoutOne = { ...whole, machines: whole.machines?.filter(({ name }) => name !== 'c-w-2') ?? [] };
    const nodes = whole.nodes?.filter(({ name }) => name !== 'c-w-2') ?? [];
    const tokenIn = (observed: typeof whole) =>
      planCluster(request(desired, observed)).steps.find(({ id }) => id === 'machine.create/c-w-2')
        ?.input as {
        incarnation: number;
      };
    expect(tokenIn({ ...withoutOne, nodes }).incarnation).toBe(2);
    const { 'c-w-2': _, ...references } = whole.references;
    // Journalled, perhaps on its way, never met: the same machine is asked for again.
    expect(tokenIn({ ...withoutOne, nodes, references }).incarnation).toBe(1);
  });
});
