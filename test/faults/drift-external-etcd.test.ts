import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DriftAnswer } from '../../daemon/operations/drift.ts';
import { paths } from '../fleet/model/cluster.ts';
import { answerFile } from './answer-file.ts';
import { World } from './harness.ts';

const file = answerFile({ masters: 3, workers: 1, etcd: '{ topology: external, replicas: 3 }' });
let world: World;

beforeEach(async () => {
  world = new World();
  await world.open();
  expect((await world.run(world.apply(file, 'create')))?.state, world.explain()).toBe('succeeded');
});

afterEach(() => {
  const { violations } = world.fleet;
  world.close();
  expect(violations).toEqual([]);
});

const look = (): Promise<DriftAnswer> => world.run(world.request((engine) => engine.drift.look('demo')));
const short = ({ items }: DriftAnswer): string[] => items.map(({ step, state }) => `${step} ${state}`);

/** Somebody leaves a member of etcd out of what an API server is given. */
function forgetMember(name: string): void {
  const files = world.fleet.machines().find((one) => one.name === name)?.files;
  const manifest = files?.get(paths.apiManifest);
  if (files === undefined || manifest === undefined) throw new Error(`${name} has no API server`);
  const content = manifest.content.replace(/(etcd-servers=[^,\s]+),[^\s"']+/u, '$1');
  expect(content).not.toBe(manifest.content);
  files.set(paths.apiManifest, { ...manifest, content });
}

describe('drift where etcd stands apart (H4, issue 4)', () => {
  it('finds nothing on a cluster that was just made', async () => {
    expect(short(await look())).toEqual([]);
  });

  it('sees an API server that is given other members of etcd; apply tells it anew, and touches nothing else', async () => {
    forgetMember('demo-cp-2');
    const found = await look();
    expect(short(found)).toEqual(['etcd-endpoints.publish/all members different']);
    expect(found.items[0]?.differences.join()).toContain('demo-cp-2');
    expect(found.items[0]?.remedy).toMatchObject({ by: 'apply' });
    const operation = await world.run(world.apply(file, 'mend'));
    expect(operation?.state, world.explain()).toBe('succeeded');
    const detail = await world.run(world.request((engine) => engine.getOperation(operation?.id ?? '')));
    expect(detail.stepList.filter((step) => step.changed === true).map(({ id }) => id)).toEqual([
      'etcd-endpoints.publish/all members',
    ]);
    expect(short(await look())).toEqual([]);
  });
});
