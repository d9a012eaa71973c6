import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planIntent } from '../../../daemon/planning/intents.ts';
import { describePlan, planCluster } from '../../../daemon/planning/planner.ts';
import type { Intent } from '../../../provisioners/contract/intent.ts';
import type { Observed, ObservedCertificate } from '../../../provisioners/contract/observed.ts';
import type { Plan } from '../../../provisioners/contract/plan.ts';
import { Blocked } from '../../../provisioners/contract/problem.ts';
import { applied, cluster, nothing, request } from './scenario.ts';

type Renewal = Extract<Intent, { kind: 'renew' }>;

const day = 24 * 3_600_000;
const names = ['apiserver', 'etcd/server', 'etcd/peer', 'admin.conf', 'scheduler.conf'];

const sized = (masters: number): ReturnType<typeof cluster> => cluster(masters, 2);

const made = (masters: number): Observed =>
  applied(nothing(), planCluster(request(sized(masters), nothing())));

const inDays = (observed: Observed, days: number): string =>
  new Date(Date.parse(observed.at) + days * day).toISOString();

const mastersOf = ({ machines = [] }: Observed): string[] =>
  machines.filter(({ role }) => role === 'control-plane').map(({ name }) => name);

/** What is seen of a cluster whose masters' certificates end in so many days, one number a master. */
function aged(observed: Observed, days: readonly number[]): Observed {
  const certificates = mastersOf(observed).flatMap((machine, index): ObservedCertificate[] => [
    ...names.map((name) => ({ machine, name, notAfter: inDays(observed, days[index] ?? 200) })),
    { machine, name: 'ca', notAfter: inDays(observed, 3000) },
    { machine, name: 'kubelet/client', notAfter: inDays(observed, 300) },
  ]);
  return { ...observed, certificates };
}

const renewal = (observed: Observed, masters: number, intent: Renewal = { kind: 'renew' }): Plan =>
  planIntent({ ...request(sized(masters), observed, { isEstablished: true }), intent });

const renewed = ({ steps }: Plan): string[] =>
  steps.filter(({ kind }) => kind === 'certificates.renew').map(({ subject }) => subject);

/** Certificates of these masters, made now. */
const afresh = (observed: Observed, of: readonly string[]): Observed => ({
  ...observed,
  certificates: (observed.certificates ?? []).map((one) =>
    of.includes(one.machine) && names.includes(one.name) ? { ...one, notAfter: inDays(observed, 365) } : one,
  ),
});

