/**
 * The 3+2 install against bare kubeadm commands in the best order (DESIGN §9: ≤ 1.05 ×), in alternating pairs on one
 * box: seconds from the first machine reachable to the last Node, network and DNS pod Ready by the cluster's own
 * conditions, ours divided by bare in each pair, of which the median counts. The argument is the number of pairs.
 * Prints; asserts nothing.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { answerFile } from '../lab/story/answers.ts';
import { Site } from '../lab/story/site.ts';
import { BareCluster } from './bare-kubeadm.ts';
import { readySince } from './readiness.ts';
import { quantile, row, say } from './table.ts';

const pairs = Number(process.argv[2] ?? 3);
const subnet = '10.77.8.0/24';

const detailSchema = z.object({
  stepList: z.array(
    z.object({ id: z.string(), startedAt: z.string().optional(), endedAt: z.string().optional() }),
  ),
});
const idSchema = z.object({ items: z.array(z.object({ id: z.string() })) });

/**
 * Seconds from the first machine reachable to the last Node, network and DNS pod Ready (`ready`), and to the end of our
 * own proof (`proven`).
 */
async function installWithRemuda(): Promise<{
  readonly ready: number;
  readonly proven: number;
  readonly kubectl: string;
}> {
  const site = await Site.prepare();
  try {
    await site.start();
    const file = join(site.folder, 'answers.yaml');
    writeFileSync(file, answerFile({ name: 'bench', subnet, masters: 3, workers: 2 }));
    await site.expectRemuda('apply', '-f', file, '--wait', '--bypass', 'HOST-DISK-LATENCY');
    const { items } = idSchema.parse(
      JSON.parse((await site.expectRemuda('get', 'operations', '-o', 'json')).stdout),
    );
    const shown = await site.expectRemuda('get', 'operations', items[0]?.id ?? '', '-o', 'json');
    const { stepList } = detailSchema.parse(JSON.parse(shown.stdout));
    const { stdout: config } = await site.expectRemuda('kubeconfig', 'bench');
    writeFileSync(join(site.folder, 'home/kubeconfig'), config, { mode: 0o600 });
    const objects = await site.kubectl('get', 'nodes,pods', '-n', 'kube-system', '-o', 'json');
    const times = (kind: string, end: 'startedAt' | 'endedAt'): number[] =>
      stepList.filter(({ id }) => id.startsWith(kind)).map((step) => Date.parse(step[end] ?? ''));
    const began = Math.min(...times('machine.create/', 'endedAt'));
    const ready = readySince(objects, 5);
    const proven = Math.max(...times('cluster.verify/', 'endedAt'));
    printTimes(stepList, began);
    await site.expectRemuda('delete', 'bench', '--confirm', 'bench', '--wait');
    return { ready: (ready - began) / 1000, proven: (proven - began) / 1000, kubectl: site.kubectlProgram };
  } finally {
    await site.stop();
  }
}

/** Seconds. */
async function installBare(payload: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-bench-bare-'));
  const cluster = await BareCluster.prepare(folder, payload, subnet);
  try {
    return await cluster.install();
  } finally {
    await cluster.sweep();
  }
}

/** Where our time went: each step that took a second or more, in the order they began. */
function printTimes(steps: z.infer<typeof detailSchema>['stepList'], began: number): void {
  const taken = steps.flatMap(({ id, startedAt, endedAt }) => {
    if (startedAt === undefined || endedAt === undefined) return [];
    const [start, end] = [Date.parse(startedAt), Date.parse(endedAt)];
    return [{ id, start: (start - began) / 1000, seconds: (end - start) / 1000 }];
  });
  for (const { id, start, seconds } of taken.toSorted((one, other) => one.start - other.start))
    if (seconds >= 1) say(`  ${start.toFixed(1).padStart(6)} s  ${seconds.toFixed(1).padStart(6)} s  ${id}`);
}

const rows: { readonly bare: number; readonly ready: number; readonly proven: number }[] = [];
for (let pair = 0; pair < pairs; pair += 1) {
  const remuda = await installWithRemuda();
  const payload = dirname(dirname(remuda.kubectl));
  const bare = await installBare(payload);
  rows.push({ bare, ready: remuda.ready, proven: remuda.proven });
  say(
    `pair ${pair + 1}: bare ${bare.toFixed(1)} s, Remuda ${remuda.ready.toFixed(1)} s, with its proof ${remuda.proven.toFixed(1)} s`,
  );
}
const ratio = (pick: 'ready' | 'proven'): number[] => rows.map((one) => one[pick] / one.bare);
const [low, high] = [0, 1].map((share) => quantile(ratio('ready'), share).toFixed(2));
row(
  `3+2 install against the bare kubeadm commands, ${pairs} alternating pairs`,
  `${quantile(ratio('ready'), 0.5).toFixed(2)} × in the median (${low} to ${high}); bare ${quantile(
    rows.map(({ bare }) => bare),
    0.5,
  ).toFixed(1)} s; ${quantile(ratio('proven'), 0.5).toFixed(2)} × with our proof`,
  '≤ 1.05 ×',
);
