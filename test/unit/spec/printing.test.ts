import * as fc from 'fast-check';
import { dump } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { printDocument } from '../../../daemon/spec/printing.ts';
import { clusterDocumentSchema } from '../../../daemon/spec/schema/cluster.ts';
import { providerDocumentSchema } from '../../../daemon/spec/schema/provider.ts';
import { formatSize, parseSize } from '../../../daemon/spec/schema/quantity-syntax.ts';
import { parseStream } from '../../../daemon/spec/stream.ts';
import { arbitraryOf } from './arbitrary.ts';

describe('printDocument: load → print → load unchanged (DESIGN §3)', () => {
  it.each([
    ['Cluster', clusterDocumentSchema],
    ['Provider', providerDocumentSchema],
  ])('%s', (_, schema) => {
    fc.assert(
      fc.property(arbitraryOf(schema), (input) => {
        const first = parseStream(dump(input), { file: 'a.yaml' });
        const [loaded] = first.documents;
        if (!loaded) throw new Error(`not read: ${JSON.stringify(first.problems)}`);
        const printed = printDocument(loaded.document);
        const [again] = parseStream(printed, { file: 'b.yaml' }).documents;
        expect(again?.document).toEqual(loaded.document);
        expect(again?.revisionDigest).toBe(loaded.revisionDigest);
        expect(again && printDocument(again.document)).toBe(printed);
      }),
      { numRuns: 150 },
    );
  });

  it('prints every size as text that means the same bytes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4096 }),
        fc.constantFrom('Ki', 'Mi', 'Gi', 'Ti', 'k', 'M', 'G', 'T'),
        (count, unit) => {
          const bytes = parseSize(`${count}${unit}`);
          expect(parseSize(formatSize(bytes))).toBe(bytes);
        },
      ),
    );
    expect(formatSize(16 * 2 ** 30)).toBe('16Gi');
    expect(formatSize(16e9)).toBe('16G');
  });
});

const pieces = fc.constantFrom(
  'apiVersion: remuda.dev/v1alpha1',
  'kind: Cluster',
  'kind: Provider',
  'kind: Secret',
  'metadata:',
  '  name: a',
  'spec:',
  '  workers:',
  '    - name: a',
  '      replicas: 1',
  '  replicas: ',
  '---',
  '...',
  '&a',
  '*a',
  '{',
  '}',
  '[',
  ']',
  '"',
  "'",
  '|',
  '>',
  '\t',
  ': ',
  '- ',
  '# x',
  '!tag',
  '%YAML 1.2',
  '<<: *a',
  '? ',
  '${X}',
  '\u0000',
  '\ufeff',
  '\r\n',
  '__proto__: 1',
  'constructor: 2',
  'stringData:',
  '  password: x',
  '1e999',
  '.nan',
  '-0',
  '0x10',
  '~',
);
const gap = fc.constantFrom('\n', '\n  ', ' ', '');

describe('parseStream never throws (milestone A proof 4: fuzzed spec)', () => {
  it("gives problems or documents for text made of YAML's own pieces", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(pieces, gap), { maxLength: 40 }), (parts) => {
        const { problems, documents, secrets } = parseStream(parts.flat().join(''), { file: 'f' });
        expect(problems.length + documents.length + secrets.length).toBeGreaterThan(0);
      }),
      { numRuns: 1500 },
    );
  });

  it('stays quick on what was made to be slow', () => {
    const cluster = 'apiVersion: remuda.dev/v1alpha1\nkind: Cluster\nmetadata: { name: a }\nspec:\n';
    const texts = [
      `${cluster}  x: [${'1,'.repeat(400_000)}]`,
      `${cluster}${Array.from({ length: 15_000 }, (_, index) => `  f${index}: 1\n`).join('')}`,
      `${cluster}${'  f: 1\n'.repeat(100_000)}`,
      `${'---\na: 1\n'.repeat(50_000)}`,
      `${cluster}  provider: ${'-'.repeat(900_000)}`,
      `${cluster}  ${'p'.repeat(900_000)}: 1`,
      `${cluster}  provider: ${'${A}'.repeat(200_000)}`,
    ];
    for (const text of texts) expect(parseStream(text, { file: 'f' }).problems.length).toBeGreaterThan(0);
  });

  it('and for any text at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const { problems, documents, secrets } = parseStream(text, { file: 'f' });
        expect(problems.length + documents.length + secrets.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  it('and for good documents of which any value was replaced', () => {
    fc.assert(
      fc.property(arbitraryOf(clusterDocumentSchema), fc.jsonValue(), fc.nat(), (input, value, position) => {
        const paths = pathsOf(input, []);
        const path = paths[position % paths.length] ?? [];
        const text = dump(replaced(input, path, value));
        const { problems, documents } = parseStream(text, { file: 'f' });
        expect(problems.length + documents.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});

type Path = readonly (string | number)[];

function pathsOf(value: unknown, path: Path): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const paths: Path[] = [];
  for (const [key, child] of Object.entries(value)) {
    const own = path.concat(Array.isArray(value) ? Number(key) : key);
    paths.push(own, ...pathsOf(child, own));
  }
  return paths;
}

function replaced(root: unknown, path: Path, value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(root))
    return root.map((item: unknown, index) => (index === Number(key) ? replaced(item, rest, value) : item));
  const object = root as Readonly<Record<string, unknown>>;
  return { ...object, [key]: replaced(object[key], rest, value) };
}
