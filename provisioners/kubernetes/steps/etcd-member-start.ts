import { z } from 'zod';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import { defineStep, type Observation, type StepContext } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import { clusterSettingsSchema, type NoFacts } from '../cluster-settings.ts';
import {
  announceMember,
  awaitVoter,
  type EtcdMachineState,
  isEtcdWhole,
  layOutEtcd,
  lookAtEtcd,
  tracesOfEtcd,
} from '../etcd-machine.ts';
import { pendingKubeadm } from '../kubeadm-run.ts';
import { kubeadmRun } from '../limits.ts';
import { paths } from '../paths.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  settings: clusterSettingsSchema,
  /** Machines that have a member already, whom it joins. */
  peers: z.array(machineRefSchema),
  /**
   * Whether it is to be the first member of all. Then none of the `others` may hold data of etcd, or there would be two
   * clusters.
   */
  isFirst: z.boolean(),
  others: z.array(machineRefSchema),
});
type Input = z.infer<typeof inputSchema>;

/** Of the machines, the first that holds etcd's data. */
async function holderOfData(
  context: StepContext,
  machines: readonly MachineRef[],
): Promise<MachineRef | undefined> {
  for (const machine of machines) {
    const found = await context.file.exist(machine, [paths.etcdData]);
    if (found.size > 0) return machine;
  }
  return undefined;
}

async function observeFirst(
  context: StepContext,
  { machine, others }: Input,
  state: EtcdMachineState,
): Promise<Observation<NoFacts>> {
  if (state.hasManifest) {
    const member = state.own[0];
    const silence = state.members === undefined ? 'it does not answer' : 'its member is no healthy voter';
    const why = `etcd on ${machine.name} is not up: ${member === undefined ? silence : tracesOfEtcd(state).join(', ')}`;
    return { state: 'broken', why };
  }
  const holder = await holderOfData(context, others);
  if (holder === undefined) return { state: 'todo', why: `${machine.name} runs no etcd` };
  return {
    state: 'blocked',
    what: `etcd on ${holder.name} to come back`,
    why: `${holder.name} holds etcd data of this cluster; another first member on ${machine.name} would make a second cluster`,
    remedy: `Bring ${holder.name} back, or delete the cluster, then resume.`,
  };
}

function observeJoin({ machine }: Input, state: EtcdMachineState): Observation<NoFacts> {
  if (state.members === undefined)
    return {
      state: 'pending',
      what: `etcd to answer for ${machine.name}`,
      lastSeen: 'none of its members answers',
      since: new Date(0).toISOString(),
      usually: seconds(30),
    };
  const traces = tracesOfEtcd(state);
  if (traces.length === 0) return { state: 'todo', why: `${machine.name} is no member of etcd yet` };
  return { state: 'broken', why: `${machine.name} joined etcd by half: ${traces.join(', ')}` };
}

/**
 * Makes a machine a member of etcd apart from the masters: the first one starts a new cluster, each other one is added
 * without a vote, started, and given its vote when it has caught up. What an earlier try left is noticed, said and cured
 * (complaint 5).
 */
export const etcdMemberStart = defineStep<Input, NoFacts>({
  kind: 'etcd-member.start',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: ({ machine, isFirst }) =>
    isFirst ? `Start etcd on ${machine.name}` : `Make ${machine.name} a member of etcd`,
  schema: inputSchema,
  limits: kubeadmRun,
  async observe(context, input) {
    const { machine, peers } = input;
    const pending = await pendingKubeadm(context, machine, 'phases');
    if (pending !== undefined) return pending;
    const state = await lookAtEtcd(context, machine, peers);
    if (isEtcdWhole(state)) return { state: 'done', facts: {} };
    if (input.isFirst) return observeFirst(context, input, state);
    const seen = observeJoin(input, state);
    return seen.state === 'pending' ? { ...seen, since: context.now() } : seen;
  },
  async apply(context, { machine, settings, peers, isFirst }) {
    const before = await lookAtEtcd(context, machine, peers);
    if (isEtcdWhole(before)) return;
    if (!isFirst) {
      // What fell silent since it was observed is looked at again, not acted on.
      if (before.members === undefined) return;
      await announceMember(context, machine, peers, before);
    }
    const state = await lookAtEtcd(context, machine, peers);
    if (!state.hasManifest || !state.hasData)
      await layOutEtcd(context, machine, settings, isFirst ? [] : (state.members ?? []));
    await awaitVoter(context, machine, peers);
  },
});
