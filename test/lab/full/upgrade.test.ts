import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { buildPayload } from '../../../provisioners/payload/build.ts';
import { answerFile } from '../story/answers.ts';
import { addedTo, snapshotBox } from '../story/box.ts';
import { Site } from '../story/site.ts';
import { Story } from '../story/telling.ts';
import { Writer } from '../story/writer.ts';

/*
 * Blue/green on real Kubernetes: 1.20.2 to the same source restamped 1.20.3, the way back, forwards again, finalized;
 * with somebody who writes five times a second. It proves the order of things, and nothing about a change of minors.
 */
const cluster = 'blue';
const network = '10.77.12';

let site: Site;
let before: Set<string>;

beforeAll(async () => {
  site = await Site.prepare();
  await buildPayload({ version: 'v1.20.3' });
  before = snapshotBox(site.labs);
});

afterAll(() => site?.stop());

/** Nodes by name, with the version of their kubelets. */
async function nodes(): Promise<Record<string, string>> {
  const template = '{range .items[*]}{.metadata.name} {.status.nodeInfo.kubeletVersion}{"\\n"}{end}';
  const text = await site.kubectl('get', 'nodes', '-o', `jsonpath=${template}`);
  return Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
}

async function phase(): Promise<string> {
  const { stdout } = await site.expectRemuda('get', 'cluster', cluster, '-o', 'json');
  return (JSON.parse(stdout) as { readonly phase: string }).phase;
}

/** Runs a change while somebody writes, and says what he felt of it. No write that was acknowledged may be lost. */
async function whileWriting(title: string, ...words: readonly string[]): Promise<void> {
  const writer = new Writer(readFileSync(site.environment['KUBECONFIG'] ?? '', 'utf8'), site.environment);
  writer.start();
  try {
    await site.expectRemuda(...words, '--confirm', cluster, '--wait');
  } finally {
    const lost = await writer.stop();
    console.log(`${title}: ${writer.summary()}`);
    expect(lost).toEqual([]);
  }
}

describe('an upgrade, its way back and its end, on real Kubernetes (C3, complaint 7)', () => {
  const story = new Story(cluster, () => site);

  story.chapter('a cluster of three masters and a worker runs 1.20.2', async () => {
    await site.start();
    const path = join(site.folder, 'home', 'answers.yaml');
    writeFileSync(path, answerFile({ name: cluster, subnet: `${network}.0/24`, masters: 3, workers: 1 }));
    await site.expectRemuda('apply', '-f', path, '--wait');
    const { stdout } = await site.expectRemuda('kubeconfig', cluster);
    writeFileSync(site.environment['KUBECONFIG'] ?? '', stdout, { mode: 0o600 });
  });

  story.chapter('every machine is exchanged for one that runs 1.20.3; the masters are kept', async () => {
    await whileWriting('upgrade', 'upgrade', cluster, '1.20.3');
    expect(new Set(Object.values(await nodes()))).toEqual(new Set(['v1.20.3']));
    expect(await phase()).toBe('AwaitingFinalize');
  });

  story.chapter(
    'the way back ends on the masters it came from, with what was written meanwhile',
    async () => {
      await whileWriting('back', 'back', cluster);
      const found = await nodes();
      expect(new Set(Object.values(found))).toEqual(new Set(['v1.20.2']));
      expect(Object.keys(found)).toEqual(
        expect.arrayContaining(['blue-cp-1', 'blue-cp-2', 'blue-cp-3']) as string[],
      );
      expect(await phase()).toBe('Ready');
    },
  );

  story.chapter('forwards again, and finalized: nothing of the old version is left', async () => {
    await whileWriting('upgrade again', 'upgrade', cluster, '1.20.3');
    await site.expectRemuda('finalize', cluster, '--confirm', cluster, '--wait');
    expect(await phase()).toBe('Ready');
    const { stdout } = await site.expectRemuda('get', 'machines', '--cluster', cluster, '-o', 'json');
    expect((JSON.parse(stdout) as { readonly items: readonly unknown[] }).items).toHaveLength(4);
  });

  story.chapter('it is deleted, and nothing is left on the box', async () => {
    await site.expectRemuda('delete', cluster, '--confirm', cluster, '--wait');
    expect(site.withoutServices(addedTo(before, snapshotBox(site.labs)))).toEqual([]);
  });
});
