import { anything, assert, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCluster, type PolicyDocument } from '../../../daemon/spec/documents.ts';
import { defaultPolicies } from '../../../daemon/spec/policy/defaults.ts';
import { compile, longestExpression, type Variables } from '../../../daemon/spec/policy/expression.ts';
import { judge, speaksOf } from '../../../daemon/spec/policy/judgement.ts';
import { policyDocumentSchema } from '../../../daemon/spec/schema/policy.ts';
import { parseStream } from '../../../daemon/spec/stream.ts';

const head = 'apiVersion: remuda.dev/v1alpha1\nkind: Policy\nmetadata: { name: p }\nspec:\n';
const codesOf = (spec: string) =>
  parseStream(head + spec, { file: 'p.yaml' }).problems.map(({ code, place }) => [code, place?.line]);

function cluster(name: string, spec = ''): unknown {
  const text = `apiVersion: remuda.dev/v1alpha1
kind: Cluster
metadata: { name: ${name} }
spec:
  provider: lab
  kubernetes: { version: "1.37.1" }
${spec}`;
  const [parsed] = parseStream(text, { file: 'a.yaml' }).documents;
  if (!parsed || !isCluster(parsed.document)) throw new Error('no cluster');
  return JSON.parse(JSON.stringify(parsed.document));
}

const policy = (spec: object): PolicyDocument =>
  policyDocumentSchema.parse({
    apiVersion: 'remuda.dev/v1alpha1',
    kind: 'Policy',
    metadata: { name: 'p' },
    spec,
  });
const one = (expression: string, more: object = {}) =>
  judge([policy({ validations: [{ expression, ...more }] })], 'prod-east', {
    object: cluster('prod-east', '  controlPlane: { replicas: 1 }\n'),
    oldObject: null,
    request: { principal: 'user:alice', operation: 'CREATE' },
  });

describe('C9: kind Policy in the answer file', () => {
  test('a good one is kept as it is; what cannot be is told with its line', () => {
    const good = parseStream(`${head}  action: Deny\n  validations: [{ expression: "true" }]\n`, {
      file: 'p.yaml',
    });
    expect([good.problems, good.policies.map(({ spec }) => spec.action)]).toEqual([[], ['Deny']]);
    expect(good.sanitizedText).toContain('action: Deny');
    expect(codesOf('  validations:\n  - expression: "object."\n')).toEqual([['SPEC-081', 6]]);
    expect(codesOf('  validations:\n  - expression: "nobody.spec"\n')).toEqual([['SPEC-081', 6]]);
    expect(codesOf('  validations:\n  - expression: "1 + 1"\n')).toEqual([['SPEC-081', 6]]);
    expect(codesOf('  validations:\n  - { expression: "true", messageExpression: "1" }\n')).toEqual([
      ['SPEC-081', 6],
    ]);
    expect(codesOf('  match: { clusters: ["Prod?"] }\n  validations: [{ expression: "true" }]\n')).toEqual([
      ['SPEC-080', 5],
    ]);
    expect(codesOf('  validations: []\n')).not.toEqual([]);
    expect(codesOf('  action: Maybe\n  validations: [{ expression: "true" }]\n')).not.toEqual([]);
  });
});

describe('C9: what a policy says of a cluster', () => {
  test('an expression that is not true objects, with its message and the first field that it names', () => {
    expect(one('object.spec.controlPlane.replicas >= 3', { message: 'three!' })).toEqual([
      {
        policy: 'p',
        action: 'Warn',
        message: 'three!',
        field: 'spec.controlPlane.replicas',
        isUnknown: false,
      },
    ]);
    expect(one('object.spec.controlPlane.replicas == 1')).toEqual([]);
    expect(one('object.spec.workers.exists(w, w.replicas > 1)')).toMatchObject([{ field: 'spec.workers' }]);
  });

  test('messages can be made of the cluster; one that cannot falls back to the plain one', () => {
    const found = '"found " + string(object.spec.controlPlane.replicas) + " for " + request.principal';
    expect(one('false', { messageExpression: found })).toMatchObject([{ message: 'found 1 for user:alice' }]);
    expect(one('false', { message: 'plain', messageExpression: 'string(object.nothing)' })).toMatchObject([
      { message: 'plain' },
    ]);
  });

  test('what cannot be evaluated counts as broken and says so', () => {
    expect(one('object.spec.nothing == 1')).toMatchObject([{ isUnknown: true, field: 'spec.nothing' }]);
    expect(one('object.spec.provider')).toMatchObject([{ isUnknown: true }]);
  });

  test('patterns of names', () => {
    const of = (...clusters: readonly string[]) =>
      policy({ match: { clusters }, validations: [{ expression: 'true' }] });
    const names = ['prod', 'prod-east', 'my-prod-east', 'product', 'p'];
    const matching = (...patterns: readonly string[]) =>
      names.filter((name) => speaksOf(of(...patterns), name));
    expect(matching('prod-*')).toEqual(['prod-east']);
    expect(matching('prod*')).toEqual(['prod', 'prod-east', 'product']);
    expect(matching('*prod*east')).toEqual(['prod-east', 'my-prod-east']);
    expect(matching('p', 'prod')).toEqual(['prod', 'p']);
    expect(matching('*')).toEqual(names);
    expect(matching('p*p')).toEqual([]);
    expect(names.every((name) => speaksOf(policy({ validations: [{ expression: 'true' }] }), name))).toBe(
      true,
    );
  });
});

