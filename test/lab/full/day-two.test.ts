import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { z } from 'zod';
import { buildPayload } from '../../../provisioners/payload/build.ts';
import { answerFile } from '../story/answers.ts';
import { Asker } from '../story/asker.ts';
import { addedTo, snapshotBox } from '../story/box.ts';
import { expectSuccess, Site } from '../story/site.ts';
import { RunningCluster } from '../story/running-cluster.ts';
import { steadyWorkload } from '../story/steady-workload.ts';
import { Story } from '../story/telling.ts';
import { Writer } from '../story/writer.ts';

/*
 * The life of one cluster on real Kubernetes after its installation, with somebody who writes five times a second and
 * somebody who asks a Service as often. The upgrade goes from 1.20.2 to the same source restamped 1.20.3: it proves the
 * order of things, and nothing about a change of minors.
 */
const cluster = 'days';
const network = '10.77.12';

let site: Site;
let before: Set<string>;

beforeAll(async () => {
  site = await Site.prepare();
  await buildPayload({ version: 'v1.20.3' });
  before = snapshotBox(site.labs);
});

afterAll(() => site?.stop());

const neighbourSchema = z.array(z.object({ dst: z.string(), lladdr: z.string().optional() }));
const statusSchema = z.array(
  z.object({
    Status: z.object({ header: z.object({ member_id: z.number() }), leader: z.number() }),
    Endpoint: z.string(),
  }),
);

/** Nodes by name, with the version of their kubelets. */
async function nodes(selector = ''): Promise<Record<string, string>> {
  const template = '{range .items[*]}{.metadata.name} {.status.nodeInfo.kubeletVersion}{"\\n"}{end}';
  const text = await site.kubectl('get', 'nodes', '-l', selector, '-o', `jsonpath=${template}`);
  const lines = text.trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(' ') as [string, string]));
}

/** Masters by name, with their addresses. */
async function masters(): Promise<{ readonly name: string; readonly address: string }[]> {
  const template =
    '{range .items[*]}{.metadata.name} {.status.addresses[?(@.type=="InternalIP")].address}{"\\n"}{end}';
  const label = 'node-role.kubernetes.io/master=';
  const text = await site.kubectl('get', 'nodes', '-l', label, '-o', `jsonpath=${template}`);
  const lines = text.trim().split('\n');
  return lines.map((line) => line.split(' ')).map(([name = '', address = '']) => ({ name, address }));
}

/** What etcd says, through any master. */
async function inside(): Promise<RunningCluster> {
  const [master = { name: '', address: '' }] = await masters();
  return new RunningCluster(site, cluster, master, async (command) => (await expectSuccess(command)).stdout);
}

/** Has the network tell at which station an address is. */
const meet = (address: string): Promise<void> =>
  new Promise((done, reject) => {
    const socket = connect({ host: address, port: 22 }, () => socket.destroy());
    socket.once('error', reject);
    socket.once('close', () => done());
  });

/** The master that has the cluster's address, by what the network says. */
async function addressHolder(): Promise<string> {
  const found = await masters();
  await site.kubectl('version');
  await Promise.all(found.map(({ address }) => meet(address)));
  const known = neighbourSchema.parse(JSON.parse(execFileSync('ip', ['-j', 'neigh'], { encoding: 'utf8' })));
  const stationOf = (address: string): string | undefined => known.find(({ dst }) => dst === address)?.lladdr;
  const holder = found.find(({ address }) => stationOf(address) === stationOf(`${network}.100`));
  if (holder === undefined) throw new Error(`nobody holds ${network}.100`);
  return holder.name;
}

/** The master whose etcd leads. */
async function etcdLeader(): Promise<string> {
  const text = await (await inside()).etcdctl('endpoint', 'status', '--cluster', '-w', 'json');
  const leading = statusSchema
    .parse(JSON.parse(text))
    .find(({ Status }) => Status.header.member_id === Status.leader);
  const host = new URL(leading?.Endpoint ?? 'https://nobody').hostname;
  const leader = (await masters()).find(({ address }) => address === host);
  if (leader === undefined) throw new Error(`etcd is led by ${host}, which is no master`);
  return leader.name;
}

async function phase(): Promise<string> {
  const { stdout } = await site.expectRemuda('get', 'cluster', cluster, '-o', 'json');
  return (JSON.parse(stdout) as { readonly phase: string }).phase;
}

const kubeconfig = (): string => readFileSync(site.environment['KUBECONFIG'] ?? '', 'utf8');

/** Runs changes while somebody writes and somebody asks, and says what they felt. No acknowledged write may be lost. */
async function whileServing(title: string, change: () => Promise<unknown>): Promise<void> {
  const writer = new Writer(kubeconfig(), site.environment);
  const asker = new Asker(site);
  writer.start();
  asker.start();
  try {
    await change();
  } finally {
    await asker.stop();
    const lost = await writer.stop();
    console.log(`${title}: ${writer.summary()}\n${asker.summary()}`);
    expect(lost).toEqual([]);
    expect(writer.acknowledged.size).toBeGreaterThan(0);
    expect(asker.answered).toBeGreaterThan(0);
  }
}

