import { z } from 'zod';
import { type RestoredData, restoreKeySchema } from '../../contract/etcd-data.ts';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import { Blocked, Transient } from '../../contract/problem.ts';
import { defineStep, type StepContext, type StepLimits } from '../../contract/step.ts';
import { minutes } from '../../contract/time.ts';
import { componentsOf } from '../kubeadm-certificates.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  restore: restoreKeySchema,
  /** `snapshot`: the backup that was brought; `aside`: the data of this very master. */
  source: z.enum(['snapshot', 'aside']),
  /** The other masters that answered: their etcd was stopped before, and their data set aside. */
  others: z.array(machineRefSchema),
});

/** What became of it; `at` is when, by the clock of that master. */
type RestoreFacts = { readonly [Key in keyof RestoredData]: RestoredData[Key] };

const limits: StepLimits = { soft: minutes(2), hard: minutes(60), attempts: 3 };

/**
 * Looks just before whether any other etcd of the cluster could serve: never two at once. Who does not answer now had
 * its data set aside before, which outlives whatever became of it since.
 * @throws Blocked naming who could
 */
async function requireNobodyServes(
  context: StepContext,
  restore: string,
  others: readonly MachineRef[],
): Promise<void> {
  const [etcd] = componentsOf(0);
  if (etcd === undefined) throw new Error('there is no component etcd');
  for (const other of others) {
    try {
      const { isSetAside } = await context.etcdData.look(other, restore);
      const [state] = await context.host.components(other, [etcd]);
      if (isSetAside && state?.running !== true) continue;
      throw new Blocked('RESTORE-004', `etcd on ${other.name} could still serve the former data`, {
        machine: other.name,
        remedy: 'Resume the operation: what is to be stopped there is planned anew.',
      });
    } catch (thrown) {
      if (!(thrown instanceof Transient)) throw thrown;
      context.log(`${other.name} does not answer any more; its data was set aside before`, other.name);
    }
  }
}

/**
 * Makes the data of a new etcd cluster, of this one member, with ids and a token of its own: no former member can ever
 * be part of it. Not started here.
 */
export const etcdDataRestore = defineStep<z.infer<typeof inputSchema>, RestoreFacts>({
  kind: 'etcd-data.restore',
  version: 1,
  nature: 'act',
  phase: 'control plane',
  destructive: false,
  title: ({ machine, source }) =>
    source === 'snapshot'
      ? `Restore etcd's data on ${machine.name} from the backup, as a new etcd cluster`
      : `Make a new etcd cluster of the data that ${machine.name} has`,
  schema: inputSchema,
  limits,
  async observe(context, { machine, restore }) {
    const { restored } = await context.etcdData.look(machine, restore);
    if (restored !== undefined) return { state: 'done', facts: { ...restored } };
    return { state: 'todo', why: `etcd on ${machine.name} has no data to start from` };
  },
  async apply(context, { machine, restore, source, others }) {
    await requireNobodyServes(context, restore, others);
    const { isSetAside } = await context.etcdData.look(machine, restore);
    // A machine that never was a master has nothing to set aside; it is marked so all the same.
    if (!isSetAside) await context.etcdData.setAside(machine, restore);
    const peerURL = `https://${machine.address}:2380`;
    await context.etcdData.restore(machine, restore, { source, name: machine.name, peerURL });
  },
});
