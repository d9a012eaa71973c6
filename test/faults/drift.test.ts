import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DriftAnswer } from '../../daemon/operations/drift.ts';
import type { ModelMachine } from '../fleet/model/machine.ts';
import { answerFile } from './answer-file.ts';
import { World } from './harness.ts';

const minute = 60_000;
let world: World;

beforeEach(async () => {
  world = new World();
  await world.open();
  await world.run(world.apply(answerFile(), 'create'));
});

afterEach(() => {
  const { violations } = world.fleet;
  world.close();
  expect(violations).toEqual([]);
});

const look = (): Promise<DriftAnswer> => world.run(world.request((engine) => engine.drift.look('demo')));
const short = ({ items }: DriftAnswer): string[] => items.map(({ step, state }) => `${step} ${state}`);
const itemOf = ({ items }: DriftAnswer, step: string) => items.find((item) => item.step === step);
const footprint = (): readonly number[] => [world.fleet.effects.length, world.fleet.mutatingCalls];
const cluster = () => [...world.fleet.clusters.values()][0];

function machine(name: string): ModelMachine {
  const found = world.fleet.machines().find((one) => one.name === name);
  if (found === undefined) throw new Error(`no machine ${name}`);
  return found;
}

/** Somebody with a shell and a heavy hand. */
function changeFile(name: string, path: string): void {
  const { files } = machine(name);
  const file = files.get(path);
  if (file === undefined) throw new Error(`${name} has ${[...files.keys()].join(' ')}`);
  files.set(path, { ...file, content: `${file.content}\n# changed by hand` });
}

const audit = '/etc/kubernetes/audit-policy.yaml';

describe('drift (DESIGN §1.3, issue 4)', () => {
  it('finds nothing on a cluster that was just made, has looked at every machine, and changes nothing', async () => {
    const before = footprint();
    const found = await look();
    expect(short(found)).toEqual([]);
    expect(found.unmet).toEqual([]);
    expect(found.checked).toBeGreaterThan(40);
    expect(footprint()).toEqual(before);
  });

  it('names file, machine, the first time it was seen and what apply does; apply mends exactly that', async () => {
    const path = [...machine('demo-cp-2').files.keys()].find((one) => one.includes('audit')) ?? audit;
    changeFile('demo-cp-2', path);
    const before = footprint();
    const first = await look();
    expect(footprint()).toEqual(before);
    expect(short(first)).toEqual(['api-server.configure/demo-cp-2 different']);
    const item = first.items[0];
    expect(item?.differences.join()).toContain(`${path} on demo-cp-2`);
    expect(item?.remedy).toMatchObject({ by: 'apply' });
    await world.run(world.clock.sleep(10 * minute));
    const second = await look();
    expect(itemOf(second, item?.step ?? '')?.since).toBe(item?.since);
    expect(Date.parse(second.at)).toBeGreaterThan(Date.parse(item?.since ?? ''));

    const operation = await world.run(world.apply(answerFile(), 'mend'));
    expect(operation?.state).toBe('succeeded');
    const detail = await world.run(world.request((engine) => engine.getOperation(operation?.id ?? '')));
    const changed = detail.stepList.filter((step) => step.changed === true).map(({ id }) => id);
    expect(changed).toEqual(['api-server.configure/demo-cp-2']);
    expect(detail.plan.changes).toEqual([
      expect.objectContaining({
        subject: 'demo-cp-2',
        detail: expect.stringContaining('put back') as string,
      }),
    ]);
    expect(short(await look())).toEqual([]);
    expect(await world.run(world.apply(answerFile(), 'again'))).toBeUndefined();
  });

  it('mends several machines one after another, and none that leaves anyway', async () => {
    const path = [...machine('demo-cp-2').files.keys()].find((one) => one.includes('audit')) ?? '';
    for (const name of ['demo-cp-1', 'demo-cp-2', 'demo-cp-3']) changeFile(name, path);
    expect(short(await look())).toHaveLength(3);
    const asked = {
      cluster: 'demo',
      principal: 'tester',
      change: { kind: 'replace', machines: ['demo-cp-3'], mode: 'destroy' },
    } as const;
    const replacing = await world.run(world.request((engine) => engine.machines.plan(asked)));
    const mended = (replacing.plans[0]?.plan.steps ?? []).filter(
      ({ id }) => id === 'api-server.configure/demo-cp-1' || id === 'api-server.configure/demo-cp-2',
    );
    expect(mended.map(({ after }) => after)).toEqual([[], ['api-server.configure/demo-cp-1']]);
    expect(replacing.plans[0]?.plan.steps.map(({ id }) => id)).not.toContain(
      'api-server.configure/demo-cp-3',
    );
    expect((await world.run(world.apply(answerFile(), 'mend')))?.state).toBe('succeeded');
    expect(short(await look())).toEqual([]);
  });

  it('sees an object of an add-on that was taken away, and apply brings it back', async () => {
    const objects = cluster()?.objects;
    const service = { apiVersion: 'v1', kind: 'Service', namespace: 'kube-system', name: 'kube-dns' };
    expect(objects?.get(service)).toBeDefined();
    objects?.remove(service);
    const found = await look();
    expect(found.items.map(({ differences }) => differences.join())).toEqual([
      'Service kube-system/kube-dns is gone',
    ]);
    expect((await world.run(world.apply(answerFile(), 'mend')))?.state).toBe('succeeded');
    expect(short(await look())).toEqual([]);
  });

  it('keeps unknown what does not answer: neither as asked nor different', async () => {
    const { elapsed } = world.fleet;
    world.fleet.addFault({ kind: 'line-cut', machine: 'demo-general-1', from: elapsed, to: 1e9 });
    const found = await look();
    const about = found.items.filter(({ subject }) => subject === 'demo-general-1');
    expect(about.length).toBeGreaterThan(3);
    expect(new Set(about.map(({ state }) => state))).toEqual(new Set(['unknown']));
    expect(found.items.filter(({ subject }) => subject !== 'demo-general-1')).toEqual([]);
    // Nothing is planned on unknown.
    expect(await world.run(world.apply(answerFile(), 'nothing'))).toBeUndefined();
  });

  it('sends a machine whose own parts are gone to be replaced, and plans nothing on it by itself', async () => {
    const { files } = machine('demo-general-2');
    files.delete('/etc/kubernetes/kubelet.conf');
    const found = await look();
    const join = itemOf(found, 'worker.join/demo-general-2');
    expect(join?.state).toBe('different');
    expect(join?.remedy).toEqual({
      by: 'replace',
      what: expect.stringContaining('remuda machine replace demo demo-general-2') as string,
    });
    expect(await world.run(world.apply(answerFile(), 'nothing'))).toBeUndefined();
  });
});
