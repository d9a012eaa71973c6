import { describe, it } from 'vitest';
import { answerFile } from './answer-file.ts';
import { endOf, proveEveryBoundary, type Story } from './boundary-matrix.ts';
import type { World } from './harness.ts';

/** Cases a story outside the full ring. */
const slice = 3;

const file = (etcd: number, masters: number): string =>
  answerFile({ masters, workers: 1, etcd: `{ topology: external, replicas: ${etcd} }` });

async function apply(world: World, text: string, key: string): Promise<string> {
  const request = { text, file: 'cluster.yaml', principal: 'tester', confirm: ['demo'], idempotencyKey: key };
  const { operations } = await world.request((engine) => engine.apply(request));
  const [operation] = operations;
  return endOf(operation && (await world.ended(operation.id)));
}

const create: Story = (world) => apply(world, file(3, 3), 'create');

/** 1 → 3 → 5 → 3 members. */
const createAndGrow: Story = async (world) => {
  const ends = [await apply(world, file(1, 1), 'create')];
  world.boundaries.begin();
  for (const [index, count] of [3, 5, 3].entries()) ends.push(await apply(world, file(count, 1), `${index}`));
  return ends.join(', ');
};

/** A machine of etcd loses its power for good, and another one takes its place. */
const createAndReplaceDead: Story = async (world) => {
  const created = await apply(world, file(3, 1), 'create');
  const machine = world.fleet.machines().find(({ name }) => name === 'demo-etcd-1');
  if (machine !== undefined) world.fleet.setPower(machine, 'off');
  await world.clock.sleep(60_000);
  world.boundaries.begin();
  const change = { kind: 'replace', machines: ['demo-etcd-1'], mode: 'destroy' } as const;
  return `${created}, ${endOf(await world.change(change, 'replace'))}`;
};

describe('kill -9 of daemon and agent while etcd stands on machines of its own (H4, H18; complaints 3, 5 and 6)', () => {
  const both = ['daemon', 'agent'] as const;

  it('create 3+3+1: resumes unasked, makes nothing twice', async () => {
    await proveEveryBoundary(create, both, 'open', 'succeeded', false, slice);
  }, 3_600_000);

  it('grow 1 → 3 → 5 → 3: never loses quorum, adds nobody twice', async () => {
    const ending = 'succeeded, succeeded, succeeded, succeeded';
    await proveEveryBoundary(createAndGrow, both, 'story', ending, false, slice);
  }, 3_600_000);

  it('replace a dead machine of etcd: its member leaves once, the new one votes', async () => {
    await proveEveryBoundary(createAndReplaceDead, both, 'story', 'succeeded, succeeded', false, slice);
  }, 3_600_000);
});
