import { array, assert, boolean, constantFrom, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withHooks } from '../../../daemon/planning/hooks.ts';
import { planCluster } from '../../../daemon/planning/planner.ts';
import { checkGraph } from '../../../daemon/operations/graph.ts';
import type { ClusterDocument } from '../../../daemon/spec/documents.ts';
import { hookPoints } from '../../../provisioners/contract/hooks.ts';
import type { Observed } from '../../../provisioners/contract/observed.ts';
import type { Plan } from '../../../provisioners/contract/plan.ts';
import { steps as everyStep } from '../../../provisioners/kubernetes/steps.ts';
import { ancestors, applied, cluster, nothing, request } from './scenario.ts';

const ways = [
  { machine: { script: 'sync' } },
  { job: { image: 'smoke', command: ['/bin/smoke'] } },
  { webhook: { url: 'https://hooks.example/', credentials: { secretRef: 'hooks' } } },
] as const;

const hook = record({
  at: constantFrom(...hookPoints),
  run: constantFrom(...ways),
  for: constantFrom({}, { roles: ['worker'] }, { roles: ['control-plane'] }, { groups: ['w'] }),
  operations: constantFrom(['create', 'update', 'upgrade'], ['upgrade'], ['create'], ['update']),
});

const hooks = array(hook, { maxLength: 6 }).map((all) =>
  all.map((one, index) => ({ ...one, name: `h${index}` })),
);

const sizes = constantFrom([1, 0], [1, 2], [3, 1], [3, 3]);

/** What is asked of a cluster that was made at 1.20.2. */
const changes = constantFrom<(masters: number, workers: number) => ClusterDocument>(
  (masters, workers) => cluster(masters, workers),
  (masters, workers) => cluster(masters, workers + 2),
  (masters, workers) => cluster(masters, Math.max(0, workers - 1)),
  (masters, workers) => cluster(masters, workers, { kubernetes: { version: '1.20.3' } }),
  (masters, workers) =>
    cluster(masters, workers, { kubernetes: { version: '1.20.3' }, upgrade: { strategy: 'InPlace' } }),
);

const made = (document: ClusterDocument): Observed =>
  applied(nothing(), planCluster(request(document, nothing())));

const isHook = (id: string): boolean => id.startsWith('hook.');
const without = ({ steps }: Plan): string[] => steps.map(({ id }) => id).filter((id) => !isHook(id));

/** A plan, and the same with hooks. */
function planned(document: ClusterDocument, observed: Observed, isEstablished: boolean) {
  const plan = planCluster(request(document, observed, isEstablished ? { isEstablished } : {}));
  return { plan, hooked: withHooks(plan, { document, observed }) };
}

describe('withHooks (V10, DESIGN §1.1, §1.4)', () => {
  it('keeps every plan whole: nothing is lost or turned round, each hook stands in its place, and inputs are read', () => {
    assert(
      property(hooks, sizes, changes, boolean(), (all, [masters = 1, workers = 0], change, isNew) => {
        const bare = isNew ? cluster(masters, workers) : change(masters, workers);
        const document = cluster(masters, workers, { ...bare.spec, hooks: all });
        const before = isNew ? nothing() : made(cluster(masters, workers));
        const { plan, hooked } = planned(document, before, !isNew);
        expect(without(hooked)).toEqual(plan.steps.map(({ id }) => id));
        expect(new Set(hooked.steps.map(({ id }) => id)).size).toBe(hooked.steps.length);
        checkGraph(hooked.steps);
        if (plan.steps.length === 0) expect(hooked.steps).toEqual([]);
        for (const { id } of plan.steps)
          expect([...ancestors(hooked.steps, id)]).toEqual(
            expect.arrayContaining([...ancestors(plan.steps, id)]),
          );
        for (const step of hooked.steps.filter(({ id }) => isHook(id))) expectInPlace(hooked, step);
      }),
      { numRuns: 150 },
    );
  });
});

function expectInPlace(plan: Plan, step: Plan['steps'][number]): void {
  const { id, kind, subject, input } = step;
  const { occasion } = input as { occasion: { at: string; machine?: string } };
  const follows = (later: string): boolean => ancestors(plan.steps, later).has(id);
  const has = (other: string): boolean => plan.steps.some((one) => one.id === other);
  expect(everyStep.find((one) => one.kind === kind)?.nature).toBe('act');
  if (occasion.at === 'beforeDrain') {
    expect(follows(`node.drain/${subject}`)).toBe(true);
    expect(ancestors(plan.steps, id)).toContain(`node.cordon/${subject}`);
  }
  if (occasion.at === 'afterDrain') {
    expect(ancestors(plan.steps, id)).toContain(`node.drain/${subject}`);
    for (const leaving of ['machine.destroy', 'etcd-member.remove', 'kubelet.upgrade'])
      if (has(`${leaving}/${subject}`)) expect(follows(`${leaving}/${subject}`)).toBe(true);
  }
  if (occasion.at === 'afterBoot') expect(follows(`node.label/${subject}`)).toBe(true);
  if (occasion.at === 'afterOperation') expect(ancestors(plan.steps, id)).toContain('cluster.verify/cluster');
  if (occasion.at === 'beforeOperation')
    for (const { id: other, kind: cordon } of plan.steps)
      if (cordon === 'node.cordon') expect(follows(other)).toBe(true);
}
