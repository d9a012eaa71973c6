import { afterEach, describe, expect, it } from 'vitest';
import type { ImportRequest } from '../../daemon/operations/import-records.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import { fingerprintOf } from '../../provisioners/contract/host-key.ts';
import { hostKey } from '../fleet/model/machine.ts';
import { World } from './harness.ts';
import { beginAdoption, beginEjection, clusterOf, fileOf, marksIn, wish } from './ownership-story.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

const file = fileOf(1, 3);
const key = '/etc/kubernetes/pki/etcd/ca.key';
const manifest = '/etc/kubernetes/manifests/kube-apiserver.yaml';

async function made(): Promise<World> {
  const world = new World();
  worlds.push(world);
  await world.open();
  const view = await world.run(world.apply(file, 'make'));
  expect(view?.state, `${view?.problem?.summary}`).toBe('succeeded');
  return world;
}

/** A cluster whose appliance has lost its state. */
async function lost(): Promise<World> {
  const world = await made();
  await world.loseState();
  return world;
}

const machineOf = (world: World, name: string) => {
  const machine = clusterOf(world).machines.get(name);
  if (machine === undefined) throw new Error(`there is no ${name}`);
  return machine;
};

const members = (world: World): string[] =>
  clusterOf(world)
    .etcd.voters.filter(({ running }) => running)
    .map(({ name }) => name)
    .toSorted();

const request = (world: World, more: Partial<ImportRequest> = {}): ImportRequest =>
  wish(world, 1, { takesOver: true, text: file, ...more });

async function planned(world: World, asked: ImportRequest): Promise<string> {
  const { plans } = await world.run(world.request((engine) => engine.importing.plan(asked)));
  return plans[0]?.text ?? '';
}

async function adopt(world: World, asked: ImportRequest): Promise<void> {
  const view = await world.run(beginAdoption(world, asked).then((id) => world.ended(id)));
  expect(view.state, `${view.problem?.summary}\n${world.explain()}`).toBe('succeeded');
  expect(world.fleet.violations, world.explain()).toEqual([]);
}

/** What is refused, in words and with what to do; nothing is changed by it anywhere. */
async function refusal(world: World, more: Partial<ImportRequest> = {}): Promise<string[]> {
  const calls = world.fleet.mutatingCalls;
  const asked = world.daemon?.process.run(() => world.daemon?.engine.importing.plan(request(world, more)));
  const said = await world.run(Promise.resolve(asked)).then(
    () => ['planned'],
    (error: { problems?: ProblemReport[] }) =>
      (error.problems ?? []).map((one) => `${one.code} ${one.summary} | ${one.remedy}`),
  );
  expect(world.fleet.mutatingCalls).toBe(calls);
  expect(world.daemon?.engine.listClusters()).toEqual([]);
  return said;
}

