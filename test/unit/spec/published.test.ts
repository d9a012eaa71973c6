import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { specCodes } from '../../../daemon/spec/codes.ts';
import { answerFileSchema } from '../../../daemon/spec/json-schema.ts';
import { renderReference } from '../../../daemon/spec/reference.ts';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

describe('what is published from the schema (K10)', () => {
  it('the reference in ui/docs is fresh; run scripts/reference when it is not', () => {
    expect(read('ui/docs/answer-file.md')).toBe(renderReference());
  });

  it('the JSON Schema is 2020-12, closed, and carries help, examples, defaults and mutability', () => {
    const schema = answerFileSchema();
    expect(schema['$schema']).toBe('https://json-schema.org/draft/2020-12/schema');
    const text = JSON.stringify(schema);
    expect(JSON.parse(text)).toEqual(schema);
    expect(schema).toMatchObject({
      $defs: {
        Cluster: {
          additionalProperties: false,
          required: ['apiVersion', 'kind', 'metadata', 'spec'],
          properties: {
            spec: {
              required: ['provider', 'kubernetes'],
              properties: {
                controlPlane: {
                  properties: {
                    replicas: { type: 'integer', default: 3, 'x-mutability': 'in-place', examples: [3] },
                  },
                },
                workers: {
                  items: { properties: { machine: { properties: { memory: { type: 'string' } } } } },
                },
              },
            },
          },
        },
        Provider: { additionalProperties: false },
        Secret: { additionalProperties: false },
      },
    });
  });

  it('every code in the sources is in the catalogue, with title, explanation and remedy', () => {
    const root = new URL('../../../daemon/spec/', import.meta.url);
    const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.startsWith('codes'))
      .map((name) => readFileSync(new URL(name, root), 'utf8'));
    const used = new Set(sources.flatMap((source) => source.match(/SPEC-\d{3}/g) ?? []));
    expect([...used].filter((code) => !(code in specCodes))).toEqual([]);
    expect(Object.keys(specCodes).filter((code) => !used.has(code))).toEqual([]);
    for (const entry of Object.values(specCodes))
      for (const text of [entry.explanation, entry.remedy]) expect(text).toMatch(/[.]$/);
  });

  it('spec does no I/O and knows no clock: it imports nothing of Node but the hash, and the bound on expressions', () => {
    const root = new URL('../../../daemon/spec/', import.meta.url);
    for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((one) =>
      one.endsWith('.ts'),
    )) {
      const source = readFileSync(new URL(name, root), 'utf8');
      const imported = [...source.matchAll(/from 'node:([a-z/]+)'/g)].map((found) => found[1]);
      expect(
        imported.filter(
          (module) => module !== 'crypto' && !(module === 'vm' && name === 'policy/expression.ts'),
        ),
        name,
      ).toEqual([]);
      expect(source, name).not.toMatch(/Date\.now|new Date\(|Math\.random|process\./);
    }
  });
});
