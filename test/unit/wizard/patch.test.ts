import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { prependDocument, removeDocument } from '../../../ui/wizard/src/answer-file/documents.ts';
import { setValue } from '../../../ui/wizard/src/answer-file/patch.ts';
import { type Path, readAnswerFile } from '../../../ui/wizard/src/answer-file/stream.ts';

const valuesOf = (text: string): unknown[] => {
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) return [];
  return documents.map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as unknown;
  });
};
const commentsOf = (text: string): string[] => text.match(/# c\d+/g) ?? [];

type Plain = string | number | boolean | Plain[] | { [key: string]: Plain };

const keyArbitrary = fc.constantFrom(
  'name',
  'spec',
  'labels',
  'replicas',
  'a',
  'dns',
  'host',
  'x-1',
  'workers',
);
const scalarArbitrary: fc.Arbitrary<string | number | boolean> = fc.oneof(
  fc.constantFrom(
    'general',
    '1.20.2',
    '10.0.0.1-10.0.0.9',
    '16Gi',
    'yes',
    'null',
    '',
    '22:00',
    'a: b',
    '# no',
    '2020-01-01',
    '- x',
    '1e3',
    '0x1f',
    "it's",
    '"',
  ),
  fc.string({ maxLength: 8 }),
  fc.integer({ min: -5, max: 9 }),
  fc.boolean(),
);
const { value: valueArbitrary } = fc.letrec<{ value: Plain; section: Plain; list: Plain }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalarArbitrary,
    tie('section'),
    tie('list'),
  ),
  section: fc.dictionary(keyArbitrary, tie('value') as fc.Arbitrary<Plain>, {
    maxKeys: 4,
    noNullPrototype: true,
  }),
  list: fc.array(tie('value') as fc.Arbitrary<Plain>, { maxLength: 3 }),
}));
const documentArbitrary = fc.dictionary(keyArbitrary, valueArbitrary as fc.Arbitrary<Plain>, {
  minKeys: 1,
  maxKeys: 4,
  noNullPrototype: true,
});

/** Writes a value as a person might: comments and blank lines anywhere, any quotes, brackets or lines. */
class Scribe {
  readonly #choose: (bound: number) => number;
  #comments = 0;

  constructor(choose: (bound: number) => number) {
    this.#choose = choose;
  }

  #comment(): string {
    if (this.#choose(3) !== 0) return '';
    this.#comments += 1;
    return `${' '.repeat(1 + this.#choose(3))}# c${this.#comments}`;
  }

  #above(margin: string): string {
    const comment = this.#comment();
    const blank = this.#choose(5) === 0 ? '\n' : '';
    return comment === '' ? blank : `${blank}${margin}${comment.trimStart()}\n`;
  }

  #scalar(value: string | number | boolean): string {
    if (typeof value !== 'string') return String(value);
    const isSafe =
      /^[a-z][a-z]*$/.test(value) &&
      !['yes', 'null', 'true', 'false', 'no', 'on', 'off', 'y', 'n'].includes(value);
    if (isSafe && this.#choose(2) === 0) return value;
    const isSingle = this.#choose(2) === 0 && /^[ -~]*$/.test(value);
    return isSingle ? `'${value.replaceAll("'", "''")}'` : JSON.stringify(value);
  }

  #flow(value: Plain): string {
    if (Array.isArray(value)) return `[${value.map((entry) => this.#flow(entry)).join(', ')}]`;
    if (typeof value !== 'object') return this.#scalar(value);
    const pairs = Object.entries(value).map(([key, part]) => `${key}: ${this.#flow(part)}`);
    return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
  }

  #isOnOneLine(value: Plain): boolean {
    if (typeof value !== 'object') return true;
    return Object.keys(value).length === 0 || this.#choose(3) === 0;
  }

  lines(value: Plain, margin: string): string {
    if (typeof value !== 'object') return '';
    if (Array.isArray(value)) {
      return value
        .map((entry) => {
          if (this.#isOnOneLine(entry) || Array.isArray(entry))
            return `${this.#above(margin)}${margin}- ${this.#flow(entry)}${this.#comment()}\n`;
          const [first = '', ...rest] = this.#plainLines(entry, `${margin}  `);
          return `${this.#above(margin)}${margin}- ${first.trimStart()}\n${rest.map((line) => `${line}\n`).join('')}`;
        })
        .join('');
    }
    return Object.entries(value)
      .map(([key, part]) => {
        const head = `${this.#above(margin)}${margin}${key}:`;
        if (this.#isOnOneLine(part))
          return `${head}${' '.repeat(1 + this.#choose(2))}${this.#flow(part)}${this.#comment()}\n`;
        const deeper =
          Array.isArray(part) && this.#choose(2) === 0
            ? margin
            : `${margin}${' '.repeat(1 + this.#choose(3))}`;
        return `${head}${this.#comment()}\n${this.lines(part, deeper)}`;
      })
      .join('');
  }

  /** Without anything above the first key: it stands behind a dash. */
  #plainLines(value: Plain, margin: string): string[] {
    return Object.entries(value as { [key: string]: Plain }).map(
      ([key, part]) => `${margin}${key}: ${this.#flow(part)}${this.#comment()}`,
    );
  }
}

