import { describe, expect, it } from 'vitest';
import { requireBypassable } from '../../../daemon/planning/bypass.ts';
import { checks } from '../../../provisioners/kubernetes/preflight/catalogue.ts';

describe('a bypass is explicit (issue 2: preflight; K11)', () => {
  it('takes every check that may be bypassed, and those of providers, which agents judge', () => {
    const ids = checks.filter(({ severity }) => severity === 'bypassable').map(({ id }) => id);
    expect(() => requireBypassable([...ids, 'LAB-MEMORY'])).not.toThrow();
    expect(() => requireBypassable([])).not.toThrow();
  });

  it.each(checks.filter(({ severity }) => severity === 'strict').map(({ id }) => id))(
    'refuses the strict %s, with what it prevents',
    (id) => {
      expect(() => requireBypassable([id])).toThrow(`${id} is strict: it prevents that `);
    },
  );

  it.each([
    ['HOST-SWPA', /There is no check HOST-SWPA/, /Did you mean HOST-SWAP\?/],
    ['host-cpu', /There is no check host-cpu/, /Did you mean HOST-CPU\?/],
    ['everything', /There is no check everything/, /^Those that can be bypassed: HOST-CPU, /],
  ])('refuses %s: a misspelt one would be recorded and bypass nothing', (id, summary, remedy) => {
    const asked = (): void => requireBypassable(['HOST-CPU', id]);
    expect(asked).toThrow(summary);
    expect(asked).toThrow(
      expect.objectContaining({
        report: expect.objectContaining({ value: id, remedy: expect.stringMatching(remedy) }),
      }),
    );
  });
});