describe('a cluster whose etcd stands apart is adopted (H4, H23)', () => {
  it('after it was ejected, in full: its etcd is noted again, and its machines can be replaced', async () => {
    const world = await made();
    const { uid } = clusterOf(world).identity;
    let text = '';
    const given = beginEjection(world, (handedOver) => {
      text = handedOver;
    });
    expect((await world.run(given.then((id) => world.ended(id)))).state).toBe('succeeded');
    expect(marksIn(world)).toEqual([]);
    const asked = request(world, { text, takesOver: false });
    const shown = await planned(world, asked);
    for (const name of ['demo-etcd-1', 'demo-etcd-2', 'demo-etcd-3']) {
      const { shownHostKey } = machineOf(world, name);
      expect(shown).toContain(`etcd, lets Remuda in; its host key is ${fingerprintOf(shownHostKey)}`);
    }
    const [, afterwards = ''] = shown.split('NOT PART OF THE ADOPTION');
    expect(afterwards).not.toContain('demo-etcd');
    await adopt(world, asked);
    expect(world.daemon?.engine.getCluster('demo').uid).toBe(uid);
    const settled = await world.run(world.apply(text, 'settle'));
    expect(settled?.state, world.explain()).toBe('succeeded');
    // Nobody walks the road of machines again that are as the document says.
    const { stepList } = await world.run(world.request((engine) => engine.getOperation(settled?.id ?? '')));
    expect(stepList.map(({ id }) => id).filter((id) => id.includes('demo-etcd'))).toEqual([]);
    expect(await world.run(world.apply(text, 'again'))).toBeUndefined();
    const change = { kind: 'replace', machines: ['demo-etcd-1'], mode: 'destroy' } as const;
    expect((await world.run(world.change(change, 'replace')))?.state, world.explain()).toBe('succeeded');
    expect(members(world)).toEqual(['demo-etcd-2', 'demo-etcd-3', 'demo-etcd-4']);
    expect((await world.run(world.remove('demo', 'delete'))).state, world.explain()).toBe('succeeded');
    expect(clusterOf(world).machines.size).toBe(0);
    expect(world.fleet.violations, world.explain()).toEqual([]);
  });

  it('when its appliance has lost its state: apply changes nothing then', async () => {
    const world = await lost();
    expect(await planned(world, request(world))).toMatch(
      /Afterwards "remuda apply" of this file .* changes nothing/,
    );
    await adopt(world, request(world));
    const calls = world.fleet.mutatingCalls;
    expect(await world.run(world.apply(file, 'again'))).toBeUndefined();
    expect(world.fleet.mutatingCalls).toBe(calls);
  });

  it("with the key of etcd's authority on a machine of etcd alone, where kubeadm's own way keeps it", async () => {
    const world = await lost();
    for (const name of ['demo-cp-1', 'demo-etcd-1']) machineOf(world, name).files.delete(key);
    await adopt(world, request(world));
    expect(await world.run(world.apply(file, 'again'))).toBeUndefined();
    const change = { kind: 'replace', machines: ['demo-etcd-2'], mode: 'destroy' } as const;
    expect((await world.run(world.change(change, 'replace')))?.state, world.explain()).toBe('succeeded');
    expect(members(world)).toEqual(['demo-etcd-1', 'demo-etcd-3', 'demo-etcd-4']);
    expect(world.fleet.violations, world.explain()).toEqual([]);
  });

  it('whose API server is given only some of the members: the others are found by asking etcd, and apply tells it', async () => {
    const world = await made();
    expect((await world.run(beginEjection(world).then((id) => world.ended(id)))).state).toBe('succeeded');
    const given = machineOf(world, 'demo-cp-1').files.get(manifest);
    if (given === undefined) throw new Error('there is no API server');
    const content = given.content.replace(/(etcd-servers=[^,\s]+),[^\s"']+/u, '$1');
    machineOf(world, 'demo-cp-1').files.set(manifest, { ...given, content });
    const asked = request(world, { takesOver: false });
    const shown = await planned(world, asked);
    for (const name of ['demo-etcd-1', 'demo-etcd-2', 'demo-etcd-3'])
      expect(shown).toContain(`~ ${name}: etcd, lets Remuda in`);
    expect(shown).toMatch(/NOT PART OF THE ADOPTION[^]*Let the API servers use etcd/);
    await adopt(world, asked);
    expect((await world.run(world.apply(file, 'settle')))?.state, world.explain()).toBe('succeeded');
    const told = machineOf(world, 'demo-cp-1').files.get(manifest)?.content ?? '';
    const servers = /--etcd-servers=(\S+)/.exec(told)?.[1]?.split(',') ?? [];
    expect(servers).toHaveLength(3);
    expect(await world.run(world.apply(file, 'again'))).toBeUndefined();
  });
});

describe('adoption of a cluster whose etcd stands apart refuses, and changes nothing (H4, H23)', () => {
  it("when the key of etcd's authority lies nowhere: by name, with what to do", async () => {
    const world = await lost();
    for (const { files } of clusterOf(world).machines.values()) files.delete(key);
    const [said = '', ...others] = await refusal(world);
    expect(others).toEqual([]);
    expect(said).toMatch(
      /^ADOPT-015 \/etc\/kubernetes\/pki\/etcd\/ca\.key lies neither on 10\.\S+ nor on a machine of etcd \(demo-etcd-1: it is not there; demo-etcd-2: it is not there; demo-etcd-3: it is not there\): without it nobody can ask etcd for its members/,
    );
    expect(said).toMatch(/\| Put the key of etcd's authority there on 10\.\S+ .*Nothing was changed\.$/);
  });

  it("when a machine of etcd keeps the key of another authority than the master's certificate", async () => {
    const world = await lost();
    machineOf(world, 'demo-cp-1').files.delete(key);
    for (const name of ['demo-etcd-1', 'demo-etcd-2', 'demo-etcd-3']) {
      const { files } = machineOf(world, name);
      files.set(key.replace('.key', '.crt'), { content: 'of another authority', mode: 0o644 });
    }
    const [said = ''] = await refusal(world);
    expect(said).toContain('ADOPT-015');
    expect(said).toContain('demo-etcd-1: its authority is another one');
  });

  it('a machine of etcd that shows another host key than the given one, and one without a given key', async () => {
    const world = await lost();
    const other = hostKey('of somebody in between');
    const knownHosts = (keyOf: (name: string, shown: string) => string | undefined): string =>
      [...clusterOf(world).machines.values()]
        .flatMap(({ name, address, shownHostKey }) => {
          const given = keyOf(name, shownHostKey);
          return given === undefined ? [] : [`${address},${name} ${given}\n`];
        })
        .join('');
    const { shownHostKey } = machineOf(world, 'demo-etcd-2');
    const differing = knownHosts((name, shown) => (name === 'demo-etcd-2' ? other : shown));
    expect((await refusal(world, { knownHosts: differing }))[0]).toContain(
      `ADOPT-001 demo-etcd-2 shows the host key ${fingerprintOf(shownHostKey)}, not ${fingerprintOf(other)} |`,
    );
    const lacking = knownHosts((name, shown) => (name.includes('etcd') ? undefined : shown));
    expect((await refusal(world, { knownHosts: lacking })).map((said) => said.split(' |')[0])).toEqual([
      'ADOPT-013 the file of known hosts has no host key of demo-etcd-1',
      'ADOPT-013 the file of known hosts has no host key of demo-etcd-2',
      'ADOPT-013 the file of known hosts has no host key of demo-etcd-3',
    ]);
    expect(
      await planned(world, request(world, { knownHosts: knownHosts((_name, shown) => shown) })),
    ).toContain('showed the host key that was given for it');
  });

  it('a machine of etcd that does not answer, though the others are a majority', async () => {
    const world = await lost();
    world.fleet.setPower(machineOf(world, 'demo-etcd-3'), 'off');
    await world.run(world.clock.sleep(60_000));
    const said = await refusal(world);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(
      /^ADOPT-009 demo-etcd-3 cannot be visited: .*take its member out of etcd \(etcdctl member remove\); then repeat\. Nothing was changed\.$/,
    );
  });

  it('a member whose machine the provider knows otherwise: under another name, or as no machine of etcd', async () => {
    const world = await lost();
    const member = clusterOf(world).etcd.members.find(({ machine }) => machine === 'demo-etcd-2');
    if (member === undefined) throw new Error('there is no such member');
    member.name = 'somebody';
    expect(await refusal(world)).toEqual([
      'ADOPT-012 the machine of somebody is not to be adopted: the provider calls it demo-etcd-2 | Adoption takes in machines that the provider knows under the names of their members of etcd, as machines of etcd.',
    ]);
    member.name = 'demo-etcd-2';
    Object.assign(machineOf(world, 'demo-etcd-2'), { role: 'worker' });
    expect((await refusal(world))[0]).toMatch(
      /^ADOPT-012 .*: it is a member of an etcd that stands apart, and a worker there \|/,
    );
  });

  it('a file that has etcd where it is not, either way', async () => {
    const world = await lost();
    expect((await refusal(world, { text: fileOf(1) }))[0]).toMatch(
      /^ADOPT-010 cluster demo has external, and the file asks for stacked \|/,
    );
    const stacked = new World();
    worlds.push(stacked);
    await stacked.open();
    expect((await stacked.run(stacked.apply(fileOf(1), 'make')))?.state).toBe('succeeded');
    await stacked.loseState();
    expect((await refusal(stacked))[0]).toMatch(
      /^ADOPT-010 cluster demo has stacked, and the file asks for external \|/,
    );
  });
});