const streamArbitrary = fc
  .tuple(fc.array(documentArbitrary, { minLength: 1, maxLength: 3 }), fc.infiniteStream(fc.nat(1000)))
  .map(([documents, numbers]) => {
    const scribe = new Scribe((bound) => (numbers.next().value as number) % bound);
    const texts = documents.map((document) => scribe.lines(document, ''));
    return { texts, text: texts.join('---\n'), documents };
  });

function pathsIn(value: Plain, path: Path = []): Path[] {
  if (typeof value !== 'object') return [path];
  const below = Array.isArray(value)
    ? value.flatMap((entry, place) => pathsIn(entry, [...path, place]))
    : Object.entries(value).flatMap(([key, part]) => pathsIn(part, [...path, key]));
  return path.length === 0 ? below : [path, ...below];
}

/** The meaning of a change, on plain values: what the text must say afterwards. */
function changed(root: unknown, path: Path, value: unknown): unknown {
  const copy = structuredClone(root) as Record<string | number, unknown>;
  let place: Record<string | number, unknown> = copy;
  for (const part of path.slice(0, -1)) place = place[part] as Record<string | number, unknown>;
  const last = path.at(-1) as string | number;
  if (value !== undefined) place[last] = value;
  else if (Array.isArray(place)) place.splice(Number(last), 1);
  else delete place[last];
  return copy;
}

const isScalarValue = (value: unknown): boolean => typeof value !== 'object';

