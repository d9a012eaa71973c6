import { afterEach, expect, it } from 'vitest';
import { placeWorkload } from '../fleet/model/controllers.ts';
import type { ModelCluster } from '../fleet/model/cluster.ts';
import { type Random, runSeed, seededRandom } from '../fleet/model/random.ts';
import { answerFile } from './answer-file.ts';
import { World } from './harness.ts';

const isFull = process.env['REMUDA_RING'] === 'full';
const seed = runSeed();
/** Stories in CI, and in the full ring. */
const stories = isFull ? 300 : 6;
const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

const pick = <T>(random: Random, list: readonly [T, ...T[]]): T =>
  list[Math.floor(random() * list.length)] ?? list[0];

/** What is under way when somebody deletes the cluster. */
const beginnings = ['create', 'scale', 'upgrade', 'replace', 'nothing'] as const;
/** What goes wrong during the deletion. */
const troubles = ['none', 'API dies', 'a master is cut off', 'the provider is away', 'kills'] as const;

const small = { masters: 3, workers: 1 };

/** Asks for work and goes away in the middle of it; an end of it, or a refusal, is as good. */
async function beginWork(
  world: World,
  random: Random,
  beginning: (typeof beginnings)[number],
): Promise<void> {
  const asked = (size: Parameters<typeof answerFile>[0], key: string): Promise<unknown> =>
    world.request((engine) =>
      engine.apply({
        text: answerFile(size),
        file: 'cluster.yaml',
        principal: 'tester',
        confirm: ['demo'],
        idempotencyKey: key,
      }),
    );
  if (beginning === 'create') await asked(small, 'create');
  if (beginning === 'scale') await asked({ masters: 1, workers: 3 }, 'scale');
  if (beginning === 'upgrade') await asked({ ...small, version: '1.20.3' }, 'upgrade');
  if (beginning === 'replace') {
    const change = { kind: 'replace', machines: ['demo-cp-1'], mode: 'destroy' } as const;
    await world.request((engine) =>
      engine.machines.change({ cluster: 'demo', principal: 'tester', confirm: 'demo', change }),
    );
  }
  await world.clock.sleep(random() * 90_000);
  if (random() < 0.5) world.kill(['daemon', 'agent']);
}

function makeTrouble({ fleet }: World, random: Random, trouble: (typeof troubles)[number]): void {
  const at = fleet.elapsed + random() * 60_000;
  const masters = fleet.machines().filter(({ role }) => role === 'control-plane');
  if (trouble === 'API dies')
    for (const { name } of masters) fleet.addFault({ kind: 'machine-dies', machine: name, at });
  const [first] = masters;
  if (trouble === 'a master is cut off' && first !== undefined)
    fleet.addFault({ kind: 'line-cut', machine: first.name, from: at, to: at + 3_600_000 });
  if (trouble === 'the provider is away')
    fleet.addFault({ kind: 'provider-away', from: at, to: at + 900_000 });
}

/** Deletes, and again when that has failed; whatever a person could mend is mended in between. */
async function deleteInTheEnd(
  world: World,
  random: Random,
  volumes: 'retain' | 'delete',
  trouble: (typeof troubles)[number],
): Promise<unknown> {
  for (let tries = 0; tries < 5; tries += 1) {
    for (const cluster of world.fleet.clusters.values()) cluster.isGoing = true;
    const wish = { name: 'demo', principal: 'tester', confirm: 'demo', volumes };
    const operation = await world.request((engine) => engine.deleteCluster(wish));
    if (tries === 0) makeTrouble(world, random, trouble);
    for (let kills = trouble === 'kills' && tries === 0 ? 3 : 0; kills > 0; kills -= 1) {
      await world.clock.sleep(random() * 20_000);
      world.kill([pick(random, ['daemon', 'agent'])]);
    }
    const { state, id } = await world.ended(operation.id);
    if (state !== 'succeeded') continue;
    const { stepList } = await world.request((engine) => engine.getOperation(id));
    return stepList.find(({ kind }) => kind === 'teardown.prove')?.facts;
  }
  return 'not deleted after five tries';
}

/** People use what is there, as far as something serves. */
function useIt(world: World): boolean {
  const [cluster] = world.fleet.clusters.values();
  if (cluster === undefined || cluster.readyMasters(world.fleet.now).length === 0) return false;
  if (!cluster.machines.has('demo-general-1')) return false;
  placeWorkload(world.fleet, cluster, 'demo-general-1');
  return true;
}

const madeBy = (cluster: ModelCluster | undefined): readonly string[] =>
  [...(cluster?.made.values() ?? [])].map(({ type, of }) => `${type} of ${of}`);

it('from every half-built and half-deleted state nothing is left and no volume lost against policy (complaints 16, 17)', async () => {
  const wrong: string[] = [];
  for (let story = 0; story < stories; story += 1) {
    const random = seededRandom(seed + story);
    const beginning = pick(random, beginnings);
    const trouble = pick(random, troubles);
    const volumes = pick(random, ['retain', 'delete'] as const);
    const world = new World({ seed: seed + story });
    worlds.push(world);
    await world.open();
    if (beginning !== 'create') await world.run(world.apply(answerFile(small), 'first'));
    await world.run(beginWork(world, random, beginning));
    const isUsed = useIt(world);
    const facts = await world.run(deleteInTheEnd(world, random, volumes, trouble));
    const [cluster] = world.fleet.clusters.values();
    const seen = {
      left: (facts as { readonly left?: unknown } | undefined)?.left ?? facts,
      machines: world.fleet.machines().map(({ name }) => name),
      network: cluster?.infrastructure ?? 'absent',
      made: madeBy(cluster),
      violations: world.fleet.violations.map(({ kind, detail }) => `${kind}: ${detail}`),
    };
    const made = isUsed && volumes === 'retain' ? ['disk of pv-1'] : [];
    const expected = { left: [], machines: [], network: 'absent', made, violations: [] };
    if (JSON.stringify(seen) !== JSON.stringify(expected)) {
      if (wrong.length === 0) console.error(world.explain());
      wrong.push(
        `${beginning}, ${trouble}, ${volumes} (REMUDA_SEED=${seed + story}): ${JSON.stringify(seen)}`,
      );
    }
    world.close();
    worlds.splice(0);
    if (wrong.length === 3) break;
  }
  expect(wrong, `REMUDA_SEED=${seed}`).toEqual([]);
}, 3_600_000);
