import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import type { FileContent } from '../../contract/ports/file.ts';
import { Blocked } from '../../contract/problem.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import { clusterSettingsSchema, type NoFacts } from '../cluster-settings.ts';
import { applyService, observeService } from '../configured-service.ts';
import { whyNotRestart } from '../control-plane-restart.ts';
import { etcdKubelet } from '../etcd-kubelet.ts';
import {
  awaitVoter,
  type EtcdMachineState,
  isEtcdWhole,
  layOutEtcd,
  lookAtEtcd,
  throughEtcd,
} from '../etcd-machine.ts';
import { imageIn } from '../in-place.ts';
import { pendingKubeadm } from '../kubeadm-run.ts';
import { kubeadmRun } from '../limits.ts';
import { declarationOf } from '../machine-declaration.ts';
import { type Hold, successorOf } from '../membership.ts';
import { paths } from '../paths.ts';
import { minorFor } from '../versions.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  settings: clusterSettingsSchema,
  /** The other machines of etcd. */
  peers: z.array(machineRefSchema),
});
type Input = z.infer<typeof inputSchema>;

/** Left when containerd and the kubelet run from the files of that version (as kubelet.upgrade does). */
const markOf = ({ settings }: Input): FileContent => ({
  path: `${paths.applied}/kubernetes`,
  content: `${settings.kubernetesVersion}\n`,
  mode: 0o600,
});

const kubeletOf = async (context: StepContext, { machine, settings }: Input) =>
  etcdKubelet(minorFor(settings.kubernetesVersion), await declarationOf(context, machine));

/** Why the static pod of etcd is not that of the asked version; undefined when it is. */
async function whyOtherImage(
  context: StepContext,
  { machine, settings }: Input,
): Promise<string | undefined> {
  const asked = minorFor(settings.kubernetesVersion).images.etcd;
  const image = imageIn(await context.file.read(machine, paths.etcdManifest));
  if (image?.endsWith(`/${asked}`) === true) return undefined;
  return `its static pod is of ${image === undefined ? 'no image' : image.slice(image.lastIndexOf('/') + 1)}, and ${asked} is asked for`;
}

/** What of a machine of etcd is not of the asked version yet, a phrase each. */
async function outdatedOf(context: StepContext, input: Input): Promise<string[]> {
  const { machine } = input;
  const [marked, kubelet, image] = await Promise.all([
    context.file.differ(machine, [markOf(input)]),
    kubeletOf(context, input).then((service) => observeService(context, machine, service)),
    whyOtherImage(context, input),
  ]);
  return [
    ...(marked.length > 0 || kubelet.state === 'todo' ? ['its kubelet is of another version'] : []),
    ...(image === undefined ? [] : [image]),
  ];
}

/** Why etcd cannot be without the member now; undefined when it can. Where it is the only one, nobody else's quorum goes. */
function holdOf({ members, own }: EtcdMachineState): Hold | undefined {
  const [member] = own;
  return members === undefined || member === undefined ? undefined : whyNotRestart(members, member.id);
}

/** Whether nothing may be done because nobody says who the members are. One that is alone and down says it never. */
const isUnknown = ({ members }: EtcdMachineState, { peers }: Input): boolean =>
  members === undefined && peers.length > 0;

/** Looks once more just before: leadership goes to another one first. @throws Blocked */
async function giveUpLead(context: StepContext, { machine, peers }: Input, state: EtcdMachineState) {
  const hold = holdOf(state);
  if (hold !== undefined)
    throw new Blocked('UPGRADE-001', `${machine.name} is not upgraded now: ${hold.why}.`, {
      machine: machine.name,
      awaits: `etcd on ${hold.unwell.join(', ')} to be well`,
      remedy: `Bring ${hold.unwell.join(', ')} back; the upgrade goes on by itself.`,
    });
  const [own] = state.own;
  const heir = own && successorOf(state.members ?? [], own.id);
  if (own?.leader === true && heir !== undefined)
    await context.etcd.moveLeader(throughEtcd([...peers, machine]), heir.id);
}

/**
 * Makes a machine of etcd one of the asked version where it stands: its kubelet and runtime, then etcd, whose static pod
 * kubeadm lays out anew; its data stays. Looked at just before, and held while the others would be no majority. When it
 * is a healthy voter again the next one may go.
 */
export const etcdMemberUpgrade = defineStep<Input, NoFacts>({
  kind: 'etcd-member.upgrade',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  disrupts: true,
  title: ({ machine, settings }) =>
    `Upgrade etcd and its kubelet on ${machine.name} to those of ${settings.kubernetesVersion}, in place`,
  schema: inputSchema,
  limits: kubeadmRun,
  async observe(context, input) {
    const { machine, peers } = input;
    const pending = await pendingKubeadm(context, machine, 'phases');
    if (pending !== undefined) return pending;
    const [state, outdated] = await Promise.all([
      lookAtEtcd(context, machine, peers),
      outdatedOf(context, input),
    ]);
    if (outdated.length === 0 && isEtcdWhole(state)) return { state: 'done', facts: {} };
    if (isUnknown(state, input)) {
      const what = `etcd to answer for ${machine.name}`;
      return { state: 'pending', what, since: context.now(), usually: seconds(30) };
    }
    if (outdated.length === 0)
      return { state: 'broken', why: `etcd on ${machine.name} is no healthy voter again yet` };
    const hold = holdOf(state);
    if (hold === undefined) return { state: 'todo', why: `on ${machine.name}, ${outdated.join('; ')}` };
    return {
      state: 'blocked',
      what: `the others to be well before ${machine.name} is upgraded`,
      why: hold.why,
      remedy: `Bring ${hold.unwell.join(', ')} back; it goes on by itself.`,
    };
  },
  async apply(context, input) {
    const { machine, settings, peers } = input;
    const state = await lookAtEtcd(context, machine, peers);
    // What fell silent since it was observed is looked at again, not acted on.
    if (isUnknown(state, input)) return;
    if ((await outdatedOf(context, input)).length > 0) {
      await giveUpLead(context, input, state);
      await applyService(context, machine, await kubeletOf(context, input));
      const mark = markOf(input);
      if ((await context.file.differ(machine, [mark])).length > 0) {
        for (const unit of ['containerd.service', 'kubelet.service'])
          await context.service.restart(machine, unit);
        await context.file.write(machine, [mark]);
      }
      if ((await whyOtherImage(context, input)) !== undefined)
        await layOutEtcd(context, machine, settings, state.members ?? []);
    }
    await awaitVoter(context, machine, peers);
  },
});