describe('a form change patches the text (issue 3: comments stay)', () => {
  it('changes a scalar on its own line and not one byte elsewhere', () => {
    fc.assert(
      fc.property(
        streamArbitrary,
        fc.nat(),
        fc.nat(),
        scalarArbitrary,
        ({ text, documents }, which, where, value) => {
          const index = which % documents.length;
          const paths = pathsIn(documents[index] as Plain).filter((path) =>
            isScalarValue(path.reduce<unknown>((inner, part) => (inner as never)[part], documents[index])),
          );
          fc.pre(paths.length > 0);
          const path = paths[where % paths.length] as Path;
          const after = setValue(text, index, path, value);
          const wanted = documents.map((document, place) =>
            place === index ? changed(document, path, value) : document,
          );
          expect(valuesOf(after)).toEqual(wanted);
          const [before, now] = [text.split('\n'), after.split('\n')];
          expect(now).toHaveLength(before.length);
          expect(now.filter((line, number) => line !== before[number]).length).toBeLessThanOrEqual(1);
          expect(commentsOf(after)).toEqual(commentsOf(text));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('adds keys and entries without touching a word of the rest', () => {
    fc.assert(
      fc.property(
        streamArbitrary,
        fc.nat(),
        fc.nat(),
        valueArbitrary,
        ({ text, texts, documents }, which, where, value) => {
          const index = which % documents.length;
          const document = documents[index] as Plain;
          const places: Path[] = [[], ...pathsIn(document)].flatMap((path): Path[] => {
            const inner = path.reduce<unknown>((outer, part) => (outer as never)[part], document);
            if (typeof inner !== 'object') return [];
            return [Array.isArray(inner) ? [...path, inner.length] : [...path, 'added']];
          });
          const path = places[where % places.length] as Path;
          const after = setValue(text, index, path, value);
          const wanted = documents.map((each, place) =>
            place === index ? changed(each, path, value) : each,
          );
          expect(valuesOf(after)).toEqual(wanted);
          expect(commentsOf(after)).toEqual(commentsOf(text));
          for (const [place, other] of texts.entries()) if (place !== index) expect(after).toContain(other);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('takes things away with their own comments only', () => {
    fc.assert(
      fc.property(streamArbitrary, fc.nat(), fc.nat(), ({ text, documents }, which, where) => {
        const index = which % documents.length;
        const paths = pathsIn(documents[index] as Plain).filter((path) => path.length > 1);
        fc.pre(paths.length > 0);
        const path = paths[where % paths.length] as Path;
        const after = setValue(text, index, path, undefined);
        const wanted = documents.map((each, place) =>
          place === index ? changed(each, path, undefined) : each,
        );
        expect(valuesOf(after)).toEqual(wanted);
        const kept = commentsOf(after);
        expect(commentsOf(text).filter((comment) => kept.includes(comment))).toEqual(kept);
      }),
      { numRuns: 300 },
    );
  });
});

const example = `# our first cluster
apiVersion: remuda.dev/v1alpha1
kind: Cluster
metadata:
  name: lab-ha # asked for by maria
spec:
  provider: lab
  controlPlane:
    replicas: 3   # survives one
  workers:
    # the usual ones
    - name: general
      replicas: 2
    - { name: gpu, replicas: 1 } # dear
  addons: {}
`;

describe('what people see of it', () => {
  it('keeps aligned comments, order and brackets', () => {
    let text = setValue(example, 0, ['spec', 'controlPlane', 'replicas'], 5);
    text = setValue(text, 0, ['spec', 'workers', 1, 'replicas'], 2);
    text = setValue(text, 0, ['spec', 'controlPlane', 'endpoint', 'host'], '10.20.0.10');
    text = setValue(text, 0, ['spec', 'addons', 'dns', 'enabled'], false);
    expect(text).toBe(
      example
        .replace('replicas: 3   #', 'replicas: 5   #')
        .replace('gpu, replicas: 1', 'gpu, replicas: 2')
        .replace('# survives one\n', '# survives one\n    endpoint:\n      host: 10.20.0.10\n')
        .replace('addons: {}', 'addons:\n    dns:\n      enabled: false'),
    );
  });

  it('takes a worker group away and leaves its neighbours as they were written', () => {
    const text = setValue(example, 0, ['spec', 'workers'], [{ name: 'gpu', replicas: 1 }]);
    expect(text).toContain('{ name: gpu, replicas: 1 } # dear');
    expect(text).not.toContain('general');
  });

  it('adds and removes documents', () => {
    const both = prependDocument(example, {
      apiVersion: 'remuda.dev/v1alpha1',
      kind: 'Provider',
      metadata: { name: 'lab' },
    });
    expect(readAnswerFile(both).documents.map(({ kind, name }) => `${kind}/${name}`)).toEqual([
      'Provider/lab',
      'Cluster/lab-ha',
    ]);
    expect(removeDocument(both, 0)).toBe(example);
    expect(readAnswerFile(removeDocument(both, 1)).documents.map(({ kind }) => kind)).toEqual(['Provider']);
  });

  describe('texts of several lines, such as scripts (V10)', () => {
    const head = `kind: Cluster
spec:
  hooks:
    - name: flush # c1
      run:
        machine:
          script:`;
    const tail = `
      timeout: 5m # c2
  deletion:   { protected: true }   # c3: as nobody but its writer would space it
`;
    const path = ['spec', 'hooks', 0, 'run', 'machine', 'script'];
    const scriptArbitrary = fc
      .array(
        fc.oneof(fc.constantFrom('', ' ', '  two', '\ttab', '# no', '- x', 'a: b', '"', 'sync'), fc.string()),
        {
          maxLength: 6,
        },
      )
      .map((lines) => lines.join('\n'));
    const scriptOf = (text: string): unknown => {
      const [document] = valuesOf(text) as { spec: { hooks: { run: { machine: { script: unknown } } }[] } }[];
      return document?.spec.hooks[0]?.run.machine.script;
    };

    it('are read back to the letter, over whatever stood there before, and nothing beside them moves', () => {
      fc.assert(
        fc.property(fc.array(scriptArbitrary, { minLength: 1, maxLength: 3 }), (scripts) => {
          let text = `${head} ""${tail}`;
          for (const script of scripts) {
            text = setValue(text, 0, path, script);
            expect(scriptOf(text)).toBe(script);
            expect([text.startsWith(head), text.endsWith(tail)]).toEqual([true, true]);
          }
        }),
      );
    });

    it('stand line by line, however they are typed', () => {
      const script = 'systemctl stop billing-worker\nsync\n';
      let text = `${head} ""${tail}`;
      for (let typed = 1; typed <= script.length; typed += 1)
        text = setValue(text, 0, path, script.slice(0, typed));
      const lines = '            systemctl stop billing-worker\n            sync';
      expect(text).toBe(`${head} |\n${lines}${tail}`);
      // In a hook that comes with its script, too.
      const hooks = [{ name: 'flush', run: { machine: { script } } }];
      expect(setValue('kind: Cluster\nspec: {}\n', 0, ['spec'], { hooks })).toContain('script: |\n');
    });
  });

  it('reads half-typed text without throwing', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(example.length), (typed, at) => {
        const { documents } = readAnswerFile(example.slice(0, at) + typed);
        expect(Array.isArray(documents)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