describe('plans of a renewal (H12, complaint 13)', () => {
  it('are read like every other, and say what is short', () => {
    const text = describePlan(renewal(aged(made(1), [40]), 1));
    expect(text).toContain('Renew the certificates of c: 2 steps');
    expect(text).toContain('~ c-cp-1: 5 certificates anew; the first ends on 2026-12-31');
    expect(text).toContain('With one master the API is away for some seconds');
    expect(describePlan(renewal(aged(made(3), [40, 40, 40]), 3))).not.toContain('away for some seconds');
  });

  it('are empty when all is new, and name since when', () => {
    const plan = renewal(aged(made(3), [365, 365, 365]), 3);
    expect(plan).toMatchObject({ steps: [], changes: [], notices: [] });
    expect(plan.intent).toMatchObject({ kind: 'renew', since: '2026-11-20T00:00:00.000Z' });
  });

  it('have every master again where a renewal was cut: its files do not say what still runs', () => {
    const observed = aged(made(3), [365, 365, 365]);
    const unfinished = (kind: string): string[] => (kind === 'certificates.renew' ? ['c-cp-2'] : []);
    const asked = { ...request(sized(3), observed, { isEstablished: true }), unfinished };
    expect(renewed(planIntent({ ...asked, intent: { kind: 'renew' } }))).toEqual([
      'c-cp-1',
      'c-cp-2',
      'c-cp-3',
    ]);
  });

  it('need neither nodes nor members where certificates have run out, and say why those were not seen', () => {
    const { nodes: _nodes, voters: _voters, apiVersion: _version, ...blind } = aged(made(3), [-1, -1, 200]);
    const plan = renewal({ ...blind, unseen: ['No API server answers.'] }, 3);
    expect(renewed(plan)).toEqual(['c-cp-1', 'c-cp-2', 'c-cp-3']);
    expect(plan.notices.join(' ')).toMatch(/run out on so many masters.*No API server answers/);
    for (const { kind, input } of plan.steps)
      if (kind === 'certificates.renew') expect(input).toMatchObject({ isRescue: true });
    expect(plan.steps.map(({ id }) => id)).toContain('control-plane.verify/cluster');
  });

  it('are not made while the provider, or a master, was not seen', () => {
    const { machines: _machines, ...withoutProvider } = aged(made(3), [40, 40, 40]);
    const { certificates: _certificates, ...withoutMasters } = aged(made(3), [40, 40, 40]);
    const codeOf = (observed: Observed): string => {
      try {
        renewal(observed, 3);
      } catch (error) {
        if (error instanceof Blocked) return error.report.code;
        throw error;
      }
      return 'planned';
    };
    expect([withoutProvider, withoutMasters].map(codeOf)).toEqual(['PLAN-002', 'PLAN-052']);
  });

  it('see to kubelets where certificates have run out, workers too, and to no others unasked', () => {
    const kinds = (plan: Plan): string[] =>
      plan.steps.map(({ id }) => id).filter((id) => id.startsWith('kubelet'));
    const observed = aged(made(3), [-1, -1, -1]);
    const renewals = ['c-cp-1', 'c-cp-2', 'c-cp-3', 'c-w-1', 'c-w-2'].map(
      (name) => `kubelet-client.renew/${name}`,
    );
    expect(kinds(renewal(observed, 3))).toEqual(renewals);
    expect(kinds(renewal(aged(made(3), [40, 40, 40]), 3))).toEqual([]);
    expect(kinds(renewal(aged(made(3), [365, 365, 365]), 3, { kind: 'renew', kubelets: true }))).toEqual(
      renewals,
    );
    const dead = {
      ...observed,
      certificates: (observed.certificates ?? []).map((one) =>
        one.name === 'kubelet/client' ? { ...one, notAfter: inDays(observed, -10) } : one,
      ),
    };
    const plan = renewal(dead, 3);
    expect(kinds(plan).slice(0, 3)).toEqual(
      ['c-cp-1', 'c-cp-2', 'c-cp-3'].map((name) => `kubelet.revive/${name}`),
    );
    // Cut when the control plane is back: nothing there tells of the workers' kubelets any more.
    const again = renewal(afresh(observed, mastersOf(observed)), 3, plan.intent as Renewal);
    expect(kinds(again)).toEqual(renewals);
  });

  const situation = fc.record({
    masters: fc.constantFrom(1, 3, 5),
    days: fc.array(fc.constantFrom(-30, 0, 5, 80, 200, 363, 365), { minLength: 5, maxLength: 5 }),
    done: fc.nat({ max: 5 }),
    leader: fc.nat({ max: 4 }),
  });

  it('whatever has run out: one master after another, those that have run out first, each seen well before the next', () => {
    fc.assert(
      fc.property(situation, ({ masters, days }) => {
        const observed = aged(made(masters), days);
        const plan = renewal(observed, masters);
        const isDue = days.slice(0, masters).some((left) => left < 364);
        expect(renewed(plan)).toHaveLength(isDue ? masters : 0);
        // A chain: whoever comes later has everybody before it behind it.
        const chain = plan.steps.filter(({ subject }) => !subject.startsWith('c-w-'));
        chain.forEach(({ after }, index) => expect(after).toEqual(index === 0 ? [] : [chain[index - 1]?.id]));
        const over = renewed(plan).map((name) => (days[mastersOf(observed).indexOf(name)] ?? 0) <= 0);
        expect(over).toEqual(over.toSorted((one, other) => Number(other) - Number(one)));
        const isRescue = plan.steps.some(({ id }) => id === 'control-plane.verify/cluster');
        const lost = over.filter(Boolean).length;
        expect(isRescue).toBe(isDue && (masters - lost) * 2 <= masters);
        expect(plan.destroys).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('cut anywhere, planned again: the same order and the same goal, whoever leads meanwhile (V8)', () => {
    fc.assert(
      fc.property(situation, ({ masters, days, done, leader }) => {
        const observed = aged(made(masters), days);
        const plan = renewal(observed, masters);
        if (plan.steps.length === 0) return;
        const order = renewed(plan);
        const voters = (observed.voters ?? []).map((voter, index) => ({
          ...voter,
          leader: index === leader % masters,
        }));
        const later = { ...afresh({ ...observed, voters }, order.slice(0, done)), at: inDays(observed, 1) };
        const again = renewal(later, masters, plan.intent as Renewal);
        expect(renewed(again)).toEqual(order);
        const goals = (one: Plan): unknown[] =>
          one.steps.flatMap(({ kind, input }) =>
            kind === 'certificates.renew' ? [(input as { endsAfter: string }).endsAfter] : [],
          );
        expect(goals(again)).toEqual(goals(plan));
        expect(again.intent).toEqual(plan.intent);
      }),
      { numRuns: 60 },
    );
  });
});
