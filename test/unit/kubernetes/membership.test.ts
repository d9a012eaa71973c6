import { array, assert, boolean, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quorumOf, successorOf, whyNotRemove } from '../../../provisioners/kubernetes/membership.ts';
import type { EtcdMember } from '../../../provisioners/contract/observed.ts';

const member = (id: number, over: Partial<EtcdMember> = {}): EtcdMember => ({
  id: `${id}`,
  name: `m${id}`,
  peerURLs: [],
  started: true,
  learner: false,
  healthy: true,
  leader: false,
  ...over,
});

const cluster = array(record({ started: boolean(), learner: boolean(), healthy: boolean() }), {
  minLength: 1,
  maxLength: 7,
}).map((all) =>
  all.map(({ started, learner, healthy }, id) =>
    member(id, { started, learner, healthy: started && healthy, name: started ? `m${id}` : '' }),
  ),
);

describe('what may leave etcd (complaint 6)', () => {
  it('lets no removal of a started voter leave less than a healthy majority, whatever the cluster', () => {
    assert(
      property(cluster, (members) => {
        for (const { id, started, learner } of members) {
          if (!started || learner || whyNotRemove(members, id) !== undefined) continue;
          const stay = members.filter((each) => each.id !== id && !each.learner);
          const healthy = stay.filter((each) => each.healthy).length;
          expect(healthy).toBeGreaterThanOrEqual(quorumOf(stay.length));
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('never keeps a learner or a member that did not start (complaint 5)', () => {
    assert(
      property(cluster, (members) => {
        for (const { id, started, learner } of members)
          if (!started || learner) expect(whyNotRemove(members, id)).toBeUndefined();
      }),
    );
  });

  it.each([
    [3, 0, true],
    [3, 1, false],
    [5, 1, true],
    [5, 2, false],
    [7, 2, true],
    [7, 3, false],
    [1, 0, false],
    [2, 0, true],
    [2, 1, false],
  ])('%i voters, %i failed: removing a healthy one is allowed = %s', (count, failed, isAllowed) => {
    const members = Array.from({ length: count }, (_, id) => member(id, { healthy: id >= failed }));
    expect(whyNotRemove(members, `${count - 1}`) === undefined).toBe(isAllowed);
  });

  it('names who does not answer', () => {
    const members = [
      member(0),
      member(1, { healthy: false }),
      member(2, { started: false, name: '', healthy: false }),
    ];
    expect(whyNotRemove(members, '0')?.why).toMatch(/m1, unstarted 2/u);
  });

  it('hands leadership to a healthy voter only', () => {
    const members = [member(0), member(1, { healthy: false }), member(2, { learner: true }), member(3)];
    expect(successorOf(members, '0')?.id).toBe('3');
    expect(successorOf(members.slice(0, 3), '0')).toBeUndefined();
  });
});
