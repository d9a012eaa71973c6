import { z } from 'zod';
import { restoreKeySchema } from '../../contract/etcd-data.ts';
import type { KubernetesObject } from '../../contract/ports/kubernetes.ts';
import type { LedgerEntry } from '../../contract/provider.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { accessSchema } from '../cluster-settings.ts';
import { etcdMark, readNote, unservedNote } from '../etcd-endpoints.ts';
import { quick } from '../limits.ts';
import { readMarks, restoredMark, setMark, verifiedMark } from '../marks.ts';

const inputSchema = z.strictObject({ access: accessSchema, restore: restoreKeySchema });
type Input = z.infer<typeof inputSchema>;

/** What the restored cluster and the world around it do not agree on; all by name. */
type ReconciliationFacts = {
  /** Nodes in the restored data for which there is no machine. */
  readonly nodesWithoutMachine: readonly string[];
  /** Machines that run and that the restored data does not know. */
  readonly machinesWithoutNode: readonly string[];
  /** Volumes at the provider that no PersistentVolume names. */
  readonly unknownVolumes: readonly string[];
  /** Load balancers at the provider that no Service names. */
  readonly unknownLoadBalancers: readonly string[];
};

const titles: Readonly<Record<keyof ReconciliationFacts, string>> = {
  nodesWithoutMachine: 'Nodes that the restored data knows, and for which there is no machine',
  machinesWithoutNode: 'machines that run, and that the restored data does not know',
  unknownVolumes: 'volumes that nothing in the restored data names',
  unknownLoadBalancers: 'load balancers that nothing in the restored data names',
};

/** Entries of such types that none of the objects names, by id or by name. */
function unnamed(
  ledger: readonly LedgerEntry[],
  types: RegExp,
  objects: readonly KubernetesObject[],
): string[] {
  const text = JSON.stringify(objects);
  return ledger
    .filter(
      ({ type, id, name }) => types.test(type) && !text.includes(`"${id}"`) && !text.includes(`"${name}"`),
    )
    .map(({ id, name }) => (name === '' ? id : name))
    .toSorted();
}

async function compare(context: StepContext, { access }: Input): Promise<ReconciliationFacts> {
  const list = (kind: string): Promise<KubernetesObject[]> =>
    context.kubernetes.list(access, { apiVersion: 'v1', kind });
  const [nodes, volumes, services, machines, ledger] = await Promise.all([
    list('Node'),
    list('PersistentVolume'),
    list('Service'),
    context.provider.machines.list(context.cluster),
    context.provider.ledger(context.cluster),
  ]);
  const nodeNames = new Set(nodes.map(({ metadata }) => metadata.name));
  const machineNames = new Set(machines.map(({ name }) => name));
  return {
    nodesWithoutMachine: [...nodeNames].filter((name) => !machineNames.has(name)).toSorted(),
    machinesWithoutNode: machines
      // Machines of etcd are no Nodes, whatever the data says.
      .filter(({ name, role, state }) => role !== 'etcd' && state === 'running' && !nodeNames.has(name))
      .map(({ name }) => name)
      .toSorted(),
    unknownVolumes: unnamed(ledger, /volume|disk/i, volumes),
    unknownLoadBalancers: unnamed(ledger, /balancer/i, services),
  };
}

/**
 * Compares the restored cluster with the world around it, which did not go back: what one knows and the other does not
 * is listed, and nothing of it is removed. Then the cluster bears the mark of the restore, and is to be proven anew.
 */
export const clusterReconcile = defineStep<Input, ReconciliationFacts>({
  kind: 'cluster.reconcile',
  version: 1,
  nature: 'act',
  phase: 'verification',
  destructive: false,
  title: () => 'Compare the restored cluster with what is there, and list what it does not know',
  schema: inputSchema,
  limits: quick,
  async observe(context, input) {
    const marks = await readMarks(context, input.access);
    if (marks[restoredMark] === input.restore) return { state: 'done', facts: await compare(context, input) };
    return { state: 'todo', why: 'the restored data was not compared with what is there' };
  },
  async apply(context, input) {
    const found = await compare(context, input);
    for (const [key, names] of Object.entries(found))
      if (names.length > 0) context.log(`${titles[key as keyof ReconciliationFacts]}: ${names.join(', ')}`);
    await setMark(context, input.access, verifiedMark, 'restored since');
    // The data says whom API servers asked then; now they ask the one member that there is.
    const note = readNote(await readMarks(context, input.access));
    if (note !== undefined) await setMark(context, input.access, etcdMark, unservedNote(note));
    // Last of all: who sees it knows that the restore itself is over.
    await setMark(context, input.access, restoredMark, input.restore);
  },
});
