import { afterEach, describe, expect, it } from 'vitest';
import { rotationStages } from '../../provisioners/contract/secrets.ts';
import { kubeletClientPath } from '../fleet/model/certificates.ts';
import { runSeed, sample, seededRandom } from '../fleet/model/random.ts';
import { answerFile } from './answer-file.ts';
import { type Cut, cutPoints } from './boundaries.ts';
import { World, type WorldOptions } from './harness.ts';
import { clusterOf } from './restore-story.ts';
import { begin, certifyKubelets, openRotated, refused, seen, stage } from './rotation-story.ts';

const isFull = process.env['REMUDA_RING'] === 'full';
const seed = runSeed();
const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

async function open(masters: number, workers: number, options: WorldOptions = {}): Promise<World> {
  const world = await openRotated(answerFile({ masters, workers }), options);
  worlds.push(world);
  return world;
}

describe('the authorities of a cluster are rotated in three stages, on the fleet (H12)', () => {
  it.each([1, 3])(
    '%i masters: everybody believes both, all is signed anew, the old one is gone',
    async (masters) => {
      const world = await open(masters, 2);
      const before = seen(world);
      expect(new Set(before.believed.flat()).size).toBe(1);
      await stage(world, 'trust');
      const both = seen(world);
      for (const ids of both.believed) expect(ids).toHaveLength(2);
      expect(both.believed.every(([first]) => before.believed[0]?.[0] === first)).toBe(true);
      expect(both.leaves.toSorted()).toEqual(before.leaves.toSorted());
      await stage(world, 'reissue');
      const anew = seen(world);
      expect(anew.leaves.filter((id) => before.leaves.includes(id))).toEqual([]);
      expect(anew.leaves).toHaveLength(3);
      for (const ids of anew.believed) expect(ids[1]).toBe(before.believed[0]?.[0]);
      await stage(world, 'drop');
      const after = seen(world);
      for (const ids of after.believed) expect(ids).toHaveLength(1);
      expect(after.leaves.toSorted()).toEqual(anew.leaves.toSorted());
      expect(world.fleet.violations, world.explain()).toEqual([]);
    },
  );

  it('each stage is refused before the one before it, and says which comes first', async () => {
    const world = await open(3, 1);
    expect((await refused(world, 'drop'))?.code).toBe('PLAN-080');
    expect(await refused(world, 'reissue')).toMatchObject({
      code: 'PLAN-080',
      remedy: expect.stringContaining('--stage trust'),
    });
    await stage(world, 'trust');
    expect(await refused(world, 'drop')).toMatchObject({
      code: 'PLAN-080',
      remedy: expect.stringContaining('--stage reissue'),
    });
    await stage(world, 'reissue');
    expect(await refused(world, 'trust')).toMatchObject({
      code: 'PLAN-080',
      remedy: expect.stringContaining('--stage drop'),
    });
  });

  it('reissue is refused while pods of users believe the old one alone, and names them', async () => {
    const world = await open(3, 1);
    const cluster = clusterOf(world);
    const shop = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'shop', namespace: 'default' },
      spec: {
        replicas: 12,
        selector: { matchLabels: { app: 'shop' } },
        template: { metadata: { labels: { app: 'shop' } }, spec: { containers: [{ name: 'shop' }] } },
      },
    };
    cluster.objects.apply(shop, world.fleet.now, 'somebody');
    await stage(world, 'trust');
    const problem = await refused(world, 'reissue');
    expect(problem).toMatchObject({ code: 'CERT-013', remedy: expect.stringContaining('rollout restart') });
    expect(problem?.summary).toContain('12 pods');
    expect(problem?.summary).toContain('default/shop-0');
    expect(problem?.summary).toContain('and 2 more');
    const wish = { cluster: 'demo', principal: 'tester', stage: 'reissue' as const };
    // Whoever reads the plan learns the same, before anybody agrees to anything.
    const shown = await world.run(world.request((engine) => engine.rotating.plan(wish)));
    expect(shown.problems).toEqual([problem]);
    expect(shown.plans[0]?.isUnchanged).toBe(false);
    // As `kubectl rollout restart` does.
    const annotations = { 'kubectl.kubernetes.io/restartedAt': 'now' };
    const of = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop', namespace: 'default' };
    const spec = {
      ...shop.spec,
      template: { ...shop.spec.template, metadata: { labels: { app: 'shop' }, annotations } },
    };
    cluster.objects.remove(of);
    await world.run(world.clock.sleep(5000));
    cluster.objects.apply({ ...shop, spec }, world.fleet.now, 'somebody');
    const free = await world.run(world.request((engine) => engine.rotating.plan(wish)));
    expect(free.problems).toEqual([]);
    await stage(world, 'reissue');
    await stage(world, 'drop');
    expect(world.fleet.violations, world.explain()).toEqual([]);
  });

  it('drop is refused while a kubelet uses what the old one signed, or a machine is away', async () => {
    const world = await open(3, 2);
    const worker = clusterOf(world).machines.get('demo-general-2');
    const old = worker?.files.get(kubeletClientPath);
    if (worker === undefined || old === undefined) throw new Error('no worker');
    await stage(world, 'trust');
    await stage(world, 'reissue');
    const renewed = worker.files.get(kubeletClientPath);
    worker.files.set(kubeletClientPath, old);
    const problem = await refused(world, 'drop');
    expect(problem?.code).toBe('CERT-013');
    expect(problem?.summary).toContain('kubelet/client of demo-general-2 was signed by the old one');
    if (renewed !== undefined) worker.files.set(kubeletClientPath, renewed);
    world.fleet.setPower(worker, 'off');
    await world.run(world.clock.sleep(60_000));
    expect((await refused(world, 'drop'))?.code).toBe('PLAN-081');
    world.fleet.setPower(worker, 'on');
    await world.run(world.clock.sleep(60_000));
    await stage(world, 'drop');
    expect(world.fleet.violations, world.explain()).toEqual([]);
  });

  it('drop waits until certificates that people hold of the old one have run out', async () => {
    const world = await open(1, 1);
    await stage(world, 'trust');
    const { uid } = clusterOf(world).identity;
    const hold = (id: string, minutes: number): void => {
      const at = new Date(world.fleet.now).toISOString();
      const until = new Date(world.fleet.now + minutes * 60_000).toISOString();
      // As the API writes it down when the agent has signed.
      world.daemon?.state.credentials.add({
        id,
        cluster: uid,
        principal: 'bob',
        kind: 'kubeconfig',
        issuedAt: at,
      });
      world.daemon?.state.credentials.use(id, at, until);
    };
    hold('over', 0);
    hold('good', 40);
    await stage(world, 'reissue');
    const problem = await refused(world, 'drop');
    expect(problem).toMatchObject({ code: 'CERT-014', remedy: expect.stringContaining('--end-credentials') });
    const [until = ''] = /until (\S+Z)/.exec(problem?.summary ?? '')?.slice(1) ?? [];
    expect(Date.parse(until) - world.fleet.now).toBeGreaterThan(30 * 60_000);
    const calls = world.fleet.mutatingCalls;
    expect((await refused(world, 'drop'))?.code).toBe('CERT-014');
    expect(world.fleet.mutatingCalls).toBe(calls);
    await world.run(world.clock.sleep(Date.parse(until) - world.fleet.now + 1000));
    await stage(world, 'drop');
    expect(world.fleet.violations, world.explain()).toEqual([]);
  });

  it('drop ends what people hold of the old one at once where somebody says so', async () => {
    const world = await open(1, 1);
    await stage(world, 'trust');
    const { uid } = clusterOf(world).identity;
    const at = new Date(world.fleet.now).toISOString();
    const { credentials } = world.daemon?.state ?? {};
    credentials?.add({ id: 'good', cluster: uid, principal: 'bob', kind: 'kubeconfig', issuedAt: at });
    credentials?.use('good', at, new Date(world.fleet.now + 3_600_000).toISOString());
    await stage(world, 'reissue');
    expect((await refused(world, 'drop'))?.code).toBe('CERT-014');
    await stage(world, 'drop', { endsCredentials: true });
  });

  it('between the stages machines come and go, and nobody is left behind', async () => {
    const world = await open(3, 1);
    await stage(world, 'trust');
    const grown = await world.run(world.apply(answerFile({ masters: 3, workers: 2 }), 'grow'));
    expect(grown?.state, world.explain()).toBe('succeeded');
    certifyKubelets(world);
    const replaced = await world.run(
      world.change({ kind: 'replace', machines: ['demo-cp-2'], mode: 'destroy' }, 'first'),
    );
    expect(replaced?.state, world.explain()).toBe('succeeded');
    certifyKubelets(world);
    await stage(world, 'reissue');
    const again = await world.run(
      world.change({ kind: 'replace', machines: ['demo-general-1'], mode: 'destroy' }, 'second'),
    );
    expect(again?.state, world.explain()).toBe('succeeded');
    certifyKubelets(world);
    await stage(world, 'drop');
    for (const ids of seen(world).believed) expect(ids).toHaveLength(1);
    expect(world.fleet.violations, world.explain()).toEqual([]);
  });

  it('a stage that was cancelled is begun again with the same new authority', async () => {
    const world = await open(3, 1);
    const id = await world.run(begin(world, 'trust'));
    await world.run(world.clock.sleep(15_000));
    await world.run(world.request((engine) => engine.cancelOperation(id, 'tester')));
    expect((await world.run(world.ended(id))).state).toBe('cancelled');
    const drawn = new Set(seen(world).believed.flat());
    expect(drawn.size).toBe(2);
    await stage(world, 'trust');
    expect(new Set(seen(world).believed.flat())).toEqual(drawn);
    await stage(world, 'reissue');
    await stage(world, 'drop');
    expect(world.fleet.violations, world.explain()).toEqual([]);
  });

  it('is refused while an upgrade keeps machines for its way back, and where etcd stands apart', async () => {
    const world = await open(3, 1);
    const text = answerFile({ masters: 3, workers: 1, version: '1.20.3' });
    const asked = { text, file: 'f', principal: 'tester', confirm: ['demo'], idempotencyKey: 'new' };
    const { operations } = await world.run(world.request((engine) => engine.apply(asked)));
    expect((await world.run(world.ended(operations[0]?.id ?? ''))).state, world.explain()).toBe('succeeded');
    expect(await refused(world, 'trust')).toMatchObject({
      code: 'PLAN-082',
      remedy: expect.stringContaining('remuda finalize demo'),
    });
    const apart = new World();
    worlds.push(apart);
    await apart.open();
    const external = answerFile({ masters: 1, workers: 1, etcd: '{ topology: external, replicas: 1 }' });
    expect((await apart.run(apart.apply(external, 'create')))?.state, apart.explain()).toBe('succeeded');
    expect((await refused(apart, 'trust'))?.code).toBe('PLAN-071');
  });
});

