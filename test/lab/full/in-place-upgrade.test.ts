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
 * An upgrade in place on real Kubernetes: 1.20.2 to the same source restamped 1.20.3, with kubeadm's own `upgrade node`,
 * while somebody writes five times a second. It proves the order of things, and nothing about a change of minors.
 */
const cluster = 'stay';
const network = '10.77.41';

let site: Site;
let before: Set<string>;

beforeAll(async () => {
  site = await Site.prepare();
  await buildPayload({ version: 'v1.20.3' });
  before = snapshotBox(site.labs);
});

afterAll(() => site?.stop());

/** Machines as Kubernetes knows them: system ids, which a new machine does not have again, and versions. */
async function nodes(): Promise<{ readonly ids: readonly string[]; readonly versions: readonly string[] }> {
  const template =
    '{range .items[*]}{.metadata.name}/{.status.nodeInfo.systemUUID}/{.metadata.uid} {.status.nodeInfo.kubeletVersion} {.spec.unschedulable}{"\\n"}{end}';
  const text = await site.kubectl('get', 'nodes', '-o', `jsonpath=${template}`);
  const lines = text
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  return { ids: lines.map(([id = '']) => id), versions: lines.map(([, ...rest]) => rest.join(' ').trim()) };
}

describe('an upgrade in place, on real Kubernetes (C3, H22, complaints 7, 8 and 9)', () => {
  const story = new Story(cluster, () => site);
  let ids: readonly string[] = [];

  story.chapter('a cluster of three masters and a worker runs 1.20.2', async () => {
    await site.start();
    const path = join(site.folder, 'home', 'answers.yaml');
    const upgrade = '{ strategy: InPlace }';
    const text = answerFile({ name: cluster, subnet: `${network}.0/24`, masters: 3, workers: 1, upgrade });
    writeFileSync(path, text);
    await site.expectRemuda('apply', '-f', path, '--wait');
    const { stdout } = await site.expectRemuda('kubeconfig', cluster);
    writeFileSync(site.environment['KUBECONFIG'] ?? '', stdout, { mode: 0o600 });
    ({ ids } = await nodes());
  });

  story.chapter('every machine runs 1.20.3, and is the one that it was', async () => {
    const writer = new Writer(readFileSync(site.environment['KUBECONFIG'] ?? '', 'utf8'), site.environment);
    writer.start();
    let lost: readonly string[] = [];
    try {
      await site.expectRemuda('upgrade', cluster, '1.20.3', '--confirm', cluster, '--wait');
    } finally {
      lost = await writer.stop();
      console.log(`in place: ${writer.summary()}`);
    }
    expect(lost).toEqual([]);
    const now = await nodes();
    expect(new Set(now.versions)).toEqual(new Set(['v1.20.3']));
    expect(now.ids).toEqual(ids);
    const pods = await site.kubectl(
      'get',
      'pods',
      '--namespace=kube-system',
      '--selector=tier=control-plane',
      '-o',
      'jsonpath={range .items[*]}{.spec.containers[0].image}{"\\n"}{end}',
    );
    const ofKubernetes = pods.split('\n').filter((image) => /kube-/.test(image));
    expect(ofKubernetes).toHaveLength(9);
    expect(ofKubernetes.filter((image) => !image.endsWith(':v1.20.3'))).toEqual([]);
  });

  story.chapter('the same again changes nothing', async () => {
    const { stdout } = await site.expectRemuda('upgrade', cluster, '1.20.3', '--confirm', cluster, '--wait');
    expect(stdout).toContain('unchanged');
  });

  story.chapter('it is deleted, and nothing is left on the box', async () => {
    await site.expectRemuda('delete', cluster, '--confirm', cluster, '--wait');
    expect(site.withoutServices(addedTo(before, snapshotBox(site.labs)))).toEqual([]);
  });
});
