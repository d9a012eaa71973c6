import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { answerFile } from '../story/answers.ts';
import { addedTo, snapshotBox } from '../story/box.ts';
import { Site } from '../story/site.ts';
import { steadyWorkload } from '../story/steady-workload.ts';
import { Story } from '../story/telling.ts';
import { Writer } from '../story/writer.ts';

/*
 * The authorities of one cluster are exchanged on real Kubernetes (1.20.2), in three stages, while somebody writes five
 * times a second. What believes whom is read from the cluster's own API and from the machines, never through Remuda.
 */
const cluster = 'trust';
const network = '10.77.40';

let site: Site;
let before: Set<string>;

beforeAll(async () => {
  site = await Site.prepare();
  before = snapshotBox(site.labs);
});

afterAll(() => site?.stop());

const certificates = (pem: string): string[] =>
  pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/gu) ?? [];

const digest = (pem: string): string => createHash('sha256').update(pem).digest('hex').slice(0, 12);

/** The authorities that pods of a namespace are given, each by its digest. */
async function givenToPods(namespace: string): Promise<string[]> {
  const text = await site.kubectl(
    '-n',
    namespace,
    'get',
    'configmap',
    'kube-root-ca.crt',
    '-o',
    'jsonpath={.data.ca\\.crt}',
  );
  return certificates(text).map(digest);
}

/** The authorities that machines are told of that join. */
async function givenToMachines(): Promise<string[]> {
  const path = 'jsonpath={.data.kubeconfig}';
  const text = await site.kubectl('-n', 'kube-public', 'get', 'configmap', 'cluster-info', '-o', path);
  const data = /certificate-authority-data:\s*(\S+)/u.exec(text)?.[1] ?? '';
  return certificates(Buffer.from(data, 'base64').toString()).map(digest);
}

const kubeconfig = (): string => readFileSync(site.environment['KUBECONFIG'] ?? '', 'utf8');

async function fetchKubeconfig(): Promise<void> {
  const { stdout } = await site.expectRemuda('kubeconfig', cluster);
  writeFileSync(site.environment['KUBECONFIG'] ?? '', stdout, { mode: 0o600 });
}

/** Runs one stage while somebody writes. Every acknowledged write must be there, and none may fail. */
async function stage(name: string, ...words: readonly string[]): Promise<void> {
  const writer = new Writer(kubeconfig(), site.environment);
  writer.start();
  try {
    await site.expectRemuda('certificates', 'rotate', cluster, '--stage', name, '--yes', '--wait', ...words);
  } finally {
    const lost = await writer.stop();
    console.log(`${name}: ${writer.summary()}`);
    expect(lost).toEqual([]);
    expect(writer.acknowledged.size).toBeGreaterThan(0);
  }
}

/** Starts the pods of the workload anew, as its owner would. */
async function restartWorkload(): Promise<void> {
  const { namespace } = steadyWorkload;
  for (const app of ['web', 'asker'])
    await site.kubectl('-n', namespace, 'rollout', 'restart', `deployment/${app}`);
  for (const app of ['web', 'asker'])
    await site.kubectl('-n', namespace, 'rollout', 'status', `deployment/${app}`, '--timeout=240s');
}

describe('the authorities of a cluster are rotated in three stages, on real Kubernetes (H12)', () => {
  const story = new Story(cluster, () => site);
  let old: string[] = [];

  story.chapter('three masters and a worker run, and serve', async () => {
    await site.start();
    const path = join(site.folder, 'home', 'answers.yaml');
    writeFileSync(path, answerFile({ name: cluster, subnet: `${network}.0/24`, masters: 3, workers: 1 }));
    await site.expectRemuda('apply', '-f', path, '--wait');
    await fetchKubeconfig();
    writeFileSync(join(site.folder, 'home/steady.json'), steadyWorkload.manifest);
    await site.kubectl('apply', '-f', join(site.folder, 'home/steady.json'));
    for (const app of ['web', 'asker'])
      await site.kubectl(
        '-n',
        steadyWorkload.namespace,
        'rollout',
        'status',
        `deployment/${app}`,
        '--timeout=180s',
      );
    old = await givenToPods('default');
    expect(old).toHaveLength(1);
  });

  story.chapter('a stage that comes later is refused, and says which comes first', async () => {
    const { code, stderr } = await site.remuda([
      'certificates',
      'rotate',
      cluster,
      '--stage',
      'drop',
      '--yes',
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('PLAN-080');
  });

  story.chapter('trust: pods, machines and people are told of both authorities', async () => {
    await stage('trust');
    for (const given of [
      await givenToPods('default'),
      await givenToPods(steadyWorkload.namespace),
      await givenToMachines(),
    ]) {
      expect(given).toHaveLength(2);
      expect(given[0]).toBe(old[0]);
    }
    await fetchKubeconfig();
  });

  story.chapter(
    'reissue is refused while pods believe the old one alone; then everything is signed anew',
    async () => {
      const { code, stderr } = await site.remuda([
        'certificates',
        'rotate',
        cluster,
        '--stage',
        'reissue',
        '--yes',
      ]);
      expect(code).not.toBe(0);
      expect(stderr).toContain('CERT-013');
      expect(stderr).toContain(`${steadyWorkload.namespace}/web-`);
      await restartWorkload();
      await stage('reissue');
      const [signing, ...others] = await givenToPods('default');
      expect(signing).not.toBe(old[0]);
      expect(others).toEqual(old);
      await fetchKubeconfig();
    },
  );

  story.chapter(
    'drop waits for what people hold, or ends it; then the old authority is nowhere',
    async () => {
      const { code, stderr } = await site.remuda([
        'certificates',
        'rotate',
        cluster,
        '--stage',
        'drop',
        '--yes',
      ]);
      expect(code).not.toBe(0);
      expect(stderr).toContain('CERT-014');
      await stage('drop', '--end-credentials');
      await fetchKubeconfig();
      for (const given of [
        await givenToPods('default'),
        await givenToPods(steadyWorkload.namespace),
        await givenToMachines(),
      ]) {
        expect(given).toHaveLength(1);
        expect(given).not.toEqual(old);
      }
      const data = /certificate-authority-data:\s*(\S+)/u.exec(kubeconfig())?.[1] ?? '';
      expect(certificates(Buffer.from(data, 'base64').toString())).toHaveLength(1);
    },
  );

  story.chapter('a worker joins, a master is replaced, and pods are spoken to as before', async () => {
    const path = join(site.folder, 'home', 'answers.yaml');
    writeFileSync(path, answerFile({ name: cluster, subnet: `${network}.0/24`, masters: 3, workers: 2 }));
    await site.expectRemuda('apply', '-f', path, '--wait');
    await site.expectRemuda(
      'machine',
      'replace',
      cluster,
      `${cluster}-cp-2`,
      '--yes',
      '--confirm',
      cluster,
      '--wait',
    );
    const { namespace } = steadyWorkload;
    // The image has a shell and no program called echo.
    const words = ['/bin/bash', '-c', 'echo hello'];
    const said = await site.kubectl('-n', namespace, 'exec', 'deployment/asker', '--', ...words);
    expect(said.trim()).toBe('hello');
  });

  story.chapter('it is deleted, and nothing is left on the box', async () => {
    await site.expectRemuda('delete', cluster, '--confirm', cluster, '--wait');
    expect(site.withoutServices(addedTo(before, snapshotBox(site.labs)))).toEqual([]);
  });
});
