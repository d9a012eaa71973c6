import { afterEach, describe, expect, it } from 'vitest';
import type { EngineEvent } from '../../daemon/operations/answers.ts';
import { leafCertificates } from '../fleet/model/certificates.ts';
import type { ModelMachine } from '../fleet/model/machine.ts';
import { answerFile } from './answer-file.ts';
import { World } from './harness.ts';

const day = 24 * 3_600_000;
const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

const mastersOf = (world: World): ModelMachine[] =>
  [...world.fleet.clusters.values()]
    .flatMap(({ machines }) => [...machines.values()])
    .filter(({ name }) => name.includes('-cp-'));

/** Lets certificates end on a day, as if they had been made a year before it; all, or only those named. */
function end(
  world: World,
  at: number,
  names: readonly string[] = leafCertificates.map(([, name]) => name),
): void {
  for (const machine of mastersOf(world))
    for (const [path, name] of leafCertificates) {
      const file = machine.files.get(path);
      if (file === undefined || !names.includes(name)) continue;
      const content = `model certificate ${name} of ${machine.name} until ${new Date(at).toISOString()}`;
      machine.files.set(path, { content, mode: file.mode });
    }
}

async function openCluster(): Promise<World> {
  const world = new World();
  worlds.push(world);
  await world.open();
  const made = await world.run(world.apply(answerFile({ masters: 1, workers: 1 }), 'create'));
  expect(made?.state, world.explain()).toBe('succeeded');
  return world;
}

/** Time goes by: rounds are made each hour, and a look each day. */
const pass = (world: World, days: number): Promise<void> =>
  world.clock.run(world.clock.sleep(days * day), days * day + 600_000);

async function warningsOf(world: World): Promise<Pick<EngineEvent, 'data'>[]> {
  const events = await world.run(world.request((engine) => engine.events(0, { limit: 5000 })));
  return events.filter(({ type }) => type === 'certificate.expires');
}

const told = async (world: World): Promise<unknown[]> => (await warningsOf(world)).map(({ data }) => data);

describe('the daily check of certificates (complaint 13: 90, 30 and 7 days)', () => {
  it('tells each threshold of each certificate once, also when the daemon was killed in between', async () => {
    const world = await openCluster();
    end(world, world.fleet.now + 8.5 * day, ['apiserver']);
    end(world, world.fleet.now + 2.2 * day, ['etcd/server']);
    await pass(world, 1.1);
    expect(await told(world)).toMatchObject([
      { machine: 'demo-cp-1', certificate: 'etcd/server', level: 'critical', threshold: '7d' },
      { machine: 'demo-cp-1', certificate: 'apiserver', level: 'warning', threshold: '30d' },
    ]);
    world.kill(['daemon']);
    await pass(world, 0.2);
    expect(await told(world)).toHaveLength(2);
    await pass(world, 1);
    const later = [
      { certificate: 'apiserver', level: 'critical' },
      { certificate: 'etcd/server', level: 'expired', daysLeft: -1 },
    ];
    expect((await told(world)).slice(2)).toMatchObject(later);
    world.kill(['daemon', 'agent']);
    await pass(world, 0.2);
    expect(await told(world)).toHaveLength(4);
  });

  it('tells only the worst of what it missed, and of a renewed certificate anew', async () => {
    const world = await openCluster();
    end(world, world.fleet.now + 5 * day, ['apiserver']);
    await pass(world, 1.1);
    expect(await told(world)).toMatchObject([
      { certificate: 'apiserver', level: 'critical', daysLeft: 3, remedy: 'remuda certificates renew demo' },
    ]);
    end(world, world.fleet.now + 300 * day, ['apiserver']);
    await pass(world, 1.1);
    end(world, world.fleet.now + 80 * day, ['apiserver']);
    await pass(world, 1.1);
    expect(await told(world)).toMatchObject([{ level: 'critical' }, { level: 'notice' }]);
  });

  it('looks at clusters that an earlier release has made, which kept no certificates apart', async () => {
    const world = await openCluster();
    end(world, world.fleet.now + 5 * day, ['apiserver']);
    world.daemon?.state.database.exec('UPDATE clusters SET certificates = NULL, certificates_at = NULL');
    world.kill(['daemon']);
    await pass(world, 0.1);
    expect(await told(world)).toMatchObject([{ certificate: 'apiserver', level: 'critical' }]);
  });

  it('goes by what was seen last while nobody can look', async () => {
    const world = await openCluster();
    end(world, world.fleet.now + 8.5 * day, ['apiserver']);
    await pass(world, 1.1);
    expect(await told(world)).toMatchObject([{ level: 'warning' }]);
    for (const machine of mastersOf(world)) world.fleet.setPower(machine, 'off');
    await pass(world, 2);
    expect(await told(world)).toMatchObject([{ level: 'warning' }, { level: 'critical' }]);
  });
});
