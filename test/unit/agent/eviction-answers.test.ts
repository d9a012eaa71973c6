import { describe, expect, it } from 'vitest';
import { heldBy } from '../../../appliance/agent/adapters/kubernetes-drain.ts';

const answer = (status: number, message: string, ...causes: readonly object[]) => ({
  status,
  text: JSON.stringify({ kind: 'Status', status: 'Failure', message, details: { causes } }),
});

describe('what an API server means when it does not evict (complaint 10)', () => {
  it('a budget: its words and the cause, which names the budget', () => {
    const why = "Cannot evict pod as it would violate the pod's disruption budget.";
    const message = 'The disruption budget web needs 2 healthy pods and has 2 currently';
    expect(heldBy(answer(429, why, { reason: 'DisruptionBudget', message }))).toBe(`${why} ${message}`);
  });

  it('several budgets, though it calls that an internal error', () => {
    const why =
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    expect(heldBy(answer(500, why))).toBe(why);
  });

  it('a namespace on its way out, which takes the pod along', () => {
    const why = 'pods "web" is forbidden: unable to create new content in namespace shop';
    expect(heldBy(answer(403, why, { reason: 'NamespaceTerminating', message: 'shop' }))).toMatch(
      /forbidden/u,
    );
  });

  it('nothing about the pod: too much to do, a broken server, a missing right', () => {
    expect(heldBy(answer(429, 'Too many requests, please try again later.'))).toBeUndefined();
    expect(heldBy(answer(500, 'etcdserver: request timed out'))).toBeUndefined();
    expect(heldBy(answer(403, 'pods/eviction is forbidden: User "x" cannot create'))).toBeUndefined();
    expect(heldBy({ status: 429, text: 'a page of a proxy' })).toBeUndefined();
    expect(heldBy(answer(201, 'Success'))).toBeUndefined();
  });
});
