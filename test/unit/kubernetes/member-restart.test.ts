import { describe, expect, it } from 'vitest';
import type { EtcdMember } from '../../../provisioners/contract/observed.ts';
import { whyNotRestart } from '../../../provisioners/kubernetes/control-plane-restart.ts';
import { memberNamed } from './fake-context.ts';

/** What may be wrong with a member. */
const states: readonly Partial<EtcdMember>[] = [
  {},
  { healthy: false },
  { healthy: false, started: false, name: '' },
];

/** All clusters of so many voters, each member in each state. */
function* clusters(size: number): Generator<EtcdMember[]> {
  for (let code = 0; code < states.length ** size; code += 1)
    yield Array.from({ length: size }, (_, index) => {
      const state = states[Math.floor(code / states.length ** index) % states.length];
      return memberNamed(`m${index + 1}`, `10.0.0.${index + 1}`, state ?? {});
    });
}

describe('a restart of an etcd member (issue 4: safety of DESIGN §5)', () => {
  it.each([1, 2, 3, 4, 5, 6, 7])(
    'of %d voters, in every state of the others, never costs a quorum that is avoidable',
    (size) => {
      const majority = Math.floor(size / 2) + 1;
      for (const members of clusters(size)) {
        const others = members.slice(1).filter(({ healthy }) => healthy).length;
        const hold = whyNotRestart(members, 'id-m1');
        const isUnavoidable = size <= 2 && others === size - 1;
        expect(hold === undefined).toBe(others >= majority || isUnavoidable);
        if (hold !== undefined) expect(hold.unwell).toHaveLength(size - 1 - others);
      }
    },
  );

  it('counts no learner: it gives no vote, and none is lost with it', () => {
    const voters = ['m1', 'm2', 'm3'].map((name) => memberNamed(name, '10.0.0.1'));
    const learner = memberNamed('m4', '10.0.0.4', { learner: true });
    expect(whyNotRestart([...voters, learner], 'id-m1')).toBeUndefined();
    const [first, second] = voters;
    if (first === undefined || second === undefined) throw new Error('no voters');
    const dead = memberNamed('m3', '10.0.0.3', { healthy: false });
    expect(whyNotRestart([first, second, dead, learner], 'id-m1')).toMatchObject({ unwell: ['m3'] });
  });
});
