import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../../provisioners/contract/ports/kubernetes.ts';
import { readBudgets } from '../../../provisioners/kubernetes/disruption-budgets.ts';

interface Shape {
  readonly apiVersion?: string;
  readonly selector?: object | null;
  readonly more?: object;
  readonly status?: object;
  readonly generation?: number;
}

const held = {
  observedGeneration: 1,
  currentHealthy: 2,
  desiredHealthy: 2,
  expectedPods: 3,
  disruptionsAllowed: 0,
};

const budget = (shape: Shape = {}, name = 'web'): KubernetesObject => ({
  apiVersion: shape.apiVersion ?? 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name, namespace: 'shop', generation: shape.generation ?? 1 },
  spec: {
    minAvailable: 2,
    selector: shape.selector === undefined ? { matchLabels: { app: 'web' } } : shape.selector,
    ...shape.more,
  },
  status: shape.status ?? held,
});

const pod = { title: 'shop/web-1', namespace: 'shop', labels: { app: 'web', tier: 'front' }, isReady: true };
const holdOf = (shape: Shape, subject: Partial<typeof pod> = {}) =>
  readBudgets([budget(shape)])({ ...pod, ...subject });

describe('what a PodDisruptionBudget says of a pod (complaint 10)', () => {
  it('names itself, what it demands and has, and how many healthy pods would end it', () => {
    expect(holdOf({})).toEqual({
      budgets: ['shop/web'],
      why: 'pod shop/web-1 may not go: PodDisruptionBudget shop/web (minAvailable: 2) needs 2 healthy pods, 2 of 3 are, and it allows 0 to go',
      remedy:
        'Budget shop/web lets it go by itself when 1 more of its pods is healthy; see why they are not, or scale them up.',
      lacking: { namespace: 'shop', labelSelector: 'app=web' },
    });
  });

  it('says when it can never yield', () => {
    const status = { ...held, currentHealthy: 2, expectedPods: 2 };
    expect(holdOf({ status })?.why).toMatch(/with 2 pods it never lets one go$/u);
    expect(holdOf({ status })?.remedy).toMatch(/to 3 or more/u);
  });

  it('says when its controller has not counted yet, whatever an old status allows', () => {
    const status = { ...held, disruptionsAllowed: 1 };
    expect(holdOf({ status })).toBeUndefined();
    expect(holdOf({ status, generation: 2 })?.why).toMatch(/has not counted its pods yet/u);
    expect(holdOf({ status: {} })?.why).toMatch(/has not counted its pods yet/u);
  });

  it('lets a pod go that is not ready, where the workload is well without it or the budget says so', () => {
    expect(holdOf({}, { isReady: false })).toBeUndefined();
    const poor = { ...held, currentHealthy: 1 };
    expect(holdOf({ status: poor }, { isReady: false })).toBeDefined();
    const more = { unhealthyPodEvictionPolicy: 'AlwaysAllow' };
    expect(holdOf({ status: poor, more }, { isReady: false })).toBeUndefined();
    expect(holdOf({ status: poor, more })).toBeDefined();
  });

  it.each([
    ['labels that differ', { matchLabels: { app: 'api' } }, false],
    ['all of several labels', { matchLabels: { app: 'web', tier: 'front' } }, true],
    ['In', { matchExpressions: [{ key: 'tier', operator: 'In', values: ['front', 'back'] }] }, true],
    ['In, another', { matchExpressions: [{ key: 'tier', operator: 'In', values: ['back'] }] }, false],
    ['NotIn', { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['back'] }] }, true],
    [
      'NotIn, without the label',
      { matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] },
      true,
    ],
    ['NotIn, the same', { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['front'] }] }, false],
    ['Exists', { matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, true],
    ['Exists, without the label', { matchExpressions: [{ key: 'zone', operator: 'Exists' }] }, false],
    ['DoesNotExist', { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }, false],
    [
      'labels and an expression',
      { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'zone', operator: 'Exists' }] },
      false,
    ],
    ['no selector', null, false],
  ])('selects by %s', (_, selector, isSelected) => {
    expect(holdOf({ selector }) !== undefined).toBe(isSelected);
  });

  it('says which pods it speaks of, in the words of a list call, when some are not healthy', () => {
    const selector = {
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['front', 'back'] },
        { key: 'tier', operator: 'NotIn', values: ['old'] },
        { key: 'app', operator: 'Exists' },
        { key: 'canary', operator: 'DoesNotExist' },
      ],
    };
    expect(holdOf({ selector })?.lacking?.labelSelector).toBe(
      'app=web,tier in (front,back),tier notin (old),app,!canary',
    );
    expect(holdOf({ selector, status: { ...held, currentHealthy: 3 } })?.lacking).toBeUndefined();
  });

  it('selects every pod of its namespace by an empty selector, but in v1beta1 none', () => {
    expect(holdOf({ selector: {} })).toBeDefined();
    expect(holdOf({ selector: {} }, { namespace: 'other' })).toBeUndefined();
    expect(holdOf({ selector: {}, apiVersion: 'policy/v1beta1' })).toBeUndefined();
  });

  it('holds a pod that several select, even if each allows it', () => {
    const open = { status: { ...held, disruptionsAllowed: 1 } };
    const hold = readBudgets([budget(open), budget(open, 'all')])(pod);
    expect(hold?.budgets).toEqual(['shop/web', 'shop/all']);
  });
});
