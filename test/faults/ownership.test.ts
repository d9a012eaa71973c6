import { afterEach, describe, expect, it } from 'vitest';
import type { OperationView } from '../../daemon/operations/answers.ts';
import type { ImportRequest } from '../../daemon/operations/import-records.ts';
import { answerFile } from './answer-file.ts';
import { World } from './harness.ts';
import { beginAdoption, beginEjection, clusterOf, fileOf, marksIn, wish } from './ownership-story.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

async function madeCluster(masters: number, world = new World()): Promise<World> {
  worlds.push(world);
  await world.open();
  const made = await world.run(world.apply(fileOf(masters), 'make'));
  expect(made?.state, `${made?.problem?.summary}`).toBe('succeeded');
  return world;
}

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

const ejected = (world: World, take?: (text: string) => void): Promise<OperationView> =>
  world.run((async () => world.ended(await beginEjection(world, take)))());

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
    expect(await world.run(world.apply(fileOf(3), 'again'))).toBeUndefined();
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
    expect(marksIn(world)).not.toEqual([]);
    const machines = [...clusterOf(world).machines.keys()];
    let text = '';
    const taken = await ejected(world, (handedOver) => {
      text = handedOver;
    });
    succeeded(taken, world);
    expect(marksIn(world)).toEqual([]);
    expect(clusterOf(world).isReleased).toBe(true);
    expect([...clusterOf(world).machines.keys()]).toEqual(machines);
    expect(world.daemon?.engine.listClusters()).toEqual([]);
    expect(world.daemon?.state.clusters.sealedKeys(uid)).toBe('');
    expect(world.daemon?.state.machines.list(uid)).toEqual([]);
    const nodes = clusterOf(world).objects.list('v1', 'Node');
    expect(nodes).toHaveLength(2);

    // With the file that was handed over, which says everything that was chosen for it.
    const request = wish(world, 1, { text });
    const { plans } = await world.run(world.request((engine) => engine.importing.plan(request)));
    const [, afterwards = ''] = plans[0]?.text.split('NOT PART OF THE ADOPTION') ?? [];
    expect(afterwards).toContain('network/routed-bridge');
    // Machines that were found to be as asked for are finished: nobody walks their road again.
    expect(afterwards).not.toContain('demo-general-1');
    succeeded(await adopted(world, request), world);
    expect(marksIn(world)).toEqual(expect.arrayContaining(['Node demo-cp-1', 'Node demo-general-1']));
    expect(clusterOf(world).isReleased).toBe(false);
    expect(world.daemon?.engine.getCluster('demo').uid).toBe(uid);
    succeeded(await world.run(world.apply(text, 'settle')), world);
    const calls = world.fleet.mutatingCalls;
    expect(await world.run(world.apply(text, 'again'))).toBeUndefined();
    expect(world.fleet.mutatingCalls).toBe(calls);
    succeeded(await world.run(world.remove('demo', 'delete')), world);
    expect(clusterOf(world).machines.size).toBe(0);
  });
});

/** What is refused, with nothing changed anywhere. */
describe('adoption refuses', () => {
  async function lost(masters = 1): Promise<World> {
    const world = await madeCluster(masters);
    await world.loseState();
    return world;
  }

  async function refusal(world: World, more: Partial<ImportRequest> = {}): Promise<unknown> {
    const calls = world.fleet.mutatingCalls;
    const codes = await codesOf(world, wish(world, 1, { takesOver: true, ...more }));
    expect(world.fleet.mutatingCalls).toBe(calls);
    expect(world.daemon?.engine.listClusters()).toEqual([]);
    return codes;
  }

  const forget = (world: World, path: string): void => {
    clusterOf(world).machines.get('demo-cp-1')?.files.delete(path);
  };

  it('a master without the keys of the authorities', async () => {
    const world = await lost();
    forget(world, '/etc/kubernetes/pki/ca.key');
    expect(await refusal(world)).toEqual(['ADOPT-003']);
  });

  it('a worker in the place of a master, and a cluster that no Remuda made', async () => {
    const world = await lost();
    const worker = clusterOf(world).machines.get('demo-general-1')?.address ?? '';
    expect(await refusal(world, { master: { address: worker, port: 22, user: 'root' } })).toEqual([
      'ADOPT-003',
    ]);
    forget(world, '/etc/kubernetes/remuda/encryption.yaml');
    expect(await refusal(world)).toEqual(['ADOPT-004']);
  });

  it('another host key than the one that was given', async () => {
    const world = await lost();
    expect(await refusal(world, { hostKey: 'SHA256:somebody' })).toEqual(['ADOPT-001']);
  });

  it('a file that describes another cluster: every difference at once', async () => {
    const world = await lost();
    const other = fileOf(1).replace('1.20.2', '1.20.3');
    const store = clusterOf(world).objects;
    const of = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'kubeadm-config' };
    const text = 'networking: { podSubnet: 10.1.0.0/16, dnsDomain: other.local }';
    store.patch(of, { data: { ClusterConfiguration: text } }, { manager: 'test' });
    expect(await refusal(world, { text: other })).toEqual(['ADOPT-010', 'ADOPT-010', 'ADOPT-010']);
  });

  it('a network that does not run there, and a machine that does not answer', async () => {
    const world = await lost();
    const set = { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: 'kube-system', name: 'routed-bridge' };
    const found = clusterOf(world)
      .objects.list('apps/v1', 'DaemonSet')
      .find(({ metadata }) => metadata.name.includes('bridge'));
    clusterOf(world).objects.remove({ ...set, name: found?.metadata.name ?? '' });
    const worker = clusterOf(world).machines.get('demo-general-1');
    if (worker !== undefined) world.fleet.setPower(worker, 'off');
    expect(await refusal(world)).toEqual(['ADOPT-011', 'ADOPT-009']);
  });

  it('what this Remuda keeps already', async () => {
    const world = await madeCluster(1);
    expect(await codesOf(world, wish(world, 1))).toEqual(['ADOPT-005']);
  });

  it('no file for the machines that it asks for beside those that are there: they are what apply does afterwards, and the plan says so', async () => {
    const world = await lost();
    const text = answerFile({ masters: 1, workers: 2 });
    const request = wish(world, 1, { takesOver: true, text });
    const { plans } = await world.run(world.request((engine) => engine.importing.plan(request)));
    expect(plans[0]?.text).toMatch(/NOT PART OF THE ADOPTION[^]*demo-general-2/);
  });

  it('a cancelled adoption leaves nothing with us', async () => {
    const world = await lost();
    const id = await world.run(beginAdoption(world, wish(world, 1, { takesOver: true })));
    await world.run(world.request((engine) => engine.cancelOperation(id, 'tester')));
    expect((await world.run(world.ended(id))).state).toBe('cancelled');
    expect(world.daemon?.engine.listClusters()).toEqual([]);
    expect(world.daemon?.state.secrets.list()).toEqual([]);
    succeeded(await adopted(world, wish(world, 1, { takesOver: true })), world);
  });
});
