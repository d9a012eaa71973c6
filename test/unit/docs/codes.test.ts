import { globSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { catalogues } from '../../../scripts/reference-problems.ts';
import { root } from './markdown.ts';
import { stringsIn } from './strings.ts';

/** Not problem codes, though written alike: names of algorithms. */
const others = new Set(['P-256', 'P-384', 'P-521', 'SHA-256', 'SHA-384', 'SHA-512']);

/** Every problem code that stands as a whole string in a source, with the files it stands in. */
function codesInSources(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const files = globSync('{appliance,daemon,provisioners}/**/*.ts', { cwd: root }).filter(
    (file) => !/\/codes(-of-[a-z]+)?\.ts$/.test(file),
  );
  for (const file of files) {
    for (const text of stringsIn(file))
      if (/^[A-Z]+-\d{3}$/.test(text) && !others.has(text))
        found.set(text, [...(found.get(text) ?? []), file]);
  }
  return found;
}

describe('problem codes (K11, complaint 19)', () => {
  const used = codesInSources();
  const owners = new Map(
    catalogues.flatMap((one) => Object.keys(one.codes).map((code) => [code, one] as const)),
  );

  test('the scan sees codes at all', () => {
    expect([...used.keys()]).toEqual(expect.arrayContaining(['SPEC-041', 'OPS-003', 'SSH-001', 'LAB-015']));
  });

  test('every code in the sources is explained in a catalogue', () => {
    const strangers = [...used].filter(([code]) => !owners.has(code));
    expect(strangers).toEqual([]);
  });

  test('a code has one meaning: it stands in one catalogue, and only its own room says it', () => {
    const all = catalogues.flatMap(({ codes }) => Object.keys(codes));
    expect(all.filter((code, index) => all.indexOf(code) !== index)).toEqual([]);
    const trespassers = [...used].flatMap(([code, files]) =>
      files
        .filter((file) => !owners.get(code)?.rooms.some((room) => file.startsWith(room)))
        .map((file) => `${code} in ${file}`),
    );
    expect(trespassers).toEqual([]);
  });

  test('no catalogue explains what nothing says', () => {
    expect([...owners.keys()].filter((code) => !used.has(code))).toEqual([]);
  });

  test('every entry has title, explanation and remedy in whole sentences', () => {
    for (const { codes } of catalogues)
      for (const [code, { title, explanation, remedy }] of Object.entries(codes)) {
        expect(title, code).toMatch(/^\S.*[^.\s]$/);
        expect(explanation, code).toMatch(/^\S.*\.$/s);
        expect(remedy, code).toMatch(/^\S.*[^\s:,]$/s);
      }
  });
});
