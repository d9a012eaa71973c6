import { afterEach, describe, expect, it } from 'vitest';
import type { OperationView } from '../../daemon/operations/answers.ts';
import type { Fault } from '../fleet/model/faults.ts';
import { answerFile } from './answer-file.ts';
import { World } from './harness.ts';

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

const script = '{ machine: { script: "sync; echo flushed" } }';
const job = '{ job: { image: registry.example/smoke, command: [/bin/smoke] } }';
const webhook = '{ webhook: { url: "https://hooks.example/remuda", credentials: { secretRef: hooks } } }';
const hook = (name: string, at: string, run: string, more = ''): string =>
  `{ name: ${name}, at: ${at}, run: ${run}${more === '' ? '' : `, ${more}`} }`;
const list = (...hooks: readonly string[]): string => `[${hooks.join(', ')}]`;

/** Every point and every way, once. */
const all = list(
  hook('announce', 'beforeOperation', webhook),
  hook('flush', 'beforeDrain', script),
  hook('empty', 'afterDrain', job, 'for: { groups: [general] }'),
  hook('check', 'afterBoot', script, 'for: { roles: [worker] }'),
  hook('smoke', 'afterOperation', job),
  hook('done', 'afterOperation', webhook),
);

async function open(faults: readonly Fault[] = []): Promise<World> {
  const world = new World({ faults });
  worlds.push(world);
  await world.open();
  return world;
}

interface Asked {
  readonly masters?: number;
  readonly workers: number;
  readonly hooks?: string;
  readonly maintenance?: string;
}

const apply = (world: World, key: string, asked: Asked): Promise<OperationView | undefined> =>
  world.run(world.apply(answerFile({ masters: 1, ...asked }), key));

/** What has run since it was asked last. */
const ran = (world: World): string[] =>
  world.fleet.hookLog.splice(0).map(({ hook: name, at, machine }) => [at, name, machine].join(' ').trim());

/** Replaces a worker, under the hooks of the document. */
const replaceWorker = (world: World, key: string): Promise<OperationView | undefined> =>
  world.run(world.change({ kind: 'replace', machines: ['demo-general-1'], mode: 'destroy' }, key));

/** Applies what destroys a master, and its end. */
async function upgrade(world: World, text: string): Promise<OperationView> {
  const asked = { text, file: 'cluster.yaml', principal: 'tester', confirm: ['demo'] };
  const { operations } = await world.run(world.request((engine) => engine.apply(asked)));
  return await world.run(world.ended(operations[0]?.id ?? ''));
}

/** Expects that each of these steps had ended before the next one began. */
async function oneAfterAnother(world: World, operation: string, ...ids: readonly string[]): Promise<void> {
  const { stepList } = await world.run(world.request((engine) => engine.getOperation(operation)));
  const times = ids.map((id) => {
    const step = stepList.find((one) => one.id === id);
    return { id, from: step?.startedAt ?? 'never began', to: step?.endedAt ?? 'never ended' };
  });
  for (const [index, { id, from }] of times.entries()) {
    const before = times[index - 1];
    expect(before === undefined || before.to <= from, `${id} after ${before?.id}`).toBe(true);
  }
}

async function resume(world: World, view: OperationView | undefined): Promise<void> {
  await world.run(world.request((engine) => engine.resumeOperation(view?.id ?? '', 'tester')));
  const ended = await world.run(world.ended(view?.id ?? ''));
  expect(ended.state, world.explain()).toBe('succeeded');
}

