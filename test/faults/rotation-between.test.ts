import { afterEach, describe, expect, it } from 'vitest';
import type { OperationView } from '../../daemon/operations/answers.ts';
import type { MachineChange } from '../../daemon/planning/machine-change.ts';
import { nextStage } from '../../daemon/planning/rotation.ts';
import type { Intent } from '../../provisioners/contract/intent.ts';
import { rotationStages } from '../../provisioners/contract/secrets.ts';
import { answerFile } from './answer-file.ts';
import type { World } from './harness.ts';
import { clusterOf, machineOf } from './restore-story.ts';
import {
  certifyKubelets,
  expectNothingToDo,
  expectOver,
  openRotated,
  refused,
  seen,
  stage,
  stagesAfter,
  stagesUpTo,
} from './rotation-story.ts';

const minute = 60_000;
const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

/** Where a cluster may stand for days: each but the last has one that comes next. */
const between = ['trust', 'reissue'] as const;
type Between = (typeof between)[number];

const size = { masters: 3, workers: 2 };
const file = answerFile(size);

async function openAt(reached: Between): Promise<{ world: World; before: ReturnType<typeof seen> }> {
  const world = await openRotated(file);
  worlds.push(world);
  const before = seen(world);
  await stagesUpTo(world, reached);
  return { world, before };
}

function good(view: OperationView | undefined, world: World): void {
  expect(view?.state, `${view?.problem?.summary}\n${world.explain()}`).toBe('succeeded');
}

async function intended(world: World, intent: Intent): Promise<void> {
  const asked = { cluster: 'demo', principal: 'tester', confirm: 'demo', intent };
  const { operation } = await world.run(world.request((engine) => engine.dayTwo.start(asked)));
  good(await world.run(world.ended(operation?.id ?? '')), world);
}

const changed = async (world: World, change: MachineChange): Promise<void> =>
  good(await world.run(world.change(change, JSON.stringify(change))), world);

/** Applies a file that exchanges what is there; the name was given. */
async function applied(world: World, text: string): Promise<void> {
  const asked = { text, file: 'cluster.yaml', principal: 'tester', confirm: ['demo'], idempotencyKey: text };
  const { operations } = await world.run(world.request((engine) => engine.apply(asked)));
  good(await world.run(world.ended(operations[0]?.id ?? '')), world);
}

/** What people do between two stages; answers the file that is in force then. */
const acts: Readonly<Record<string, (world: World, reached: Between) => Promise<string>>> = {
  async 'nothing at all, but to apply the same file'(world) {
    await expectNothingToDo(world, file);
    return file;
  },
  async 'certificates are renewed'(world) {
    await world.run(world.clock.sleep(minute));
    const since = new Date(world.fleet.now).toISOString();
    const { leaves } = seen(world);
    await intended(world, { kind: 'renew', since });
    expect(seen(world).leaves.toSorted()).toEqual(leaves.toSorted());
    return file;
  },
  async 'an upgrade by replacement, finalized: before that no stage is begun'(world, reached) {
    await changed(world, { kind: 'upgrade', version: '1.20.3' });
    certifyKubelets(world);
    expect((await refused(world, nextStage(reached)))?.code).toBe('PLAN-082');
    await intended(world, { kind: 'finalize' });
    return answerFile({ ...size, version: '1.20.3' });
  },
  async 'an upgrade by replacement, and back on the kept masters'(world) {
    await changed(world, { kind: 'upgrade', version: '1.20.3' });
    certifyKubelets(world);
    await changed(world, { kind: 'back' });
    return file;
  },
  async 'an upgrade in place'(world) {
    const text = answerFile({ ...size, version: '1.20.3', upgrade: '{ strategy: InPlace }' });
    await applied(world, text);
    return text;
  },
  async 'a dead master is replaced'(world) {
    world.fleet.setPower(machineOf(world, 'demo-cp-2'), 'off');
    await world.run(world.clock.sleep(2 * minute));
    await changed(world, { kind: 'replace', machines: ['demo-cp-2'], mode: 'destroy' });
    return file;
  },
  async 'the cluster grows by a worker and shrinks by two masters'(world) {
    await changed(world, { kind: 'add', group: 'general', count: 1 });
    certifyKubelets(world);
    await changed(world, { kind: 'remove', machines: ['demo-cp-1', 'demo-cp-2'], mode: 'destroy' });
    return answerFile({ masters: 1, workers: 3 });
  },
};

