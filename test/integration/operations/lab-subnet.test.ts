import { expect, test } from 'vitest';
import { answerFilePlanners } from '../../../daemon/operations/answer-file.ts';
import { answerFile } from '../../faults/answer-file.ts';

const text = (name: string): string =>
  answerFile({ name, masters: 1, workers: 1 }).replace('lab: { subnet: 10.64.0.0/16 }', 'lab: {}');
const known = { providers: [], secrets: [], clusters: [] };
const { parse } = answerFilePlanners;

test('labs whose provider names no subnet stand apart, and a second apply changes nothing (V1)', () => {
  const [one] = parse(text('one'), 'one.yaml', known).clusters;
  expect(one?.nodeNetwork?.gateway).toBe('10.77.0.1');
  const kept = one === undefined ? [] : [one.document];
  const [two] = parse(text('two'), 'two.yaml', { ...known, clusters: kept }).clusters;
  expect([two?.nodeNetwork?.gateway, two?.endpoint?.host]).toEqual(['10.78.0.1', '10.78.0.100']);
  const both = two === undefined ? kept : [...kept, two.document];
  // Also when the first is gone meanwhile: what was kept stays.
  for (const clusters of [both, both.slice(1)])
    expect(parse(text('two'), 'two.yaml', { ...known, clusters }).clusters).toEqual([two]);
  expect(parse(text('one'), 'one.yaml', { ...known, clusters: both }).clusters).toEqual([one]);
});

test('two clusters of one file get two subnets', () => {
  const [, second = ''] = text('two').split('---');
  const { clusters } = parse(`${text('one')}---${second}`, 'both.yaml', known);
  expect(clusters.map(({ nodeNetwork }) => nodeNetwork?.gateway)).toEqual(['10.77.0.1', '10.78.0.1']);
});
