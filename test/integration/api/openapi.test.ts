import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { rolesAllowed } from '../../../daemon/access/authorize.ts';
import { completeTable } from '../../../daemon/api/server.ts';
import { describeApi } from '../../../daemon/api/openapi.ts';

const table = completeTable('0.0.0-test');
const description = describeApi(table, '0.0.0-test');

test('H15: the description is valid OpenAPI 3.1 in the eyes of an independent validator', async () => {
  const validator = new Validator();
  const result = await validator.validate(structuredClone(description));
  expect(result.errors ?? []).toEqual([]);
  expect(result.valid).toBe(true);
  expect(validator.version).toBe('3.1');
});

test('every route is described, and nothing else', () => {
  const paths = description['paths'] as Record<string, Record<string, { readonly operationId: string }>>;
  const described = Object.values(paths).flatMap((methods) =>
    Object.values(methods).map((operation) => operation.operationId),
  );
  expect(described.sort()).toEqual(table.map((route) => route.id).sort());
  expect(new Set(described).size).toBe(table.length);
});

test('every guarded route has a row in the policy: somebody may, and no open door is a mistake', () => {
  const open = table.filter((route) => typeof route.access === 'string').map((route) => route.id);
  expect(open.sort()).toEqual([
    'agent.enrol',
    'agent.renew',
    'door.accept',
    'door.claim',
    'door.get',
    'server.health',
    'server.ready',
    'session.create',
  ]);
  for (const { id, access } of table) {
    if (typeof access !== 'string')
      expect([id, rolesAllowed(access.verb, access.object)]).not.toEqual([id, []]);
  }
});

test('every reference in the description leads somewhere', () => {
  const { schemas } = description['components'] as { readonly schemas: Readonly<Record<string, unknown>> };
  const names = [...JSON.stringify(description).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(
    ([, name]) => name,
  );
  expect(names.length).toBeGreaterThan(20);
  for (const name of names) expect(Object.keys(schemas)).toContain(name);
});

test('whoever changes something is audited: only reading routes are not', () => {
  const unaudited = table
    .filter((route) => !route.mutates && route.method !== 'get')
    .map((route) => route.id);
  expect(unaudited.sort()).toEqual([
    'cluster.look-for-drift',
    'cluster.observe',
    'cluster.plan-deletion',
    'draft.close',
    'draft.open',
    'eject.plan',
    'file.plan',
    'file.preflight',
    'file.validate',
    'machine.plan-change',
    'operation.plan',
    'policy.test',
    'restore.plan',
    'rotation.plan',
    'stray.plan',
  ]);
});