/** Cuts tried of all there are, outside the full ring. */
const slice = 5;

describe(`a stage of a rotation, killed at any boundary (V8, REMUDA_SEED=${seed})`, () => {
  it.each(rotationStages)(
    '%s goes on by itself and ends alike',
    async (name) => {
      const brink = async (options: WorldOptions = {}): Promise<World> => {
        const world = await open(3, 1, options);
        for (const before of rotationStages.slice(0, rotationStages.indexOf(name)))
          await stage(world, before);
        world.boundaries.begin();
        return world;
      };
      const undisturbed = await brink();
      await stage(undisturbed, name);
      const wanted = seen(undisturbed).believed.map((ids) => ids.length);
      const { crossings } = undisturbed.boundaries;
      const all = crossings.flatMap(({ index }) =>
        cutPoints.flatMap((point): Cut[] => [
          { index, point, kill: ['agent'] },
          { index, point, kill: ['daemon'] },
          { index, point, kill: ['daemon', 'agent'] },
        ]),
      );
      const chosen = sample(all, isFull ? 120 : slice, seededRandom(seed));
      console.info(`${chosen.length} of ${all.length} cuts at ${crossings.length} boundaries`);
      for (const cut of chosen) {
        const world = await brink({ cut });
        await stage(world, name);
        const story = `${JSON.stringify(cut)}\n${world.explain()}`;
        expect(world.boundaries.hasCut, story).toBe(true);
        const { believed, leaves } = seen(world);
        expect(
          believed.map((ids) => ids.length),
          story,
        ).toEqual(wanted);
        expect(leaves, story).toHaveLength(3);
        for (const { files } of clusterOf(world).machines.values())
          expect(files.has('/etc/kubernetes/bootstrap-kubelet.conf'), story).toBe(false);
        expect(world.fleet.violations, story).toEqual([]);
        world.close();
        worlds.splice(worlds.indexOf(world), 1);
      }
    },
    3_600_000,
  );
});
