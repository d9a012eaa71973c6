import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { operationViewSchema, planAnswerSchema } from '../../daemon/api/types.ts';
import { footprint } from './provider-footprint.ts';
import { answerFile } from './story/answers.ts';
import { ArgumentWatch } from './story/arguments.ts';
import { addedTo, labsOf, snapshotBox } from './story/box.ts';
import { Canary, keyMaterial } from './story/canary.ts';
import type { RunningCommand } from './story/command.ts';
import { changesOfRemuda, LabMachine } from './story/machine.ts';
import { Site } from './story/site.ts';
import { Story } from './story/telling.ts';
import { until } from './story/wait.ts';
import { workload } from './story/workload.ts';

const cluster = 'story';
const network = '10.77.9';
const masters = ['story-cp-1', 'story-cp-2', 'story-cp-3'];
const workers = ['story-general-1', 'story-general-2'];
const machines = [...masters, ...workers];
const secret = `canary-${randomBytes(24).toString('hex')}`;

let site: Site;
let before: Set<string>;
let watch: ArgumentWatch;
const canaries = [new Canary('the secret of the answer file', Buffer.from(secret))];
/** What the commands printed: what a person would hand to support. */
const printed: string[] = [];

const machine = (name: string): LabMachine => new LabMachine(site, cluster, name);

/** Writes the answer file for so many workers. */
function answers(count: number): string {
  const path = join(site.folder, 'home', 'answers.yaml');
  const text = answerFile({ name: cluster, subnet: `${network}.0/24`, masters: 3, workers: count, secret });
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

async function operations(): Promise<ReturnType<typeof operationViewSchema.parse>[]> {
  const { stdout } = await site.expectRemuda('get', 'operations', '-o', 'json');
  return operationViewSchema.array().parse((JSON.parse(stdout) as { items: unknown }).items);
}

/** Ends a command that must end well, and keeps what it printed. */
async function endsWell(command: RunningCommand): Promise<string> {
  const { code, stdout, stderr } = await command.ended;
  printed.push(stdout, stderr);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

beforeAll(async () => {
  site = await Site.prepare();
  before = snapshotBox(site.labs);
  watch = new ArgumentWatch();
});

afterAll(async () => {
  watch?.stop();
  await site?.stop();
});

describe('the story of a highly available cluster in the lab', () => {
  const story = new Story(cluster, () => site);
  let apply: RunningCommand;

  story.chapter('the daemon runs without rights, the agent enrols', async () => {
    await site.start();
    const status = readFileSync(`/proc/${site.pidOf('daemon')}/status`, 'utf8');
    expect(/^Uid:\s+(\d+)\s+(\d+)/m.exec(status)?.slice(1)).not.toContain('0');
    expect(status).toMatch(/^CapEff:\s+0+$/m);
  });

  story.chapter('it is asked for; a worker is unplugged before its join', async () => {
    apply = site.follow('apply', '-f', answers(2), '--wait');
    await apply.says(/started control plane: Start the control plane on story-cp-1/);
    await site.lab('cable', 'story/story-general-2', 'out');
  });

  story.chapter('agent and daemon die in the middle of a join: the same join goes on', async () => {
    const cp2 = machine('story-cp-2');
    const [unit = ''] = await until('kubeadm join on story-cp-2', () => {
      const units = cp2.units('kubeadm_join');
      if (units.some((name) => cp2.hasEnded(name))) throw new Error('the join ended before it was seen');
      if (units.length === 0) return undefined;
      watch.look();
      return watch.kubeadm('join', 'story-cp-2').length > 0 && units;
    });
    await site.kill('agent');
    await site.kill('daemon');
    // The kills must have fallen into the join, or this proves nothing.
    expect(cp2.hasEnded(unit)).toBe(false);
    await apply.says(/the daemon is away/);
    site.startDaemon();
    site.startAgent();
    await apply.says(/the daemon is back/);
    expect(apply.isRunning).toBe(true);
    await apply.says(/(done|already so) control plane: Join story-cp-2/);
    expect(cp2.units('kubeadm_join')).toEqual([unit]);
    expect(watch.kubeadm('join', 'story-cp-2')).toHaveLength(1);
  });

  story.chapter('the unplugged worker is awaited by name, with what, since, usually and a remedy', async () => {
    const [, since, usually] = await apply.says(
      /story-general-2: waits for [^\n]*story-general-2[^\n]*cannot be reached[^\n]*; for ([^,\n]+), usually ([^\n]+)/,
    );
    expect([since, usually]).toEqual([expect.stringMatching(/\d/), expect.stringMatching(/\d+ s/)]);
    await apply.says(/story-general-2: you could: [^\n]*power and network/);
    // The others did not wait for it.
    await apply.says(/(done|already so) control plane: Join story-cp-3/);
    await apply.says(/(done|already so) workers: Join story-general-1/);
  });

  story.chapter('plugged in again, it joins, and the operation ends by itself', async () => {
    await site.lab('cable', 'story/story-general-2', 'in');
    await endsWell(apply);
    expect((await operations()).map(({ kind, state }) => [kind, state])).toEqual([['create', 'succeeded']]);
    for (const name of machines) {
      const verb = name === 'story-cp-1' ? 'init' : 'join';
      expect([name, machine(name).units(`kubeadm_${verb}`).length]).toEqual([name, 1]);
    }
  });


