import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drainPolicyOf, readyFloorOf } from '../../../daemon/planning/maintenance-rules.ts';
import { drainPolicySchema } from '../../../provisioners/kubernetes/drain-policy.ts';
import { shortfallAmong } from '../../../provisioners/kubernetes/ready-floor.ts';
import { isCluster } from '../../../daemon/spec/documents.ts';
import { parseStream } from '../../../daemon/spec/stream.ts';
import { answerFile } from '../../faults/answer-file.ts';

function documentWith(maintenance: string, workers = 5) {
  const { documents, problems } = parseStream(answerFile({ workers, maintenance }), { file: 'f' });
  expect(problems).toEqual([]);
  const found = documents.map(({ document }) => document).find(isCluster);
  if (found === undefined) throw new Error('no cluster');
  return found;
}

describe('how pods are moved (complaint 10, V9)', () => {
  it('is careful where nobody says more: nothing is lost that nobody makes again, and budgets are waited for', () => {
    expect(drainPolicyOf(documentWith('{}'))).toEqual({
      unmanaged: 'refuse',
      emptyDir: 'delete',
      whenBlocked: 'wait',
    });
  });

  it('is what the document says, with durations in milliseconds, and the step reads it', () => {
    const policy = drainPolicyOf(
      documentWith(
        '{ drain: { unmanaged: delete, emptyDir: refuse, whenBlocked: force, gracePeriod: 90s, forceAfter: 2h } }',
      ),
    );
    expect(policy).toEqual({
      unmanaged: 'delete',
      emptyDir: 'refuse',
      whenBlocked: 'force',
      gracePeriod: 90_000,
      forceAfter: 7_200_000,
    });
    expect(drainPolicySchema.parse(policy)).toEqual(policy);
  });
});

describe('how many go on serving while one more goes (V9)', () => {
  it.each([
    ['80%', 5, 4],
    ['80%', 3, 3],
    ['1%', 3, 1],
    ['2', 5, 2],
    ['100%', 7, 7],
  ])('%s of %i machines are %i', (minimumReady, workers, ready) => {
    const document = documentWith(`{ minimumReady: ${minimumReady} }`, workers);
    expect(readyFloorOf(document, 'demo-general-2')).toEqual({ group: 'demo-general', ready });
  });

  it('is nothing where nothing is asked for: of a group that is given up, or by 0', () => {
    expect(readyFloorOf(documentWith('{}'), 'demo-other-1')).toBeUndefined();
    expect(readyFloorOf(documentWith('{ minimumReady: 0% }'), 'demo-general-1')).toBeUndefined();
    expect(readyFloorOf(documentWith('{ minimumReady: 0 }'), 'demo-general-1')).toBeUndefined();
  });

  it('holds a machine that serves exactly while fewer others than that serve, and names each that does not', () => {
    const member = fc.record({
      name: fc.nat(6).map((number) => `demo-general-${number}`),
      idle: fc.constantFrom(undefined, 'kubelet stopped', 'takes no new pods'),
    });
    const group = fc.uniqueArray(member, { selector: ({ name }) => name, maxLength: 7 });
    fc.assert(
      fc.property(group, fc.integer({ min: 1, max: 7 }), fc.nat(6), (drawn, ready, number) => {
        const members = drawn.map(({ name, idle }) => (idle === undefined ? { name } : { name, idle }));
        const candidate = `demo-general-${number}`;
        const found = shortfallAmong({ group: 'demo-general', ready }, members, candidate);
        const others = drawn.filter(({ name }) => name !== candidate);
        const serving = others.filter(({ idle }) => idle === undefined);
        const isOut = drawn.some(({ name, idle }) => name === candidate && idle !== undefined);
        expect(found !== undefined).toBe(!isOut && serving.length < ready);
        if (found === undefined) return;
        for (const { name, idle } of others.filter((one) => one.idle !== undefined).slice(0, 5))
          expect(found.why).toContain(`${name} (${idle})`);
      }),
    );
  });
});