/** Runs one change to its end, while somebody writes and asks. */
const served = (title: string, ...words: readonly string[]): Promise<void> =>
  whileServing(title, () => site.expectRemuda(...words, '--confirm', cluster, '--wait'));

/** The answer file for so many masters. */
function answers(count: number): string {
  const path = join(site.folder, 'home', 'answers.yaml');
  writeFileSync(path, answerFile({ name: cluster, subnet: `${network}.0/24`, masters: count, workers: 2 }));
  return path;
}

describe('day two of a cluster, on real Kubernetes, in service throughout (C3, K3, H17, H18, H22, complaint 7)', () => {
  const story = new Story(cluster, () => site);

  story.chapter('three masters and two workers run 1.20.2, and serve', async () => {
    await site.start();
    await site.expectRemuda('apply', '-f', answers(3), '--wait');
    const { stdout } = await site.expectRemuda('kubeconfig', cluster);
    writeFileSync(site.environment['KUBECONFIG'] ?? '', stdout, { mode: 0o600 });
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
  });

  story.chapter('it grows to five masters, and back to three (H18)', async () => {
    await served('five masters', 'apply', '-f', answers(5));
    expect(await (await inside()).voters()).toHaveLength(5);
    await served('three masters', 'apply', '-f', answers(3));
    expect(await (await inside()).voters()).toHaveLength(3);
  });

  story.chapter('who holds the address is replaced, then who leads etcd (complaints 6, 7)', async () => {
    for (const find of [addressHolder, etcdLeader]) {
      const name = await find();
      await served(`replaced ${name} (${find.name})`, 'machine', 'replace', cluster, name, '--yes');
      expect((await masters()).map((master) => master.name)).not.toContain(name);
      expect(await (await inside()).voters()).toHaveLength(3);
    }
  });

  story.chapter(
    'every machine is exchanged for one that runs 1.20.3; the masters are kept (H22)',
    async () => {
      const masterNames = Object.keys(await nodes('node-role.kubernetes.io/master='));
      await served('upgrade', 'upgrade', cluster, '1.20.3');
      expect(new Set(Object.values(await nodes()))).toEqual(new Set(['v1.20.3']));
      expect(await phase()).toBe('AwaitingFinalize');
      await served('back', 'back', cluster);
      const found = await nodes();
      expect(new Set(Object.values(found))).toEqual(new Set(['v1.20.2']));
      expect(Object.keys(found)).toEqual(expect.arrayContaining(masterNames) as string[]);
      expect(await phase()).toBe('Ready');
    },
  );

  story.chapter('forwards again, and finalized: nothing of the old version is left', async () => {
    await served('upgrade again', 'upgrade', cluster, '1.20.3');
    await served('finalize', 'finalize', cluster);
    expect(await phase()).toBe('Ready');
    const { stdout } = await site.expectRemuda('get', 'machines', '--cluster', cluster, '-o', 'json');
    expect((JSON.parse(stdout) as { readonly items: readonly unknown[] }).items).toHaveLength(5);
  });

  story.chapter('all certificates are renewed (H12, complaint 13)', async () => {
    const since = new Date().toISOString();
    await served('certificates', 'certificates', 'renew', cluster, '--since', since);
  });

  story.chapter(
    'two of three masters are lost for ever: back from the backup, and what came after it is the loss (complaint 8)',
    async () => {
      const writer = new Writer(kubeconfig(), site.environment);
      writer.start();
      await new Promise((done) => setTimeout(done, 5_000));
      expect(await writer.stop()).toEqual([]);
      await site.expectRemuda('backup', 'create', cluster, '--wait');
      const late = new Writer(kubeconfig(), site.environment);
      late.start();
      await new Promise((done) => setTimeout(done, 5_000));
      expect(await late.stop()).toEqual([]);

      const lost = (await masters()).slice(0, 2).map(({ name }) => name);
      for (const name of lost) await site.lab('power', `${cluster}/${name}`, 'off');
      const named = lost.flatMap((name) => ['--lost', name]);
      await site.expectRemuda('restore', cluster, ...named, '--confirm', cluster, '--wait');

      // What was acknowledged before the backup is there; what came later is what the plan said would be lost.
      expect(await writer.missing()).toEqual([]);
      expect(await late.missing()).toHaveLength(late.acknowledged.size);
      expect(await (await inside()).voters()).toHaveLength(3);
      expect(await phase()).toBe('Ready');
      await whileServing('after the restore', () => new Promise((done) => setTimeout(done, 10_000)));
    },
  );

  story.chapter('it is deleted, and nothing is left on the box', async () => {
    await site.expectRemuda('delete', cluster, '--confirm', cluster, '--wait');
    expect(site.withoutServices(addedTo(before, snapshotBox(site.labs)))).toEqual([]);
  });
});
