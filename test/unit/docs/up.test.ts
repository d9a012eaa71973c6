import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseStream } from '../../../daemon/spec/stream.ts';
import { REVIEWED_RELEASES } from '../../../provisioners/payload/digests.ts';

const root = resolve(import.meta.dirname, '../../..');
const script = readFileSync(join(root, 'scripts/up'), 'utf8');
const mebibyte = 2 ** 20;

/** Memory that all machines of an example may take together, MiB, as LAB-MEMORY of preflight counts it. */
function memoryOf(name: string): number {
  const text = readFileSync(join(root, 'ui/docs/examples', name), 'utf8');
  const documents = parseStream(text, { file: name }).documents.map(({ document }) => document);
  let usual = 0;
  for (const document of documents) if (document.kind === 'Provider') usual = document.spec.lab?.memory ?? 0;
  let sum = 0;
  for (const document of documents) {
    if (document.kind !== 'Cluster') continue;
    const { controlPlane, workers } = document.spec;
    for (const { replicas, machine } of [controlPlane, ...workers])
      sum += replicas * (machine.memory ?? usual);
  }
  return sum / mebibyte;
}

describe('what scripts/up says before it asks (issue 2)', () => {
  test.each([
    ['lab-ha.yaml', /machines='3 masters[^;]*; need_memory=(\d+)/],
    ['lab-small.yaml', /machines='1 master [^;]*; need_memory=(\d+)/],
  ])('%s: it asks for the memory that preflight will ask for', (name, words) => {
    expect(memoryOf(name)).toBeGreaterThan(1000);
    expect(Number(words.exec(script)?.[1])).toBe(memoryOf(name));
  });

  test('three masters and two workers leave room on the machine of 8 GiB that the README names', () => {
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain('8 GiB of memory');
    expect(memoryOf('lab-ha.yaml')).toBeLessThanOrEqual(6.25 * 1024);
  });

  test('that no release is reviewed is said exactly as long as it is so', () => {
    expect(script.includes('no newer release has digests reviewed')).toBe(REVIEWED_RELEASES.length === 0);
  });
});
