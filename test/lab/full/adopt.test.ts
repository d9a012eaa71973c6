import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { answerFile } from '../story/answers.ts';
import { addedTo, labsOf, snapshotBox } from '../story/box.ts';
import { Site } from '../story/site.ts';
import { Story } from '../story/telling.ts';
import { workload } from '../story/workload.ts';

const cluster = 'story';
const network = '10.77.61';
const master = `${network}.11`;

let site: Site;
let before: Set<string>;
const folder = (): string => join(site.folder, 'home/given');

/** kubectl with what was handed over: nothing of Remuda is asked. */
async function kubectl(...words: readonly string[]): Promise<string> {
  const run = site.run(site.kubectlProgram, ['--kubeconfig', join(folder(), 'kubeconfig'), ...words]);
  const { code, stdout, stderr } = await run.ended;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

const served = (): Promise<string> =>
  kubectl('-n', workload.namespace, 'exec', 'client', '--', 'curl', '-s', '-m', '5', workload.url);

/** A command on a machine with the key that was handed over. */
async function onMachine(address: string, command: string): Promise<string> {
  const { code, stdout, stderr } = await site.run('ssh', [
    '-i',
    join(folder(), 'ssh/key'),
    '-o',
    `UserKnownHostsFile=${join(folder(), 'ssh/known_hosts')}`,
    '-o',
    'StrictHostKeyChecking=yes',
    `root@${address}`,
    command,
  ]).ended;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

const clusters = async (): Promise<string> => (await site.expectRemuda('get', 'clusters')).stdout;

beforeAll(async () => {
  site = await Site.prepare();
  before = snapshotBox(site.labs);
});

afterAll(async () => {
  await site?.stop();
});

describe('a cluster leaves Remuda, lives alone, and comes back (H23)', () => {
  const story = new Story(cluster, () => site);

  story.chapter('it is made, and something runs on it', async () => {
    await site.start();
    const answers = join(site.folder, 'home/answers.yaml');
    const text = answerFile({ name: cluster, subnet: `${network}.0/24`, masters: 1, workers: 1 });
    writeFileSync(answers, text, { mode: 0o600 });
    await site.expectRemuda('apply', '-f', answers, '--wait');
    const kubeconfig = (await site.expectRemuda('kubeconfig', cluster)).stdout;
    writeFileSync(join(site.folder, 'home/kubeconfig'), kubeconfig, { mode: 0o600 });
    writeFileSync(join(site.folder, 'home/workload.json'), workload.manifest);
    await site.kubectl('apply', '-f', join(site.folder, 'home/workload.json'));
    await site.kubectl('-n', workload.namespace, 'rollout', 'status', 'daemonset/echo', '--timeout=120s');
    await site.kubectl(
      '-n',
      workload.namespace,
      'wait',
      'pod/client',
      '--for=condition=Ready',
      '--timeout=60s',
    );
  });

  story.chapter('ejected: its keys are in the folder first, for their owner alone', async () => {
    const words = ['eject', cluster, '--to', folder(), '--confirm', cluster, '--wait'];
    const { stdout, stderr } = await site.expectRemuda(...words);
    for (const path of [
      'kubeconfig',
      'ssh/key',
      'pki/ca.key',
      'pki/etcd/ca.key',
      'encryption-key',
      'READ-ME.md',
    ])
      expect([path, statSync(join(folder(), path)).mode & 0o777]).toEqual([path, 0o600]);
    expect(readFileSync(join(folder(), 'READ-ME.md'), 'utf8')).toMatch(
      /story-cp-1: \*\*20\d\d-\d\d-\d\d\*\*/,
    );
    const key = readFileSync(join(folder(), 'pki/ca.key'), 'utf8').split('\n')[1] ?? 'no key';
    expect(stdout + stderr).not.toContain(key);
    expect(readFileSync(site.logOf('daemon'), 'utf8')).not.toContain(key);
    expect(await clusters()).not.toContain(cluster);
  });

  story.chapter('it lives on, with nothing of ours on it, and no sweep takes it', async () => {
    expect(await served()).toContain('story');
    await site.kill('agent');
    await site.kill('daemon');
    await site.lab('sweep', '--all');
    expect(await kubectl('get', 'nodes', '--no-headers')).toMatch(
      /story-cp-1\s+Ready[^]*story-general-1\s+Ready/,
    );
    expect(await served()).toContain('story');
    const marks = await kubectl('get', 'nodes,configmaps,clusterrolebindings', '-A', '-o', 'name');
    expect(marks).not.toContain('configmap/remuda');
    expect(marks).not.toContain('remuda:');
    expect(await kubectl('get', 'nodes', '-o', 'jsonpath={.items[*].metadata.annotations}')).not.toContain(
      'remuda.dev',
    );
    expect(await onMachine(master, 'ls /var/lib/remuda')).not.toMatch(/^(cluster|epoch|units|payload)$/m);
    expect(await onMachine(master, 'kubeadm certs check-expiration 2>&1')).toContain('apiserver');
    site.startDaemon();
    site.startAgent();
    await site.untilLinked();
  });

  story.chapter('adopted from its master, with the key that was handed over', async () => {
    const answers = join(folder(), 'answers.yaml');
    const words = [
      'cluster',
      'adopt',
      '-f',
      answers,
      '--master',
      master,
      '--ssh-key',
      join(folder(), 'ssh/key'),
    ];
    const shown = await site.remuda(words);
    expect([shown.code, shown.stderr]).toEqual([7, expect.stringContaining('changes nothing that runs')]);
    await site.expectRemuda(...words, '--yes', '--wait');
    expect(await clusters()).toContain(cluster);
    await site.expectRemuda('apply', '-f', answers, '--wait');
    const again = await site.expectRemuda('apply', '-f', answers);
    expect(again.stdout).toContain(`Cluster/${cluster} unchanged`);
    expect(await served()).toContain('story');
  });

  story.chapter('a worker is added, then the cluster is deleted and nothing is left', async () => {
    await site.expectRemuda('machine', 'add', cluster, 'general', '--yes', '--wait');
    expect(await kubectl('get', 'nodes', '--no-headers')).toMatch(/story-general-2\s+Ready/);
    await site.expectRemuda('delete', cluster, '--confirm', cluster, '--wait');
    expect(site.withoutServices(addedTo(before, snapshotBox(site.labs)))).toEqual([]);
    expect(labsOf(site.labs)).toEqual([]);
  });
});
