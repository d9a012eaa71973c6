import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { answerFile } from '../story/answers.ts';
import { buildPayload } from '../../../provisioners/payload/build.ts';
import { addedTo, snapshotBox } from '../story/box.ts';
import { Site } from '../story/site.ts';
import { Story } from '../story/telling.ts';
import { Writer } from '../story/writer.ts';

/*
 * etcd on three machines of its own, on real Kubernetes 1.20 and etcd 3.4: made, backed up, one machine replaced while
 * somebody writes five times a second, one that died replaced, upgraded in place, its majority lost and restored, given
 * away and taken in again, and deleted. One master: what its API server's restarts cost is told, and no write that was acknowledged may be lost.
 */
const cluster = 'apart';
const network = '10.77.52';

let site: Site;
let before: Set<string>;

beforeAll(async () => {
  site = await Site.prepare();
  await buildPayload({ version: 'v1.20.3' });
  before = snapshotBox(site.labs);
});

afterAll(() => site?.stop());

const document = (): string =>
  answerFile({
    name: cluster,
    subnet: `${network}.0/24`,
    masters: 1,
    workers: 1,
    etcd: 3,
    upgrade: '{ strategy: InPlace }',
  });

const kubeconfig = (): string => readFileSync(site.environment['KUBECONFIG'] ?? '', 'utf8');

/** Writes for five seconds; everything that was acknowledged is there. */
async function writeForAWhile(): Promise<Writer> {
  const writer = new Writer(kubeconfig(), site.environment);
  writer.start();
  await new Promise((done) => setTimeout(done, 5_000));
  expect(await writer.stop()).toEqual([]);
  return writer;
}

/** Machines of etcd by name, as Remuda lists them. */
async function etcdMachines(): Promise<string[]> {
  const { stdout } = await site.expectRemuda('get', 'machines', '--cluster', cluster, '-o', 'json');
  const { items } = JSON.parse(stdout) as {
    readonly items: readonly { readonly name: string; readonly role: string }[];
  };
  return items
    .filter(({ role }) => role === 'etcd')
    .map(({ name }) => name)
    .toSorted();
}

