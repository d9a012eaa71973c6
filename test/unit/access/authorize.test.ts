import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AccessObject,
  authorize,
  isClusterBound,
  mayKnowOf,
  policyCells,
  verbs,
} from '../../../daemon/access/authorize.ts';
import { type Principal, type Role, roles } from '../../../daemon/access/principals.ts';

const principal = (role: Role, inDemo?: Role, scope?: Principal['scope']): Principal => ({
  id: 'user:alice',
  name: 'alice',
  role,
  grants: inDemo === undefined ? {} : { demo: inDemo },
  source: 'local',
  ...(scope === undefined ? {} : { scope }),
});

describe('events and log lines × role', () => {
  // Who sees an event, and who a log line: of demo, of another cluster, of none.
  test.each<[Role, Role | undefined, string, string]>([
    ['user', undefined, '---', '---'],
    ['user', 'user', 'd--', '---'],
    ['user', 'viewer', 'd--', 'd--'],
    ['user', 'operator', 'd--', 'd--'],
    ['user', 'admin', 'd--', 'd--'],
    ['viewer', undefined, 'dos', 'dos'],
    ['viewer', 'operator', 'dos', 'dos'],
    ['operator', undefined, 'dos', 'dos'],
    ['operator', 'user', 'dos', 'dos'],
    ['admin', undefined, 'dos', 'dos'],
  ])('%s here, %s in demo: events %s, lines %s', (role, inDemo, events, lines) => {
    const seen = (kind: 'event' | 'log'): string =>
      [
        ['demo', 'd'],
        ['other', 'o'],
        [undefined, 's'],
      ]
        .map(([cluster, letter]) => {
          const object: AccessObject = { kind, ...(cluster === undefined ? {} : { cluster }) };
          return authorize(principal(role, inDemo), 'read', object) ? letter : '-';
        })
        .join('');
    expect([seen('event'), seen('log')]).toEqual([events, lines]);
  });
});

const anyRole = fc.constantFrom(...roles);
const anyObject = fc.record(
  {
    kind: fc.constantFrom(...policyCells().map(({ kind }) => kind)),
    cluster: fc.constantFrom('demo', 'other'),
  },
  { requiredKeys: ['kind'] },
);
const anyVerb = fc.constantFrom(...verbs);

test('a greater role may everything that a lesser one may, here and in a cluster', () => {
  fc.assert(
    fc.property(
      anyRole,
      fc.option(anyRole, { nil: undefined }),
      anyVerb,
      anyObject,
      (role, inDemo, verb, object) => {
        if (!authorize(principal(role, inDemo), verb, object)) return;
        for (const greater of roles.slice(0, roles.indexOf(role)))
          expect(authorize(principal(greater, inDemo), verb, object)).toBe(true);
        if (inDemo === undefined) return;
        for (const greater of roles.slice(0, roles.indexOf(inDemo)))
          expect(authorize(principal(role, greater), verb, object)).toBe(true);
      },
    ),
  );
});

test('a role in a cluster gives nothing outside of it', () => {
  fc.assert(
    fc.property(anyRole, anyRole, anyVerb, anyObject, (role, inDemo, verb, object) => {
      if (object.cluster === 'demo' && isClusterBound(object.kind)) return;
      expect(authorize(principal(role, inDemo), verb, object)).toBe(authorize(principal(role), verb, object));
    }),
  );
});

test('what somebody may do she may also know of; what she may not know of she may not do', () => {
  fc.assert(
    fc.property(
      anyRole,
      fc.option(anyRole, { nil: undefined }),
      anyVerb,
      anyObject,
      (role, inDemo, verb, object) => {
        const one = principal(role, inDemo);
        if (object.cluster === undefined || !isClusterBound(object.kind)) return;
        if (!mayKnowOf(one, object.cluster)) expect(authorize(one, verb, object)).toBe(false);
      },
    ),
  );
});

test('a token that is cut down never may more than its account', () => {
  const scope = fc.record(
    { verbs: fc.subarray([...verbs]), clusters: fc.subarray(['demo', 'other']) },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(anyRole, anyRole, anyVerb, anyObject, scope, (role, inDemo, verb, object, cut) => {
      const isAllowed = authorize(principal(role, inDemo, cut), verb, object);
      if (isAllowed) expect(authorize(principal(role, inDemo), verb, object)).toBe(true);
      if (isAllowed && cut.verbs) expect(cut.verbs).toContain(verb);
      if (isAllowed && cut.clusters && isClusterBound(object.kind))
        expect(cut.clusters).toContain(object.cluster);
    }),
  );
});

test('what the policy does not name nobody may', () => {
  const named = new Set(policyCells().map(({ kind, verb }) => `${kind} ${verb}`));
  for (const { kind } of policyCells())
    for (const verb of verbs)
      if (!named.has(`${kind} ${verb}`))
        expect(authorize(principal('admin', 'admin'), verb, { kind })).toBe(false);
});