describe('C9: operations, in the words of ValidatingAdmissionPolicy', () => {
  const judged = (operations: readonly string[] | undefined, operation: Variables['request']['operation']) =>
    judge(
      [policy({ match: operations ? { operations } : {}, validations: [{ expression: 'false' }] })],
      'prod-east',
      {
        object: operation === 'DELETE' ? null : cluster('prod-east'),
        oldObject: operation === 'CREATE' ? null : cluster('prod-east'),
        request: { principal: 'user:alice', operation },
      },
    ).length === 1;

  test('without any a policy is asked when a cluster is made or changed, and not when it is deleted', () => {
    expect([judged(undefined, 'CREATE'), judged(undefined, 'UPDATE'), judged(undefined, 'DELETE')]).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('with some it is asked for those alone; unknown ones and an empty list are refused with their line', () => {
    expect([judged(['DELETE'], 'UPDATE'), judged(['DELETE'], 'DELETE')]).toEqual([false, true]);
    expect(judged(['CREATE', 'DELETE'], 'UPDATE')).toBe(false);
    for (const wrong of ['[delete]', '[]', '[CONNECT]'])
      expect(
        codesOf(`  match: { operations: ${wrong} }\n  validations: [{ expression: "true" }]\n`)[0]?.[1],
      ).toBe(5);
  });

  test('an expression sees that the object is gone, what it was, and the operation', () => {
    const seen = "request.operation == 'DELETE' && object == null && oldObject.metadata.name == 'prod-east'";
    const found = judge(
      [policy({ match: { operations: ['DELETE'] }, validations: [{ expression: seen }] })],
      'prod-east',
      {
        object: null,
        oldObject: cluster('prod-east'),
        request: { principal: 'user:alice', operation: 'DELETE' },
      },
    );
    expect(found).toEqual([]);
  });
});

describe('C9: expressions are bounded and reach nothing', () => {
  test('a regular expression that takes for ever and comprehensions in one another are ended', () => {
    const evil = compile(`'${'a'.repeat(60)}b'.matches('^(a+)+$')`, 'bool');
    const variables: Variables = {
      object: null,
      oldObject: null,
      request: { principal: 'x', operation: 'CREATE' },
    };
    expect(evil.isValid && evil.evaluate(variables)).toEqual({
      outcome: 'failed',
      reason: 'it took too long',
    });
    const list = `[${'1,'.repeat(60)}1]`;
    const deep = compile(
      `${list}.all(a,${list}.all(b,${list}.all(c,${list}.all(d,${list}.all(e,true)))))`,
      'bool',
    );
    expect(deep.isValid && deep.evaluate(variables)).toEqual({
      outcome: 'failed',
      reason: 'it took too long',
    });
  });

  test('too long, too deep and too large ones are not even read', () => {
    expect(compile(`"${'x'.repeat(longestExpression)}" == ""`, 'bool').isValid).toBe(false);
    expect(compile(`${'['.repeat(100)}1${']'.repeat(100)} == []`, 'bool').isValid).toBe(false);
  });

  test.each([
    'object.constructor',
    'object.__proto__ == null',
    'process.exit(1)',
    'object.toString()',
    'request.constructor.constructor("return 1")() == 1',
    'globalThis == null',
  ])('%s finds nothing of the machine below', (expression) => {
    const compiled = compile(expression, 'bool');
    const result = compiled.isValid
      ? compiled.evaluate({
          object: { spec: {} },
          oldObject: null,
          request: { principal: 'x', operation: 'CREATE' },
        })
      : { outcome: 'failed' };
    expect(result.outcome).toBe('failed');
  });

  test('no text throws, whatever the cluster', () => {
    assert(
      property(string({ maxLength: 60 }), anything({ maxDepth: 2 }), (text, object) => {
        const compiled = compile(text, 'bool');
        if (compiled.isValid)
          compiled.evaluate({
            object: JSON.parse(JSON.stringify(object ?? null)),
            oldObject: null,
            request: { principal: 'x', operation: 'CREATE' },
          });
      }),
    );
  });
});

describe('C9: policies that come with Remuda', () => {
  const namesFor = (name: string, spec: string) =>
    judge(defaultPolicies, name, {
      object: cluster(name, spec),
      oldObject: null,
      request: { principal: 'x', operation: 'CREATE' },
    }).map((objection) => {
      expect(objection).toMatchObject({ action: 'Warn', isUnknown: false });
      return objection.policy;
    });

  test('they warn of production without three masters, two workers and protection, and of nothing else', () => {
    const thin = '  controlPlane: { replicas: 1 }\n  workers: [{ name: w, replicas: 1 }]\n';
    const whole = '  deletion: { protected: true }\n  workers: [{ name: w, replicas: 2 }]\n';
    expect(namesFor('prod-east', thin)).toEqual([
      'production-has-three-masters',
      'production-has-two-workers',
      'production-is-protected',
    ]);
    expect(namesFor('prod-east', whole)).toEqual([]);
    expect(namesFor('demo', thin)).toEqual([]);
  });
});
