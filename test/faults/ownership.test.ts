import { afterEach, describe, expect, it } from 'vitest';
import type { OperationView } from '../../daemon/operations/answers.ts';
import type { ImportRequest } from '../../daemon/operations/import-records.ts';
import { answerFile } from './answer-file.ts';
import { World } from './harness.ts';
import { fakeOpen } from './parts.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

const file = (masters: number): string => answerFile({ masters, workers: 1 });

async function madeCluster(masters: number, world = new World()): Promise<World> {
  worlds.push(world);
  await world.open();
  const made = await world.run(world.apply(file(masters), 'make'));
  expect(made?.state, `${made?.problem?.summary}`).toBe('succeeded');
  return world;
}

const clusterOf = (world: World) => {
  const [only] = world.fleet.clusters.values();
  if (only === undefined) throw new Error('there is no cluster');
  return only;
};

const addressOf = (world: World, name: string): string =>
  clusterOf(world).machines.get(name)?.address ?? 'nowhere';

const wish = (world: World, masters: number, more: Partial<ImportRequest> = {}): ImportRequest => ({
  text: file(masters),
  file: 'answers.yaml',
  principal: 'tester',
  master: { address: addressOf(world, 'demo-cp-1'), port: 22, user: 'root' },
  privateKey: 'model ssh private',
  takesOver: false,
  ...more,
});

async function codesOf(world: World, request: ImportRequest): Promise<unknown> {
  const asked = world.daemon?.process.run(() => world.daemon?.engine.importing.plan(request));
  return world.run(Promise.resolve(asked)).then(
    () => 'planned',
    (error: unknown) =>
      (error as { problems?: { code: string }[] }).problems?.map(({ code }) => code) ?? error,
  );
}

/** Adoption as the command does it: the plan first, then exactly that. */
async function adopted(world: World, request: ImportRequest): Promise<OperationView> {
  const plan = await world.run(world.request((engine) => engine.importing.plan(request)));
  const agreed = { ...request, planHash: plan.hash, confirm: 'demo', idempotencyKey: `adopt ${plan.hash}` };
  const { operation } = await world.run(world.request((engine) => engine.importing.start(agreed)));
  const again = await world.run(world.request((engine) => engine.importing.start(agreed)));
  expect(again.operation?.id).toBe(operation?.id);
  return world.run(world.ended(operation?.id ?? ''));
}

async function ejected(world: World): Promise<OperationView> {
  const given = await world.run(
    world.request((engine) =>
      engine.ejecting.handOver({ cluster: 'demo', principal: 'tester', recipient: 'age1somebody' }),
    ),
  );
  const { receipt } = JSON.parse(fakeOpen(given.sealed)) as { receipt: string };
  const asked = { cluster: 'demo', principal: 'tester', confirm: 'demo', receipt, idempotencyKey: 'eject' };
  const { operation } = await world.run(world.request((engine) => engine.ejecting.start(asked)));
  return world.run(world.ended(operation?.id ?? ''));
}

const objectsOf = (world: World): string[] =>
  [...clusterOf(world).objects.objects.values()]
    .filter(
      ({ kind, metadata }) =>
        JSON.stringify(metadata.annotations ?? {}).includes('remuda.dev') ||
        (kind === 'ConfigMap' && metadata.name === 'remuda') ||
        metadata.name.startsWith('remuda:'),
    )
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`);

const succeeded = (view: OperationView | undefined, world: World): void => {
  expect(view?.state, `${view?.problem?.summary}\n${world.explain()}`).toBe('succeeded');
  expect(world.fleet.violations, world.explain()).toEqual([]);
};

describe('a cluster whose appliance has lost its state', () => {
  it('is adopted from one master; apply changes nothing then, and a master can be replaced', async () => {
    const world = await madeCluster(3);
    const { uid } = clusterOf(world).identity;
    await world.loseState();
    expect(world.daemon?.engine.listClusters()).toEqual([]);
    // Nobody can tell from here whether the other appliance lives.
    expect(await codesOf(world, wish(world, 3))).toEqual(['ADOPT-007']);
    const request = wish(world, 3, { takesOver: true });
    const before = world.fleet.mutatingCalls;
    const { plans, needsConfirmation } = await world.run(
      world.request((engine) => engine.importing.plan(request)),
    );
    expect(world.fleet.mutatingCalls).toBe(before);
    expect(needsConfirmation).toEqual(['demo']);
    expect(plans[0]?.text).toContain('changes nothing that runs');
    expect(plans[0]?.text).toMatch(/Afterwards "remuda apply" of this file .* changes nothing/);
    succeeded(await adopted(world, request), world);
    expect(world.daemon?.engine.getCluster('demo').uid).toBe(uid);
    expect(world.daemon?.state.secrets.list()).toEqual([]);
    const calls = world.fleet.mutatingCalls;
    expect(await world.run(world.apply(file(3), 'again'))).toBeUndefined();
    expect(world.fleet.mutatingCalls).toBe(calls);
    const change = { kind: 'replace', machines: ['demo-cp-2'], mode: 'destroy' } as const;
    succeeded(await world.run(world.change(change, 'replace')), world);
    expect([...clusterOf(world).machines.keys()].sort()).toEqual([
      'demo-cp-1',
      'demo-cp-3',
      'demo-cp-4',
      'demo-general-1',
    ]);
  });
});

describe('eject (H23)', () => {
  it('leaves a cluster that lives without us, and nothing of ours on it; it can be adopted again', async () => {
    const world = await madeCluster(1);
    const { uid } = clusterOf(world).identity;
    const asked = { cluster: 'demo', principal: 'tester', confirm: 'demo' };
    // Nobody ejects a cluster whose keys he does not hold.
    await expect(
      world.run(Promise.resolve().then(() => world.daemon?.engine.ejecting.start(asked))),
    ).rejects.toMatchObject({ report: { code: 'EJECT-002' } });
    expect(objectsOf(world)).not.toEqual([]);
    const machines = [...clusterOf(world).machines.keys()];
    succeeded(await ejected(world), world);
    expect(objectsOf(world)).toEqual([]);
    expect(clusterOf(world).isReleased).toBe(true);
    expect([...clusterOf(world).machines.keys()]).toEqual(machines);
    expect(world.daemon?.engine.listClusters()).toEqual([]);
    expect(world.daemon?.state.clusters.sealedKeys(uid)).toBe('');
    expect(world.daemon?.state.machines.list(uid)).toEqual([]);
    const nodes = clusterOf(world).objects.list('v1', 'Node');
    expect(nodes).toHaveLength(2);

    const { plans } = await world.run(world.request((engine) => engine.importing.plan(wish(world, 1))));
    expect(plans[0]?.text).toContain('demo-cp-1');
    succeeded(await adopted(world, wish(world, 1)), world);
    expect(clusterOf(world).isReleased).toBe(false);
    expect(world.daemon?.engine.getCluster('demo').uid).toBe(uid);
    await world.run(world.apply(file(1), 'settle'));
    const calls = world.fleet.mutatingCalls;
    expect(await world.run(world.apply(file(1), 'again'))).toBeUndefined();
    expect(world.fleet.mutatingCalls).toBe(calls);
    succeeded(await world.run(world.remove('demo', 'delete')), world);
    expect(clusterOf(world).machines.size).toBe(0);
  });
});
