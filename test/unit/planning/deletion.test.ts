import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Blocked } from '../../../provisioners/contract/problem.ts';
import { describePlan, planCluster, planDeletion } from '../../../daemon/planning/planner.ts';
import { ancestors, applied, cluster, finished, labProvider, nothing, request } from './scenario.ts';

const deletionOf = (observed: ReturnType<typeof nothing>) =>
  planDeletion({ cluster: observed.cluster, provider: labProvider, observed, revision: 'r1' });

describe('planDeletion', () => {
  it('prints what is lost', () => {
    expect(describePlan(deletionOf(finished(cluster(3, 2))))).toMatchSnapshot();
  });

  it('destroys every machine that is there and proves the rest, from every half-built state (C1)', () => {
    const whole = planCluster(request(cluster(3, 2), nothing()));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.steps.length }), (count) => {
        const half = applied(nothing(), whole, count);
        const plan = deletionOf(half);
        expect(plan.destroys.toSorted()).toEqual(half.machines?.map(({ name }) => name).toSorted());
        expect(plan.steps.at(-1)?.id).toBe('teardown.prove/cluster');
        const before = ancestors(plan.steps, 'teardown.prove/cluster');
        expect(before.size).toBe(plan.steps.length - 1);
      }),
    );
  });

  it('goes on proving what is gone already: the proof is the same step at every look', () => {
    const seen = finished(cluster(3, 2));
    const first = deletionOf(seen);
    const proofOf = (plan: typeof first) => plan.steps.find(({ kind }) => kind === 'teardown.prove')?.input;
    const left = { ...seen, machines: (seen.machines ?? []).slice(0, 2) };
    const none = { ...seen, machines: [] };
    for (const observed of [left, none]) {
      const again = planDeletion({
        cluster: observed.cluster,
        provider: labProvider,
        observed,
        revision: 'r1',
        earlier: first,
      });
      expect(proofOf(again)).toEqual(proofOf(first));
    }
  });

  it('removes workers before masters', () => {
    const { steps } = deletionOf(finished(cluster(3, 2)));
    const before = ancestors(steps, 'machine.destroy/c-cp-1');
    expect([...before].toSorted()).toEqual(['machine.destroy/c-w-1', 'machine.destroy/c-w-2']);
  });

  it('goes straight to the provider when the API is dead, and says so', () => {
    const { nodes: _nodes, voters: _voters, marks: _marks, ...silent } = finished(cluster(3, 1));
    const plan = deletionOf(silent);
    expect(plan.destroys).toHaveLength(4);
    expect(plan.notices.join(' ')).toContain('The API does not answer');
  });

  it('refuses when the provider could not be asked', () => {
    const { machines: _, ...unseen } = nothing();
    expect(() => deletionOf(unseen)).toThrow(Blocked);
  });

  const living = (wish: object = {}, changes: object = {}) => {
    const observed = finished(cluster(3, 2));
    const desired = request(cluster(3, 2, changes), observed).desired;
    return planDeletion({
      cluster: observed.cluster,
      desired,
      provider: labProvider,
      observed,
      revision: 'r1',
      ...wish,
    });
  };

  it('gives balancers and volumes back before any machine goes, by what the document says (complaint 16)', () => {
    const { steps, notices } = living();
    const before = ancestors(steps, 'machine.destroy/c-w-1');
    expect([...before].toSorted()).toEqual([
      'claims.release/cluster',
      'new-work.refuse/cluster',
      'services.release/cluster',
    ]);
    expect(steps.find(({ kind }) => kind === 'claims.release')?.input).toMatchObject({ volumes: 'retain' });
    expect(notices.join(' ')).toContain('deletion.volumes: retain');
  });

  it('the word of whoever deletes counts more than the document, and stays when it is planned again', () => {
    const first = living({ volumes: 'delete', whenBlocked: 'skip' });
    const again = living({ volumes: 'delete', earlier: first });
    expect(again.steps).toEqual(first.steps);
    expect(first.steps.find(({ kind }) => kind === 'services.release')?.input).toMatchObject({
      policy: { whenBlocked: 'skip', skipAfter: 600_000 },
    });
  });

  it('what the document says of what is held counts, until somebody says otherwise', () => {
    const policyOf = (wish: object, deletion: object): unknown =>
      living(wish, { deletion }).steps.find(({ kind }) => kind === 'services.release')?.input;
    const asked = { whenBlocked: 'skip', skipAfter: '5m' };
    expect(policyOf({}, {})).toMatchObject({ policy: { whenBlocked: 'wait' } });
    expect(policyOf({}, asked)).toMatchObject({ policy: { whenBlocked: 'skip', skipAfter: 300_000 } });
    expect(policyOf({ whenBlocked: 'wait' }, asked)).toMatchObject({ policy: { whenBlocked: 'wait' } });
  });

  it('a dead API of a cluster that served: says what cannot be looked at, before anybody agrees', () => {
    const observed = finished(cluster(3, 1));
    const { nodes: _nodes, ...silent } = observed;
    const desired = request(cluster(3, 1), observed).desired;
    const asked = {
      cluster: observed.cluster,
      desired,
      provider: labProvider,
      observed: silent,
      revision: 'r1',
    };
    const { notices, steps } = planDeletion({ ...asked, wasServing: true });
    expect(notices.join(' ')).toContain('Services and volume claims cannot be looked at');
    expect(steps.some(({ kind }) => kind === 'services.release')).toBe(false);
    expect(planDeletion(asked).notices.join(' ')).not.toContain('cannot be looked at');
  });
});
