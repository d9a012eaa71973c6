import { expect } from 'vitest';
import type { OperationView } from '../../daemon/operations/answers.ts';
import { Refusal } from '../../daemon/operations/requests.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import { type RotationStage, rotationStages } from '../../provisioners/contract/secrets.ts';
import { kubeletClientPath, leafText } from '../fleet/model/certificates.ts';
import { textMap } from '../fleet/model/kubernetes.ts';
import { blocksIn, idOf, idsInKubeconfig, signerIn, signingId } from '../fleet/model/trust.ts';
import { World, type WorldOptions } from './harness.ts';
import { clusterOf } from './restore-story.ts';

/** Gives every kubelet that has none the certificate that it was given when it joined: a master signs it, not its machine. */
export function certifyKubelets(world: Pick<World, 'fleet'>): void {
  const machines = [...clusterOf(world).machines.values()];
  const master = machines.find(
    ({ role, files }) => role === 'control-plane' && files.has('/etc/kubernetes/pki/ca.key'),
  );
  if (master === undefined) throw new Error('there is no master');
  const signer = signingId(master, 'kubelet/client');
  for (const machine of machines)
    if (!machine.files.has(kubeletClientPath))
      machine.files.set(kubeletClientPath, {
        content: leafText('kubelet/client', machine, world.fleet.now, signer),
        mode: 0o600,
      });
}

/** A world with a finished cluster whose kubelets have certificates; `file`: its answer file. */
export async function openRotated(file: string, options: WorldOptions = {}): Promise<World> {
  const world = new World(options);
  await world.open();
  const made = await world.run(world.apply(file, 'create'));
  expect(made?.state, world.explain()).toBe('succeeded');
  certifyKubelets(world);
  return world;
}

/** Requests of one test never repeat each other. */
let requests = 0;

/** Begins a stage. */
export async function begin(world: World, name: RotationStage, more: object = {}): Promise<string> {
  const idempotencyKey = `${name} ${(requests += 1)}`;
  const request = { cluster: 'demo', principal: 'tester', stage: name, idempotencyKey, ...more };
  const { operation } = await world.request((engine) => engine.rotating.start(request));
  if (operation === undefined) throw new Error(`nothing was to ${name}`);
  return operation.id;
}

/** The problem with which a stage is refused; nothing was begun. */
export const refused = (world: World, name: RotationStage): Promise<ProblemReport | undefined> =>
  world.run(
    world.request(async (engine) => {
      const before = engine.listOperations().length;
      const problem = await engine.rotating.start({ cluster: 'demo', principal: 'tester', stage: name }).then(
        () => undefined,
        (error: unknown) => (error instanceof Refusal ? error.problems[0] : undefined),
      );
      expect(engine.listOperations()).toHaveLength(before);
      return problem;
    }),
  );

/** Runs a stage to its end, which must be good. */
export async function stage(world: World, name: RotationStage, more: object = {}): Promise<OperationView> {
  const ended = await world.run((async () => world.ended(await begin(world, name, more)))());
  expect(ended.state, `${name}: ${ended.problem?.summary}\n${world.explain()}`).toBe('succeeded');
  return ended;
}

/** Runs every stage up to this one. */
export async function stagesUpTo(world: World, last: RotationStage): Promise<void> {
  for (const name of rotationStages.slice(0, rotationStages.indexOf(last) + 1)) await stage(world, name);
}

/** Runs every stage after this one. */
export async function stagesAfter(world: World, last: RotationStage): Promise<void> {
  for (const name of rotationStages.slice(rotationStages.indexOf(last) + 1)) await stage(world, name);
}

/** Who is believed by the files of the machines, and who signed what they use. */
export function seen(world: World) {
  const machines = [...clusterOf(world).machines.values()];
  const believed = machines.map(({ files }) =>
    blocksIn(files.get('/etc/kubernetes/pki/ca.crt')?.content ?? '').map(idOf),
  );
  const leaves = machines.flatMap((machine) =>
    [...machine.files.values()].flatMap(({ content }) => signerIn(content) ?? []),
  );
  return { believed, leaves: [...new Set(leaves)] };
}

/** Whom machines that join are told to believe. */
export function toldToJoiners(world: World): readonly string[] {
  const of = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-public', name: 'cluster-info' };
  return idsInKubeconfig(textMap(clusterOf(world).objects.get(of), 'data')['kubeconfig'] ?? '') ?? [];
}

/** The rotation is over: all believe one authority and use what it signed, none is of before, and nothing is left to do. */
export async function expectOver(world: World, before: ReturnType<typeof seen>, file: string): Promise<void> {
  const { believed, leaves } = seen(world);
  expect(new Set(believed.map((ids) => ids.length)), world.explain()).toEqual(new Set([1]));
  const [only, ...others] = new Set(believed.flat());
  expect(others).toEqual([]);
  expect(before.believed.flat()).not.toContain(only);
  expect(leaves.filter((id) => before.leaves.includes(id))).toEqual([]);
  expect(leaves).toHaveLength(3);
  expect(toldToJoiners(world)).toEqual([only]);
  for (const { files } of clusterOf(world).machines.values())
    expect(files.has('/etc/kubernetes/bootstrap-kubelet.conf'), world.explain()).toBe(false);
  expect(world.fleet.violations, world.explain()).toEqual([]);
  await expectNothingToDo(world, file);
}

/** Another apply of the file finds nothing to do, and changes nothing by looking (complaint 2). */
export async function expectNothingToDo(world: World, file: string): Promise<void> {
  const calls = world.fleet.mutatingCalls;
  expect(await world.run(world.apply(file, `again ${(requests += 1)}`)), world.explain()).toBeUndefined();
  expect(world.fleet.mutatingCalls).toBe(calls);
}
