import { describe, expect, it } from 'vitest';
import { planCluster } from '../../../daemon/planning/planner.ts';
import type { Plan } from '../../../provisioners/contract/plan.ts';
import { cluster, finished, request } from './scenario.ts';

/** Address that a plan asks for a machine with, without its prefix length. */
function askedFor({ steps }: Plan, name: string): string | undefined {
  const step = steps.find(({ id }) => id === `machine.create/${name}`);
  return (step?.input as { readonly address?: string } | undefined)?.address?.split('/')[0];
}

describe('a machine that is just being made (V8)', () => {
  const before = finished(cluster(1, 2));
  const grown = cluster(1, 3);
  const plan = planCluster(request(grown, before, { isEstablished: true }));
  const asked = askedFor(plan, 'c-w-3') ?? '';
  const lowest = before.machines?.find(({ name }) => name === 'c-w-1')?.address ?? '';
  /** The plan made again when a machine with a lower address has gone for good meanwhile. */
  const again = (addresses: Readonly<Record<string, string>>): Plan => {
    const machines = (before.machines ?? []).filter(({ name }) => name !== 'c-w-1');
    const nodes = (before.nodes ?? []).filter(({ name }) => name !== 'c-w-1');
    const { 'c-w-1': _gone, ...references } = before.references;
    const observed = { ...before, machines, nodes, references, addresses };
    return planCluster(request(cluster(1, 2), observed, { isEstablished: true }));
  };

  it('keeps the address it was asked for with, whatever became free since', () => {
    expect(asked).not.toBe('');
    expect(askedFor(again({ 'c-w-1': asked }), 'c-w-1')).toBe(asked);
  });

  it('gets the lowest free one where nothing was asked for, or what was asked for is somebody else’s by now', () => {
    expect(askedFor(again({}), 'c-w-1')).toBe(lowest);
    const taken = before.machines?.find(({ name }) => name === 'c-w-2')?.address ?? '';
    expect(askedFor(again({ 'c-w-1': taken }), 'c-w-1')).toBe(lowest);
    expect(askedFor(again({ 'c-w-1': '192.168.1.1' }), 'c-w-1')).toBe(lowest);
  });
});
