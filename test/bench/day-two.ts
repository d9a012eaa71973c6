/**
 * Day two against the bare commands (issue 4, proof 6), one after the other on one box: a worker more, a master
 * replaced, and 3+2 upgraded by replacement from 1.20.2 to the same source restamped 1.20.3. Ours is timed around the
 * command with --wait: the plan, a backup of etcd where masters change, the checks and the proof are in it; the bare
 * commands make the machine, equip it and wait until it is Ready, and check nothing. Prints; asserts nothing.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildPayload } from '../../provisioners/payload/build.ts';
import { answerFile } from '../lab/story/answers.ts';
import { Site } from '../lab/story/site.ts';
import { BareCluster } from './bare-kubeadm.ts';
import { row, say } from './table.ts';

const subnet = '10.77.8.0/24';
const works = ['worker', 'master', 'upgrade'] as const;
type Seconds = Record<(typeof works)[number], number>;

async function seconds(what: string, work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  const taken = (performance.now() - began) / 1000;
  say(`${what}: ${taken.toFixed(1)} s`);
  return taken;
}

async function withRemuda(): Promise<Seconds> {
  const site = await Site.prepare();
  const begin = (...words: readonly string[]) => site.expectRemuda(...words, '--confirm', 'bench', '--wait');
  try {
    await site.start();
    const file = join(site.folder, 'answers.yaml');
    writeFileSync(file, answerFile({ name: 'bench', subnet, masters: 3, workers: 2 }));
    await site.expectRemuda('apply', '-f', file, '--wait', '--bypass', 'HOST-DISK-LATENCY');
    return {
      worker: await seconds('Remuda, a worker', () => begin('machine', 'add', 'bench', 'general', '--yes')),
      master: await seconds('Remuda, a master', () =>
        begin('machine', 'replace', 'bench', 'bench-cp-1', '--yes'),
      ),
      upgrade: await seconds('Remuda, upgrade', () => begin('upgrade', 'bench', '1.20.3')),
    };
  } finally {
    await site.stop();
  }
}

async function bare(payload: string, next: string): Promise<Seconds> {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-bench-bare-'));
  const cluster = await BareCluster.prepare(folder, payload, subnet);
  try {
    await cluster.install();
    return {
      worker: await seconds('bare, a worker', () => cluster.addWorker()),
      master: await seconds('bare, a master', () => cluster.replaceMaster()),
      upgrade: await seconds('bare, upgrade', () => cluster.upgrade(next, 'v1.20.3')),
    };
  } finally {
    await cluster.sweep();
  }
}

const [payload, next] = [
  (await buildPayload({ version: 'v1.20.2' })).folder,
  (await buildPayload({ version: 'v1.20.3' })).folder,
];
const yardstick = await bare(payload, next);
const ours = await withRemuda();
const titles = {
  worker: 'a worker more, asked to Ready',
  master: 'a master replaced',
  upgrade: '3+3 upgraded by replacement, 1.20.2 to 1.20.3',
};
for (const work of works)
  row(
    `${titles[work]}, against the bare commands, once each`,
    `${(ours[work] / yardstick[work]).toFixed(2)} ×: ${ours[work].toFixed(1)} s with backup, checks and proof; bare ${yardstick[work].toFixed(1)} s`,
  );
