import { afterEach, describe, expect, it } from 'vitest';
import type { RestoreRequest } from '../../daemon/operations/restoring.ts';
import { answerFile } from './answer-file.ts';
import type { World } from './harness.ts';
import {
  backUp,
  clusterOf,
  fromBackup,
  openWith,
  restore,
  votersOf,
  write,
  written,
} from './restore-story.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

async function opened(masters: number): Promise<World> {
  const world = await openWith(masters);
  worlds.push(world);
  return world;
}

/** A newer version, machine for machine, and no way back. */
async function upgrade(world: World, masters: number): Promise<void> {
  const text = answerFile({ masters, workers: 2, version: '1.20.3' });
  const asked = { text, file: 'cluster.yaml', principal: 'tester', confirm: ['demo'] };
  const { operations } = await world.run(world.request((engine) => engine.apply(asked)));
  const ended = await world.run(world.ended(operations[0]?.id ?? ''));
  expect(ended.state, `${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
  const intent = { kind: 'finalize' } as const;
  const finalize = { cluster: 'demo', principal: 'tester', intent, confirm: 'demo' };
  const answer = await world.run(world.request((engine) => engine.dayTwo.start(finalize)));
  const finalized = await world.run(world.ended(answer.operation?.id ?? ''));
  expect(finalized.state, finalized.problem?.summary).toBe('succeeded');
}

const wish: RestoreRequest = {
  cluster: 'demo',
  principal: 'tester',
  from: 'backup',
  lost: [],
  acceptsUnknown: true,
};

describe('what has changed between the backup and the restore (complaint 8)', () => {
  it.each([1, 3])(
    '%i masters were upgraded since: who joins runs what runs, and it ends',
    async (masters) => {
      const world = await opened(masters);
      write(world, 'before');
      const manifest = backUp(world);
      await upgrade(world, masters);
      write(world, 'after');
      const ended = await restore(world, fromBackup(manifest), masters, '1.20.3');
      expect(ended.state).toBe('succeeded');
      expect(written(world)).toEqual(['before']);
      expect(votersOf(world)).toHaveLength(masters);
      const configuration = clusterOf(world).objects.get({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        namespace: 'kube-system',
        name: 'kubeadm-config',
      });
      expect(JSON.stringify(configuration)).toContain('v1.20.3');
    },
  );

  it('a thousand operations lie between two restores: the second is not taken for the first', async () => {
    const world = await opened(1);
    write(world, 'first');
    backUp(world);
    const textOf = async (): Promise<string> => {
      const { plans } = await world.run(world.request((engine) => engine.restoring.plan(wish)));
      return plans[0]?.text ?? '';
    };
    const keyIn = (text: string): string | undefined => /remuda\/restore\/([0-9a-f]+)/.exec(text)?.[1];
    const first = keyIn(await textOf());
    const asked = { ...wish, confirm: 'demo', idempotencyKey: 'one' };
    const { operation } = await world.run(world.request((engine) => engine.restoring.start(asked)));
    await world.run(world.ended(operation?.id ?? ''));
    const state = world.daemon?.state;
    const sample = state?.operations.get(operation?.id ?? '');
    if (state === undefined || sample === undefined) throw new Error('nothing was begun');
    for (let count = 0; count < 1000; count += 1)
      state.operations.add({ ...sample, id: `filler-${count}`, kind: 'backup', state: 'succeeded' });
    const second = keyIn(await textOf());
    expect(second).toMatch(/^[0-9a-f]{12}$/);
    expect(second).not.toBe(first);
  });

  it('the plan names who came and who left since, and what nobody can know yet', async () => {
    const world = await opened(1);
    const taken = { cluster: 'demo', principal: 'tester', intent: { kind: 'backup' } } as const;
    const { operation } = await world.run(world.request((engine) => engine.dayTwo.start(taken)));
    await world.run(world.ended(operation?.id ?? ''));
    const planned = () => world.run(world.request((engine) => engine.restoring.plan(wish)));
    expect((await planned()).loss.join('\n')).not.toMatch(/demo-general/);
    const change = { kind: 'replace', machines: ['demo-general-1'], mode: 'destroy' } as const;
    expect((await world.run(world.change(change, 'replace')))?.state).toBe('succeeded');
    const { loss, plans } = await planned();
    expect(loss.join('\n')).toMatch(/does not know demo-general-3, which came since: it joins again/);
    expect(loss.join('\n')).toMatch(/demo-general-1 left since: its Node comes back without a machine/);
    expect(loss.join('\n')).toMatch(/Volumes and load balancers/);
    expect(plans[0]?.text).toContain(loss[0]);
  });

  it('takes no backup before the others join, and removes none: the one it came from stays', async () => {
    const world = await opened(3);
    write(world, 'before');
    const manifest = backUp(world);
    const { id } = await restore(world, fromBackup(manifest), 3);
    const detail = await world.run(world.request((engine) => engine.getOperation(id)));
    expect(detail.stepList.map(({ kind }) => kind)).not.toContain('etcd.snapshot');
    expect(detail.stepList.map(({ kind }) => kind)).not.toContain('etcd-snapshot.prune');
    expect(world.fleet.backups.map((one) => one.manifest.id)).toContain(manifest.id);
  });
});
