import { expect } from 'vitest';
import type { BackupManifest } from '../../provisioners/contract/backup.ts';
import type { Intent } from '../../provisioners/contract/intent.ts';
import type { OperationView } from '../../daemon/operations/answers.ts';
import { callFleet } from '../fleet/model/calls.ts';
import type { ModelCluster } from '../fleet/model/cluster.ts';
import type { ModelMachine } from '../fleet/model/machine.ts';
import { answerFile } from './answer-file.ts';
import { World, type WorldOptions } from './harness.ts';

/** What a restore is asked by, once the daemon has looked everything up. */
export type RestoreIntent = Extract<Intent, { kind: 'restore' }>;

const destination = { type: 'stateDisk' } as const;
const by = { operation: 'test', step: 'etcd.snapshot', attempt: 1, epoch: 1 };

/** How many masters a cluster has, and how many machines of etcd alone where that stands apart. */
export type Size = number | { readonly masters: number; readonly etcd: number };

/** The answer file of a cluster of that size, with two workers. */
function fileOf(size: Size, version?: string): string {
  const given = { workers: 2, ...(version === undefined ? {} : { version }) };
  if (typeof size === 'number') return answerFile({ ...given, masters: size });
  const { masters, etcd } = size;
  return answerFile({ ...given, masters, etcd: `{ topology: external, replicas: ${etcd} }` });
}

/** A world with a finished cluster of that size. */
export async function openWith(size: Size, options: WorldOptions = {}): Promise<World> {
  const world = new World(options);
  await world.open();
  const made = await world.run(world.apply(fileOf(size), 'create'));
  expect(made?.state, world.explain()).toBe('succeeded');
  return world;
}

/** The only cluster of a world. */
export function clusterOf(world: Pick<World, 'fleet'>): ModelCluster {
  const [cluster] = world.fleet.clusters.values();
  if (cluster === undefined) throw new Error('there is no cluster');
  return cluster;
}

/** One of its machines. */
export function machineOf(world: World, name: string): ModelMachine {
  const machine = clusterOf(world).machines.get(name);
  if (machine === undefined) throw new Error(`there is no machine ${name}`);
  return machine;
}

/** Somebody writes an object, as with kubectl. */
export function write(world: World, name: string): void {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data: {} };
  clusterOf(world).objects.apply(object, world.fleet.now, 'kubectl');
}

/** What somebody wrote and that is there now. */
export const written = (world: World): string[] =>
  clusterOf(world)
    .objects.list('v1', 'ConfigMap')
    .filter(({ metadata }) => metadata.namespace === 'default')
    .map(({ metadata }) => metadata.name)
    .sort();

/** Voters that run. */
export const votersOf = (world: World): string[] =>
  clusterOf(world)
    .etcd.voters.filter(({ running }) => running)
    .map(({ machine }) => machine)
    .sort();

/** A backup as the step etcd.snapshot leaves it, without an operation of its own. */
export function backUp(world: World): BackupManifest {
  const { identity, machines } = clusterOf(world);
  const of = (asked: string) =>
    [...machines.values()]
      .filter(({ role }) => role === asked)
      .map(({ name, address, shownHostKey }) => ({
        name,
        address,
        port: 22,
        user: 'root',
        hostKeys: [shownHostKey],
      }));
  const etcd = of('etcd');
  const access = { masters: of('control-plane'), apiPort: 6444, ...(etcd.length === 0 ? {} : { etcd }) };
  const taken = callFleet(world.fleet, 'etcd.snapshot', { access }, by) as {
    content: string;
  };
  const at = { cluster: identity, destination };
  const request = {
    key: `test/${world.fleet.now}`,
    at: new Date(world.fleet.now).toISOString(),
    kubernetesVersion: 'v1.20.2',
    recipients: [],
  };
  return callFleet(
    world.fleet,
    'backup.put',
    { at, request, taken, content: taken.content },
    by,
  ) as BackupManifest;
}

let keys = 0;

/** Back to a backup. */
export function fromBackup(manifest: BackupManifest, lost: readonly string[] = []): RestoreIntent {
  const { id, at, kubernetesVersion, revision, snapshot, file } = manifest;
  const source = {
    from: 'backup' as const,
    destination,
    id,
    at,
    kubernetesVersion,
    revision,
    bytes: snapshot.bytes,
    snapshotSha256: snapshot.sha256,
    fileSha256: file.sha256,
    isKnown: true,
  };
  return { kind: 'restore', key: `00000000${(keys += 1)}`, source, lost: [...lost] };
}

/** On with the data of who is left. */
export const fromSurvivor = (machine: string, lost: readonly string[]): RestoreIntent => ({
  kind: 'restore',
  key: `00000000${(keys += 1)}`,
  source: { from: 'survivor', machine },
  lost: [...lost],
});

/** Begins a restore. */
export async function begin(world: World, intent: RestoreIntent): Promise<OperationView> {
  const asked = { cluster: 'demo', principal: 'tester', intent, confirm: 'demo', idempotencyKey: intent.key };
  const { operation } = await world.run(world.request((engine) => engine.dayTwo.start(asked)));
  if (operation === undefined) throw new Error('nothing was begun');
  return operation;
}

/** Restores, and expects that nothing was violated and that nothing is left to do. */
export async function restore(
  world: World,
  intent: RestoreIntent,
  size: Size,
  version?: string,
): Promise<OperationView> {
  const operation = await begin(world, intent);
  const view = await world.run(world.ended(operation.id));
  expect(view.state, `${view.problem?.summary}\n${world.explain()}`).toBe('succeeded');
  expect(world.fleet.violations, world.explain()).toEqual([]);
  await expectSettled(world, size, version);
  return view;
}

/** Nothing is left to do, and looking changes nothing. */
export async function expectSettled(world: World, size: Size, version = '1.20.2'): Promise<void> {
  const before = world.fleet.mutatingCalls;
  const text = fileOf(size, version);
  expect(await world.run(world.apply(text, `again-${before}`)), world.explain()).toBeUndefined();
  expect(world.fleet.mutatingCalls).toBe(before);
}

/** The plug is pulled for ever. */
export async function lose(world: World, ...names: readonly string[]): Promise<void> {
  for (const name of names) world.fleet.setPower(machineOf(world, name), 'off');
  await world.run(world.clock.sleep(120_000));
}
