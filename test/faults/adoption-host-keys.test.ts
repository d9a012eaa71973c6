import { afterEach, describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../provisioners/contract/host-key.ts';
import type { ImportRequest } from '../../daemon/operations/import-records.ts';
import type { PlanAnswer } from '../../daemon/operations/answers.ts';
import { hostKey } from '../fleet/model/machine.ts';
import { World } from './harness.ts';
import { clusterOf, endOf, fileOf, wish } from './ownership-story.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

/** A cluster whose appliance has lost its state. */
async function lost(): Promise<World> {
  const world = new World();
  worlds.push(world);
  await world.open();
  const made = await world.run(world.apply(fileOf(1), 'make'));
  expect(made?.state).toBe('succeeded');
  await world.loseState();
  return world;
}

const machinesOf = (world: World) => [...clusterOf(world).machines.values()];

/** A file of known hosts with every machine of it, but for those that `keyOf` answers otherwise. */
function knownHosts(
  world: World,
  keyOf: (name: string, shown: string) => string | undefined = (_name, shown) => shown,
): string {
  const lines = machinesOf(world).flatMap(({ name, address, shownHostKey }) => {
    const key = keyOf(name, shownHostKey);
    return key === undefined ? [] : [`${address} ${key} ${name}`];
  });
  return `# made for this test\n${lines.join('\n')}\n`;
}

const plan = (world: World, more: Partial<ImportRequest>): Promise<PlanAnswer> => {
  const request = wish(world, 1, { takesOver: true, ...more });
  return world.run(world.request((engine) => engine.importing.plan(request)));
};

async function refusal(world: World, more: Partial<ImportRequest>): Promise<readonly string[]> {
  const calls = world.fleet.mutatingCalls;
  const request = wish(world, 1, { takesOver: true, ...more });
  const asked = world.daemon?.process.run(() => world.daemon?.engine.importing.plan(request));
  const said = await world.run(Promise.resolve(asked)).then(
    () => ['planned'],
    (error: { problems?: { code: string; summary: string }[] }) =>
      (error.problems ?? []).map(({ code, summary }) => `${code} ${summary}`),
  );
  expect(world.fleet.mutatingCalls).toBe(calls);
  expect(world.daemon?.engine.listClusters()).toEqual([]);
  return said;
}

describe('host keys of machines that are adopted (H23)', () => {
  it('are shown before anybody agrees, and it is said that nobody else vouches for them', async () => {
    const world = await lost();
    const { plans } = await plan(world, {});
    for (const { name, shownHostKey } of machinesOf(world)) {
      const [detail = ''] =
        plans[0]?.plan.changes.filter((one) => one.subject === name).map((one) => one.detail) ?? [];
      expect(detail).toContain(`its host key is ${fingerprintOf(shownHostKey)} (ED25519)`);
      expect(plans[0]?.text).toContain(fingerprintOf(shownHostKey));
    }
    expect(plans[0]?.text).toContain('Nobody but you vouches');
  });

  it('that were given are the only ones that are let in: another one, and none', async () => {
    const world = await lost();
    const other = hostKey('of somebody in between');
    const { plans } = await plan(world, { knownHosts: knownHosts(world) });
    expect(plans[0]?.text).toContain('showed the host key that was given for it');
    const worker = machinesOf(world).find(({ name }) => name === 'demo-general-1');
    const differing = knownHosts(world, (name, shown) => (name === 'demo-general-1' ? other : shown));
    expect(await refusal(world, { knownHosts: differing })).toEqual([
      `ADOPT-001 demo-general-1 shows the host key ${fingerprintOf(worker?.shownHostKey ?? '')}, not ${fingerprintOf(other)}`,
    ]);
    const lacking = knownHosts(world, (name, shown) => (name === 'demo-general-1' ? undefined : shown));
    expect(await refusal(world, { knownHosts: lacking })).toEqual([
      'ADOPT-013 the file of known hosts has no host key of demo-general-1',
    ]);
    const revoked = `${knownHosts(world)}@revoked ${worker?.address} ${worker?.shownHostKey}\n`;
    expect(await refusal(world, { knownHosts: revoked })).toEqual([
      'ADOPT-013 the file of known hosts has no host key of demo-general-1',
    ]);
    expect(await refusal(world, { knownHosts: 'no such lines\n' })).toEqual([
      'ADOPT-014 the file of known hosts holds no host key',
    ]);
  });

  it('of the master count before anything is read from it', async () => {
    const world = await lost();
    const other = hostKey('of somebody in between');
    const differing = knownHosts(world, (name, shown) => (name === 'demo-cp-1' ? other : shown));
    const [said] = await refusal(world, { knownHosts: differing });
    expect(said).toMatch(/^ADOPT-001 10\.\S+ shows the host key/);
    const lacking = knownHosts(world, (name, shown) => (name === 'demo-cp-1' ? undefined : shown));
    expect((await refusal(world, { knownHosts: lacking }))[0]).toMatch(
      /^ADOPT-013 .* has no host key of 10\./,
    );
  });

  it('that change between the plan and the run stop it, and the change is named', async () => {
    const world = await lost();
    const request = wish(world, 1, { takesOver: true });
    const { hash } = await plan(world, {});
    const worker = machinesOf(world).find(({ name }) => name === 'demo-general-1');
    if (worker === undefined) throw new Error('there is no worker');
    worker.shownHostKey = hostKey('of another machine');
    const agreed = { ...request, planHash: hash, confirm: 'demo' };
    const asked = world.daemon?.process.run(() => world.daemon?.engine.importing.start(agreed));
    await expect(world.run(Promise.resolve(asked))).rejects.toMatchObject({
      reason: 'plan-changed',
      changes: expect.arrayContaining([
        'demo-general-1 shows another SSH host key than when the plan was reviewed',
      ]),
    });
    expect(world.daemon?.engine.listClusters()).toEqual([]);
  });

  it('that change after the consent: nobody logs in to that machine', async () => {
    const world = await lost();
    const request = wish(world, 1, { takesOver: true });
    const { hash } = await plan(world, {});
    const agreed = { ...request, planHash: hash, confirm: 'demo', idempotencyKey: 'adopt' };
    const { operation } = await world.run(world.request((engine) => engine.importing.start(agreed)));
    const worker = machinesOf(world).find(({ name }) => name === 'demo-general-1');
    if (worker === undefined) throw new Error('there is no worker');
    const keys = new Set(worker.authorizedKeys);
    worker.shownHostKey = hostKey('of another machine');
    const end = await world.run(endOf(world, operation?.id ?? ''));
    expect(end.state).not.toBe('succeeded');
    expect(worker.authorizedKeys).toEqual(keys);
    expect(JSON.stringify(end)).toContain('another host key');
  });
});
