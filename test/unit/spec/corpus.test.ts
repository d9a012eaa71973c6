import { describe, expect, it } from 'vitest';
import { specCodes } from '../../../daemon/spec/codes.ts';
import { corpusNames, parseCorpus, readCorpus, renderProblems } from './corpus.ts';

describe('broken answer files (milestone A proof 4; complaint 19; K11)', () => {
  it.each(corpusNames())('%s: place, field, value, sentence and remedy', (name) => {
    const { problems } = parseCorpus(name);
    expect(problems.length).toBeGreaterThan(0);
    expect(renderProblems(problems)).toBe(readCorpus(`${name}.expected.txt`));
  });

  it('shows every code of the catalogue that a file alone can cause', () => {
    const shown = new Set(corpusNames().flatMap((name) => parseCorpus(name).problems.map((one) => one.code)));
    // These come from resolving sources on the command line: resolution.test.ts.
    const elsewhere = new Set(['SPEC-074', 'SPEC-075', 'SPEC-114']);
    expect(Object.keys(specCodes).filter((code) => !shown.has(code) && !elsewhere.has(code))).toEqual([]);
  });

  it('uses no code that the catalogue lacks', () => {
    const used = corpusNames().flatMap((name) => parseCorpus(name).problems.map((problem) => problem.code));
    expect(used.filter((code) => !(code in specCodes))).toEqual([]);
  });

  it('gives every problem a file, a line and a remedy', () => {
    for (const name of corpusNames())
      for (const problem of parseCorpus(name).problems) {
        expect(problem.remedy, name).toMatch(/\S/);
        expect(problem.summary, name).toMatch(/[.]$/);
        if (problem.code !== 'SPEC-007') expect(problem.place?.line, name).toBeGreaterThan(0);
      }
  });
});
