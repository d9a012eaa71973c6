import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { footprint } from './provider-footprint.ts';
import { answerFile } from './story/answers.ts';
import { until } from './story/wait.ts';
import { ArgumentWatch } from './story/arguments.ts';
import { addedTo, labsOf, snapshotBox } from './story/box.ts';
import type { RunningCommand } from './story/command.ts';
import { LabMachine } from './story/machine.ts';
import { randomNumbers } from './story/random.ts';
import { Site } from './story/site.ts';

const seed = Number(process.env['REMUDA_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const cluster = 'kill';
const machines = ['kill-cp-1', 'kill-general-1'];

/** Who dies, when (milliseconds after the last event), and for how long nobody is there. */
interface Kill {
  readonly victims: readonly ('daemon' | 'agent')[];
  readonly after: number;
  readonly away: number;
}

interface Round {
  readonly name: string;
  readonly create: readonly Kill[];
  readonly remove: readonly Kill[];
}

const victims = [['daemon'], ['agent'], ['daemon', 'agent'], ['agent', 'daemon']] as const;

/** Rounds of a seed. A create takes about a minute here, a delete about five seconds. */
function drawRounds(count: number): Round[] {
  const random = randomNumbers(seed);
  const draw = (within: number): Kill => ({
    victims: victims[Math.floor(random() * victims.length)] ?? ['daemon'],
    after: Math.floor(random() * within),
    away: Math.floor(random() * 3000),
  });
  return Array.from({ length: count }, (_, index) => ({
    name: `round ${index}`,
    create: [draw(15_000), draw(25_000), draw(25_000)],
    remove: [draw(4000), draw(3000)],
  }));
}

const text = ({ create, remove }: Round): string =>
  [create, remove]
    .map((kills) => kills.map((kill) => `${kill.victims.join('+')} after ${kill.after} ms`).join(', '))
    .join('; removing: ');

let site: Site;
let before: Set<string>;
let watch: ArgumentWatch;

beforeAll(async () => {
  site = await Site.prepare();
  before = snapshotBox(site.labs);
  watch = new ArgumentWatch();
  await site.start();
});

afterAll(async () => {
  watch?.stop();
  await site?.stop();
});

/** Kills as drawn while the command runs, starting again what was killed; nobody resumes anything by hand. */
async function killDuring(command: RunningCommand, kills: readonly Kill[]): Promise<number> {
  let hits = 0;
  for (const kill of kills) {
    await Promise.race([sleep(kill.after), command.ended]);
    if (!command.isRunning) break;
    for (const victim of kill.victims) await site.kill(victim);
    hits += 1;
    await sleep(kill.away);
    if (kill.victims.includes('daemon')) site.startDaemon();
    if (kill.victims.includes('agent')) site.startAgent();
  }
  const { code, stdout, stderr } = await command.ended;
  expect({ code, stderr, tail: stdout.split('\n').slice(-15) }).toMatchObject({ code: 0 });
  return hits;
}

async function createWhileKilling(kills: readonly Kill[]): Promise<void> {
  const path = join(site.folder, 'home/answers.yaml');
  writeFileSync(path, answerFile({ name: cluster, subnet: '10.77.10.0/24', masters: 1, workers: 1 }));
  watch.forget();
  // The round before may have ended while somebody was still away.
  await until(
    'daemon and agent to be back',
    async () => (await site.remuda(['plan', '-f', path])).code === 0,
  );
  const command = site.follow('apply', '-f', path, '--wait');
  // What was never accepted is nobody's to resume.
  await command.says(/Creating cluster kill/);
  const hits = await killDuring(command, kills);
  expect(hits).toBeGreaterThan(0);
  for (const [name, verb] of [
    ['kill-cp-1', 'init'],
    ['kill-general-1', 'join'],
  ] as const) {
    const started = new LabMachine(site, cluster, name).units(`kubeadm_${verb}`);
    expect([name, started.length, watch.kubeadm(verb, name).length]).toEqual([name, 1, 1]);
  }
  const kubeconfig = await site.expectRemuda('kubeconfig', cluster);
  writeFileSync(join(site.folder, 'home/kubeconfig'), kubeconfig.stdout, { mode: 0o600 });
  const nodes = await site.kubectl('wait', 'node', '--all', '--for=condition=Ready', '--timeout=60s');
  expect(nodes.trim().split('\n').sort()).toEqual(machines.map((name) => `node/${name} condition met`));
  const again = await site.expectRemuda('apply', '-f', path, '--wait');
  expect(again.stdout).toContain(`Cluster/${cluster} unchanged`);
}

async function deleteWhileKilling(kills: readonly Kill[]): Promise<void> {
  const labs = labsOf(site.labs);
  const command = site.follow('delete', cluster, '--confirm', cluster, '--wait');
  await command.says(/Deleting cluster kill/);
  await killDuring(command, kills);
  expect(site.withoutServices(footprint(site.labs, labs))).toEqual([]);
  expect(addedTo(before, snapshotBox(site.labs))).toEqual([]);
}

describe(`kill -9 of daemon and agent at random moments on the lab, seed ${seed}`, () => {
  const isFull = process.env['REMUDA_RING'] === 'full';
  const rounds = drawRounds(isFull ? 6 : 1);

  test.for(rounds)('complaint 3: $name ends well unasked and leaves nothing', async (round) => {
    console.log(`seed ${seed}, ${round.name}: ${text(round)}`);
    try {
      await createWhileKilling(round.create);
      await deleteWhileKilling(round.remove);
    } catch (error) {
      console.log(await site.describe(cluster));
      throw error;
    }
  });
});
