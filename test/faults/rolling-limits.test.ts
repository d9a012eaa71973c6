import { afterEach, describe, expect, it } from 'vitest';
import type { OperationView } from '../../daemon/operations/answers.ts';
import { answerFile } from './answer-file.ts';
import { World } from './harness.ts';

/** All of proof 4 in the full ring; a slice in every run. */
const workers = process.env['REMUDA_RING'] === 'full' ? 997 : 27;
const masters = 3;
const maxSurge = 5;
const maxUnavailable = 2;

const worlds: World[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

const file = (version: string, count = workers): string =>
  `${answerFile({ masters, workers: count, version })}  upgrade: { maxSurge: ${maxSurge}, maxUnavailable: ${maxUnavailable} }\n`;

async function apply(world: World, text: string): Promise<OperationView> {
  const asked = { text, file: 'cluster.yaml', principal: 'tester', confirm: ['demo'] };
  const answer = await world.run(world.request((engine) => engine.apply(asked)));
  const [operation] = answer.operations;
  if (operation === undefined) throw new Error('nothing was begun');
  return world.run(world.ended(operation.id));
}

async function madeOf(count: number): Promise<World> {
  const world = new World();
  worlds.push(world);
  await world.open();
  expect((await apply(world, file('1.20.2', count))).state, world.explain()).toBe('succeeded');
  return world;
}

/** What the event log says at every instant of an operation, and what it must never say. */
class RollingLimits {
  readonly broken: string[] = [];
  readonly #there: Record<Role, number> = { master: masters, worker: workers };
  readonly #serving: Record<Role, number> = { master: masters, worker: workers };
  readonly #leaving = new Set<string>();
  events = 0;

  hear(type: string, step: string): void {
    this.events += 1;
    const [kind = '', name = ''] = step.split('/');
    const role: Role = name.includes('-cp-') ? 'master' : 'worker';
    // A machine is there from the moment somebody is asked to make it, and until it is destroyed or sealed off.
    if (kind === 'machine.create' && type === 'step.started') this.#there[role] += 1;
    if (kind === 'machine.destroy' && type === 'step.ended') this.#there[role] -= 1;
    if (kind === 'machine.stop' && type === 'step.ended') this.#there[role] -= 1;
    // It serves when its Node is labelled, last of all, and until it is closed.
    if (kind === 'node.label' && type === 'step.ended') this.#serving[role] += 1;
    if (kind === 'node.cordon' && type === 'step.started') {
      this.#serving[role] -= 1;
      this.#leaving.add(name);
    }
    if (kind === 'node.remove' && type === 'step.ended') this.#leaving.delete(name);
    this.#judge(`${type} ${step}`);
  }

  #judge(when: string): void {
    const workersLeaving = [...this.#leaving].filter((name) => !name.includes('-cp-'));
    const said = [
      this.#there.master > masters + 1 && `${this.#there.master} masters are there`,
      this.#there.worker > workers + maxSurge && `${this.#there.worker} workers are there`,
      this.#serving.master < masters && `${this.#serving.master} masters serve`,
      this.#serving.worker < workers - maxUnavailable && `${this.#serving.worker} workers serve`,
      workersLeaving.length > maxSurge + maxUnavailable && `${workersLeaving.length} workers leave at once`,
    ].filter((text) => text !== false);
    this.broken.push(...said.map((text) => `${when}: ${text}`));
  }
}

type Role = 'master' | 'worker';

describe('limits of a rolling upgrade, on the event log (C3, K3, proof 4)', () => {
  it(`of ${masters + workers} machines: never more there and never fewer serving than may be, at any instant`, async () => {
    const world = await madeOf(workers);
    const limits = new RollingLimits();
    const stop = await world.run(
      world.request((engine) =>
        engine.subscribe((item) => {
          if (item.type === 'event') limits.hear(item.event.type, item.event.step ?? '');
        }),
      ),
    );
    const ended = await apply(world, file('1.20.3'));
    stop();
    expect(ended.state, ended.problem?.summary).toBe('succeeded');
    expect(limits.broken.slice(0, 20)).toEqual([]);
    expect(limits.events).toBeGreaterThan(workers * 10);
    expect(world.fleet.violations).toEqual([]);
  }, 3_600_000);

  it(`one machine more costs the same at ${masters + workers} as at 5 (complaint 18)`, async () => {
    const costs: number[] = [];
    for (const count of [2, workers]) {
      const world = await madeOf(count);
      const before = world.boundaries.crossings.length;
      world.boundaries.begin();
      expect((await apply(world, file('1.20.2', count + 1))).state).toBe('succeeded');
      const made = world.boundaries.crossings.slice(before);
      costs.push(made.filter(({ kind }) => kind === 'effect').length);
    }
    expect(costs[1]).toBe(costs[0]);
  }, 3_600_000);
});