/** Addresses that the only API server was given, from its own pod. */
async function askedMembers(): Promise<string> {
  const pod = `kube-apiserver-${cluster}-cp-1`;
  const text = await site.kubectl(
    '-n',
    'kube-system',
    'get',
    'pod',
    pod,
    '-o',
    'jsonpath={.spec.containers[0].command}',
  );
  return /--etcd-servers=([^"]+)/.exec(text)?.[1] ?? '';
}

/** Runs a change while somebody writes. No write that was acknowledged may be lost. */
async function whileWriting(title: string, ...words: readonly string[]): Promise<void> {
  const writer = new Writer(kubeconfig(), site.environment);
  writer.start();
  try {
    await site.expectRemuda(...words, '--confirm', cluster, '--wait');
  } finally {
    const lost = await writer.stop();
    console.log(`${title}: ${writer.summary()}`);
    expect(lost).toEqual([]);
  }
}

describe('etcd on machines of its own, on real Kubernetes (H4, H18)', () => {
  const story = new Story(cluster, () => site);

  story.chapter('three machines of etcd, a master and a worker; masters have no member', async () => {
    await site.start();
    const path = join(site.folder, 'home', 'answers.yaml');
    writeFileSync(path, document());
    await site.expectRemuda('apply', '-f', path, '--wait');
    const { stdout } = await site.expectRemuda('kubeconfig', cluster);
    writeFileSync(site.environment['KUBECONFIG'] ?? '', stdout, { mode: 0o600 });
    const nodes = await site.kubectl('get', 'nodes', '-o', 'name');
    expect(nodes.trim().split('\n').toSorted()).toEqual([
      `node/${cluster}-cp-1`,
      `node/${cluster}-general-1`,
    ]);
    expect(await etcdMachines()).toEqual([1, 2, 3].map((number) => `${cluster}-etcd-${number}`));
    expect((await askedMembers()).split(',')).toHaveLength(3);
  });

  story.chapter('a second apply has nothing to do, and etcd is backed up', async () => {
    const path = join(site.folder, 'home', 'answers.yaml');
    const { stdout } = await site.expectRemuda('plan', '-f', path);
    expect(stdout).toContain('nothing to do');
    await site.expectRemuda('backup', 'create', cluster, '--wait');
  });

  story.chapter('a machine of etcd that works is replaced; the API server asks the new one', async () => {
    const earlier = await askedMembers();
    await whileWriting('replace a machine of etcd', 'machine', 'replace', cluster, `${cluster}-etcd-1`);
    // The list is as old as the last look.
    await expect.poll(etcdMachines).toEqual([2, 3, 4].map((number) => `${cluster}-etcd-${number}`));
    const later = await askedMembers();
    expect(later.split(',')).toHaveLength(3);
    expect(later).not.toBe(earlier);
  });

  story.chapter('certificates are renewed, those of etcd and of who speaks to it among them', async () => {
    await whileWriting(
      'renew',
      'certificates',
      'renew',
      cluster,
      '--since',
      new Date(Date.now() - 1000).toISOString(),
    );
    const nodes = await site.kubectl('get', 'nodes', '--no-headers');
    expect(
      nodes
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/)[1]),
    ).toEqual(['Ready', 'Ready']);
  });

  story.chapter('a machine of etcd that died is replaced (complaint 7)', async () => {
    const [dead = ''] = await etcdMachines();
    await site.lab('power', `${cluster}/${dead}`, 'off');
    await whileWriting('replace a dead machine of etcd', 'machine', 'replace', cluster, dead, '--yes');
    // A number that is free again is given anew.
    await expect.poll(etcdMachines).not.toContain(dead);
    expect(await etcdMachines()).toHaveLength(3);
    expect((await askedMembers()).split(',')).toHaveLength(3);
  });

  story.chapter('it is upgraded in place; machines of etcd stay as they are (H22)', async () => {
    const machines = await etcdMachines();
    await whileWriting('upgrade in place', 'upgrade', cluster, '1.20.3');
    const versions = await site.kubectl(
      'get',
      'nodes',
      '-o',
      'jsonpath={range .items[*]}{.status.nodeInfo.kubeletVersion} {end}',
    );
    expect(versions.trim().split(' ')).toEqual(['v1.20.3', 'v1.20.3']);
    expect(await etcdMachines()).toEqual(machines);
  });

  story.chapter(
    'two of three machines of etcd are lost for ever: back from the backup, and what came after it is the loss (complaint 8)',
    async () => {
      const kept = await writeForAWhile();
      await site.expectRemuda('backup', 'create', cluster, '--wait');
      const late = await writeForAWhile();
      const lost = (await etcdMachines()).slice(0, 2);
      for (const name of lost) await site.lab('power', `${cluster}/${name}`, 'off');
      const named = lost.flatMap((name) => ['--lost', name]);
      await site.expectRemuda('restore', cluster, ...named, '--confirm', cluster, '--wait');

      expect(await kept.missing()).toEqual([]);
      expect(await late.missing()).toHaveLength(late.acknowledged.size);
      await expect.poll(async () => (await etcdMachines()).length).toBe(3);
      expect((await askedMembers()).split(',')).toHaveLength(3);
      await writeForAWhile();
    },
  );

  story.chapter('it is given away, and taken in again with its etcd (H23)', async () => {
    const given = join(site.folder, 'home', 'given');
    const file = join(given, 'answers.yaml');
    const machines = await etcdMachines();
    const internal = '{.status.addresses[?(@.type=="InternalIP")].address}';
    const master = await site.kubectl('get', 'node', `${cluster}-cp-1`, '-o', `jsonpath=${internal}`);
    await site.expectRemuda('eject', cluster, '--to', given, '--confirm', cluster, '--wait');
    const doors = ['--ssh-key', join(given, 'ssh/key'), '--known-hosts', join(given, 'ssh/known_hosts')];
    const adopt = ['cluster', 'adopt', '-f', file, '--master', master, ...doors];
    await site.expectRemuda(...adopt, '--yes', '--wait');
    await site.expectRemuda('apply', '-f', file, '--wait');
    const again = await site.expectRemuda('apply', '-f', file);
    expect(again.stdout).toContain(`Cluster/${cluster} unchanged`);
    await expect.poll(etcdMachines).toEqual(machines);
    const { stdout } = await site.expectRemuda('kubeconfig', cluster);
    writeFileSync(site.environment['KUBECONFIG'] ?? '', stdout, { mode: 0o600 });
    await whileWriting('replace after adoption', 'machine', 'replace', cluster, machines[0] ?? '');
    expect(await etcdMachines()).toHaveLength(3);
    expect((await askedMembers()).split(',')).toHaveLength(3);
  });

  story.chapter('it is deleted, and nothing is left on the box', async () => {
    await site.expectRemuda('delete', cluster, '--confirm', cluster, '--wait');
    expect(site.withoutServices(addedTo(before, snapshotBox(site.labs)))).toEqual([]);
  });
});
