import type { OperationView } from '../../daemon/operations/answers.ts';
import type { ImportRequest } from '../../daemon/operations/import-records.ts';
import { Refusal } from '../../daemon/operations/requests.ts';
import { answerFile } from './answer-file.ts';
import type { World } from './harness.ts';
import { fakeOpen } from './parts.ts';

/** The answer file of these stories: one worker beside the masters; so many machines of etcd, where it stands apart. */
export const fileOf = (masters: number, etcd = 0): string =>
  answerFile({
    masters,
    workers: 1,
    ...(etcd === 0 ? {} : { etcd: `{ topology: external, replicas: ${etcd} }` }),
  });

/** The one cluster of the fleet. */
export function clusterOf(world: World) {
  const [only] = world.fleet.clusters.values();
  if (only === undefined) throw new Error('there is no cluster');
  return only;
}

/** Adoption by way of the first master, with the key that opens machines of the model. */
export const wish = (world: World, masters: number, more: Partial<ImportRequest> = {}): ImportRequest => ({
  text: fileOf(masters),
  file: 'answers.yaml',
  principal: 'tester',
  master: {
    address: clusterOf(world).machines.get('demo-cp-1')?.address ?? 'nowhere',
    port: 22,
    user: 'root',
  },
  privateKey: 'model ssh private',
  takesOver: false,
  ...more,
});

/** Adoption as the command does it: the plan first, then exactly that. Answers the operation's id. */
export async function beginAdoption(world: World, request: ImportRequest): Promise<string> {
  const plan = await world.request((engine) => engine.importing.plan(request));
  const agreed = { ...request, planHash: plan.hash, confirm: 'demo', idempotencyKey: `adopt ${plan.hash}` };
  const { operation } = await world.request((engine) => engine.importing.start(agreed));
  return operation?.id ?? '';
}

/** Ejection as the command does it: the keys first. Whoever loses them on the way fetches them again. */
export async function beginEjection(
  world: World,
  take: (answerFile: string) => void = () => undefined,
): Promise<string> {
  for (;;) {
    const wanted = { cluster: 'demo', principal: 'tester', recipient: 'age1somebody' };
    const given = await world.request((engine) => engine.ejecting.handOver(wanted));
    take(given.answerFile);
    const { receipt } = JSON.parse(fakeOpen(given.sealed)) as { receipt: string };
    const asked = { cluster: 'demo', principal: 'tester', confirm: 'demo', receipt, idempotencyKey: 'eject' };
    try {
      const { operation } = await world.request((engine) => engine.ejecting.start(asked));
      return operation?.id ?? '';
    } catch (error) {
      if (!(error instanceof Refusal && error.report.code === 'EJECT-002')) throw error;
    }
  }
}

/** What of Remuda is in the cluster. */
export const marksIn = (world: World): string[] =>
  [...clusterOf(world).objects.objects.values()]
    .filter(
      ({ kind, metadata }) =>
        JSON.stringify(metadata.annotations ?? {}).includes('remuda.dev') ||
        (kind === 'ConfigMap' && metadata.name === 'remuda') ||
        metadata.name.startsWith('remuda:'),
    )
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`);

/** How an operation stands when it is over, or when it should be by any measure: nothing may wait for a person. */
export async function endOf(world: World, id: string): Promise<OperationView> {
  for (let waited = 0; ; waited += 10) {
    const view = await world.request((engine) => engine.getOperation(id));
    if (['succeeded', 'failed', 'cancelled'].includes(view.state) || waited > 3600) return view;
    await world.clock.sleep(10_000);
  }
}