describe.each(between)('between %s and the next stage (H12, V8)', (reached) => {
  it.each(Object.keys(acts))('%s', async (name) => {
    const { world, before } = await openAt(reached);
    const inForce = (await acts[name]?.(world, reached)) ?? file;
    certifyKubelets(world);
    await stagesAfter(world, reached);
    await expectOver(world, before, inForce);
  });

  it('the cluster is deleted, and nothing of it is left', async () => {
    const { world } = await openAt(reached);
    good(await world.run(world.remove('demo', 'delete')), world);
    expect(world.fleet.machines()).toEqual([]);
    expect(world.fleet.violations, world.explain()).toEqual([]);
  });

  it('a deep look finds nothing that differs, and mends what somebody breaks', async () => {
    const { world, before } = await openAt(reached);
    const look = () => world.run(world.request((engine) => engine.drift.look('demo')));
    // Pods that were exchanged start; in the model, when somebody looks.
    await look();
    await world.run(world.clock.sleep(minute));
    expect((await look()).items).toEqual([]);
    const { files } = machineOf(world, 'demo-cp-2');
    const path = '/etc/kubernetes/pki/ca.crt';
    const whole = files.get(path);
    const [first = ''] = whole?.content.split(/(?<=-----END CERTIFICATE-----\n)/) ?? [];
    // As whoever knows of one authority alone would lay it back.
    files.set(path, { content: first, mode: 0o644 });
    expect((await look()).items.map(({ step, remedy }) => `${step}: ${remedy?.by}`)).toEqual([
      'pki.install/demo-cp-2: apply',
      'authorities.follow/demo-cp-2: apply',
    ]);
    await applied(world, file);
    expect(files.get(path)?.content).toBe(whole?.content);
    expect((await look()).items).toEqual([]);
    await stagesAfter(world, reached);
    await expectOver(world, before, file);
  });
});

describe('a machine that is away while a stage runs (H12, complaint 2)', () => {
  it.each(
    rotationStages.flatMap((name) => ['demo-general-1', 'demo-cp-3'].map((machine) => ({ name, machine }))),
  )('$name waits for $machine, and goes on when it is back', async ({ name, machine }) => {
    const world = await openRotated(file);
    worlds.push(world);
    const before = seen(world);
    for (const earlier of rotationStages.slice(0, rotationStages.indexOf(name))) await stage(world, earlier);
    const asked = { cluster: 'demo', principal: 'tester', stage: name, idempotencyKey: 'away' };
    const { operation } = await world.run(world.request((engine) => engine.rotating.start(asked)));
    const id = operation?.id ?? '';
    world.fleet.setPower(machineOf(world, machine), 'off');
    await world.run(world.clock.sleep(20 * minute));
    const state = () => world.run(world.request((engine) => engine.getOperation(id)));
    const waiting = await state();
    expect(['running', 'failed'], waiting.state).toContain(waiting.state);
    expect(JSON.stringify(waiting)).toContain(machine);
    world.fleet.setPower(machineOf(world, machine), 'on');
    await world.run(world.clock.sleep(5 * minute));
    if ((await state()).state === 'failed')
      await world.run(world.request((engine) => engine.resumeOperation(id, 'tester')));
    good(await world.run(world.ended(id)), world);
    await stagesAfter(world, name);
    await expectOver(world, before, file);
  });

  it('a worker that was kept when it left comes back when all is over, and does no harm', async () => {
    const world = await openRotated(file);
    worlds.push(world);
    await changed(world, { kind: 'remove', machines: ['demo-general-2'], mode: 'keep' });
    const left = machineOf(world, 'demo-general-2');
    world.fleet.setPower(left, 'off');
    await stagesUpTo(world, 'drop');
    world.fleet.setPower(left, 'on');
    await world.run(world.clock.sleep(10 * minute));
    const nodes = clusterOf(world).objects.list('v1', 'Node');
    expect(nodes.map(({ metadata }) => metadata.name)).not.toContain('demo-general-2');
    const smaller = answerFile({ masters: 3, workers: 1 });
    await expectNothingToDo(world, smaller);
    // Its name is its own as long as it is there: whoever comes gets another.
    good(await world.run(world.apply(file, 'grow')), world);
    expect(machineOf(world, 'demo-general-3').files.get('/etc/kubernetes/pki/ca.crt')?.content).toBe(
      machineOf(world, 'demo-general-1').files.get('/etc/kubernetes/pki/ca.crt')?.content,
    );
  });
});