describe('hooks (V10: flush before a machine goes, validate after one has come)', () => {
  it('run once each in their places when a machine is replaced, and never in an apply that does nothing', async () => {
    const world = await open();
    expect((await apply(world, 'create', { workers: 1, hooks: all }))?.state, world.explain()).toBe(
      'succeeded',
    );
    expect(ran(world)).toEqual([
      'beforeOperation announce',
      'afterBoot check demo-general-1',
      'afterOperation smoke',
      'afterOperation done',
    ]);
    expect(await apply(world, 'again', { workers: 1, hooks: all })).toBeUndefined();
    const changed = list(hook('flush', 'beforeDrain', script));
    expect(await apply(world, 'changed', { workers: 1, hooks: changed })).toBeUndefined();
    expect(await apply(world, 'back', { workers: 1, hooks: all })).toBeUndefined();
    expect(ran(world)).toEqual([]);
    const replaced = await replaceWorker(world, 'replace');
    expect(replaced?.state, world.explain()).toBe('succeeded');
    expect(ran(world)).toEqual([
      'beforeOperation announce',
      'afterBoot check demo-general-2',
      'beforeDrain flush demo-general-1',
      'afterDrain empty demo-general-1',
      'afterOperation smoke',
      'afterOperation done',
    ]);
    await oneAfterAnother(
      world,
      replaced?.id ?? '',
      'hook.call-webhook/announce',
      'node.cordon/demo-general-1',
    );
    await oneAfterAnother(
      world,
      replaced?.id ?? '',
      'worker.join/demo-general-2',
      'hook.run-on-machine/check.demo-general-2',
      'node.label/demo-general-2',
      'node.cordon/demo-general-1',
      'hook.run-on-machine/flush.demo-general-1',
      'node.drain/demo-general-1',
      'hook.run-as-job/empty.demo-general-1',
      'machine.destroy/demo-general-1',
      'cluster.verify/cluster',
      'hook.run-as-job/smoke',
      'hook.call-webhook/done',
    );
    expect(world.fleet.violations, world.explain()).toEqual([]);
  });

  it('one that fails stops the operation, names itself and its last line, and runs again when it is resumed', async () => {
    const world = await open([{ kind: 'hook-fails', hook: 'flush', times: 1 }]);
    await apply(world, 'create', { workers: 1, hooks: all });
    const view = await replaceWorker(world, 'replace');
    expect(view).toMatchObject({
      state: 'failed',
      isResumable: true,
      problem: { code: 'HOOK-001', machine: 'demo-general-1', lastLines: ['flush works', 'flush says 3'] },
    });
    expect(view?.problem?.summary).toContain('hook flush on demo-general-1');
    expect(view?.problem?.summary).toContain('exit code 3');
    // Nothing of the machine was touched, and it takes pods again.
    expect(ran(world)).not.toContain('afterDrain empty demo-general-1');
    const node = [...world.fleet.clusters.values()][0]?.nodes(world.fleet.now);
    expect(node?.map(({ name }) => name)).toContain('demo-general-1');
    await resume(world, view);
    const again = ran(world);
    expect(again).toEqual([
      'beforeDrain flush demo-general-1',
      'afterDrain empty demo-general-1',
      'afterOperation smoke',
      'afterOperation done',
    ]);
  });

  it('one that may fail is told as a warning, and the operation goes on and does not run it again', async () => {
    const hooks = list(hook('flush', 'beforeDrain', script, 'onFailure: continue'));
    const world = await open([{ kind: 'hook-fails', hook: 'flush', times: 9 }]);
    await apply(world, 'create', { workers: 1, hooks });
    const view = await replaceWorker(world, 'replace');
    expect(view?.state, world.explain()).toBe('succeeded');
    expect(ran(world)).toEqual(['beforeDrain flush demo-general-1']);
    const told = await world.run(world.request((engine) => engine.events(0)));
    const warning = told.find(({ type }) => type === 'hook.failed');
    expect(warning).toMatchObject({
      operation: view?.id,
      step: 'hook.run-on-machine/flush.demo-general-1',
      data: { problem: { code: 'HOOK-001', machine: 'demo-general-1' } },
    });
    const { stepList } = await world.run(world.request((engine) => engine.getOperation(view?.id ?? '')));
    expect(stepList.find(({ id }) => id === warning?.step)).toMatchObject({
      state: 'succeeded',
      problem: { code: 'HOOK-001', lastLines: ['flush works', 'flush says 3'] },
    });
  });

  it.each([
    ['a script', script, 'HOOK-002'],
    ['a Job', job, 'HOOK-002'],
    ['a webhook', webhook, 'OUTGOING-003'],
  ])('%s that hangs is stopped by its timeout, and a resume tries again', async (_what, run, code) => {
    const hooks = list(hook('stuck', 'beforeDrain', run, 'timeout: 30s'));
    const world = await open([{ kind: 'hook-hangs', hook: 'stuck' }]);
    await apply(world, 'create', { workers: 1, hooks });
    const view = await replaceWorker(world, 'replace');
    expect(view, world.explain()).toMatchObject({ state: 'failed', isResumable: true, problem: { code } });
    world.fleet.faults.repairAll();
    await resume(world, view);
    expect(world.fleet.violations, world.explain()).toEqual([]);
  });

  it.each([['agent'], ['daemon']] as const)(
    'when the %s is killed while one runs, it goes on and runs once',
    async (victim) => {
      const hooks = list(
        hook('flush', 'beforeDrain', script),
        hook('empty', 'afterDrain', job),
        hook('done', 'afterOperation', webhook),
      );
      const world = await open();
      await apply(world, 'create', { workers: 1, hooks });
      ran(world);
      const replaced = replaceWorker(world, 'replace');
      void world.run(
        (async () => {
          for (const name of ['flush', 'empty', 'done']) {
            while (!world.fleet.hookLog.some(({ hook: begun }) => begun === name))
              await world.clock.sleep(200);
            await world.clock.sleep(1000);
            world.kill([victim]);
          }
        })(),
      );
      expect((await replaced)?.state, world.explain()).toBe('succeeded');
      expect(world.deaths).toBeGreaterThanOrEqual(2);
      expect(ran(world)).toEqual([
        'beforeDrain flush demo-general-1',
        'afterDrain empty demo-general-1',
        'afterOperation done',
      ]);
      expect(world.fleet.messages.size).toBe(2);
      expect(world.fleet.violations, world.explain()).toEqual([]);
    },
  );

  it('an upgrade has its own, and a deletion begins and ends with those that are for it', async () => {
    const hooks = list(
      hook('always', 'beforeOperation', webhook),
      hook('upgrading', 'beforeDrain', script, 'operations: [upgrade]'),
      hook('last', 'beforeOperation', job, 'operations: [delete]'),
      hook('gone', 'afterOperation', webhook, 'operations: [delete]'),
    );
    const world = await open();
    await apply(world, 'create', { workers: 1, hooks });
    await replaceWorker(world, 'replace');
    expect(ran(world)).toEqual(['beforeOperation always', 'beforeOperation always']);
    const upgraded = await upgrade(world, answerFile({ masters: 1, workers: 1, hooks, version: '1.20.3' }));
    expect(upgraded.state, world.explain()).toBe('succeeded');
    expect(ran(world)).toEqual([
      'beforeOperation always',
      'beforeDrain upgrading demo-cp-1',
      'beforeDrain upgrading demo-general-2',
    ]);
    const removed = await world.run(world.remove('demo', 'delete'));
    expect(removed.state, world.explain()).toBe('succeeded');
    expect(ran(world)).toEqual(['beforeOperation last', 'afterOperation gone']);
  });

  it('everybody who reads the plan reads what they do, word for word', async () => {
    const world = await open();
    await apply(world, 'create', { workers: 2, hooks: all });
    const text = answerFile({ masters: 1, workers: 1, hooks: all });
    const answer = await world.run(
      world.request((engine) => engine.plan({ text, file: 'cluster.yaml', principal: 'tester' })),
    );
    const [plan] = answer.plans;
    expect(plan?.text).toContain('Run the hook flush as root, before the drain: demo-general-2');
    expect(plan?.text).toContain(
      [
        ' Your hooks, word for word:',
        '   announce (beforeOperation, a signed message, at most 20 s; the operation stops if it fails):',
        '     | POST https://hooks.example/remuda',
        '   flush (beforeDrain, as root on the machine, at most 5 min; the operation stops if it fails):',
        '     | sync; echo flushed',
        '   empty (afterDrain, as a Job in default, at most 5 min; the operation stops if it fails):',
        '     | registry.example/smoke: "/bin/smoke"',
      ].join('\n'),
    );
    expect(plan?.text).not.toContain('(afterBoot');
  });
});
