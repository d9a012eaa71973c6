import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import type { FileContent } from '../../contract/ports/file.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { minutes, seconds } from '../../contract/time.ts';
import { isOfVersion } from '../cluster-health.ts';
import { accessSchema, clusterSettingsSchema, type NoFacts } from '../cluster-settings.ts';
import { nodeOf } from '../control-plane-state.ts';
import { rejectedEtcdCure } from '../half-joined-master.ts';
import { closedEndpoint, giveUpOffices, openEndpoint, unlessSilent, whyKubeletTooNew } from '../in-place.ts';
import { ignoredErrors } from '../kubeadm-config.ts';
import { pendingKubeadm } from '../kubeadm-run.ts';
import { kubeadmRun } from '../limits.ts';
import { declarationOf } from '../machine-declaration.ts';
import { paths } from '../paths.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  role: z.enum(['control-plane', 'worker']),
  settings: clusterSettingsSchema,
  /** All masters. */
  access: accessSchema,
});
type Input = z.infer<typeof inputSchema>;

/**
 * Left when both services run from the files of that version: what is on the disk does not say what a process was
 * started from.
 */
const markOf = ({ settings }: Input): FileContent => ({
  path: `${paths.applied}/kubernetes`,
  content: `${settings.kubernetesVersion}\n`,
  mode: 0o600,
});

const nodeSchema = z.object({ status: z.object({ nodeInfo: z.object({ kubeletVersion: z.string() }) }) });

/** Version that the machine's kubelet has told the cluster last; undefined where there is no Node, or no answer. */
async function toldVersion(context: StepContext, { access, machine }: Input): Promise<string | undefined> {
  const node = await unlessSilent(nodeOf(context, access, machine.name));
  const told = nodeSchema.safeParse(node);
  return told.success ? told.data.status.nodeInfo.kubeletVersion : undefined;
}

/** etcd's and the API server's pods outlive their kubelet; a new minor's may start them anew (ten minutes at most). */
const patience = minutes(10);

/** Waits until a master's API server answers again, and cures what is known to keep it (kubernetes#99305). */
async function awaitMaster(context: StepContext, { machine, access }: Input): Promise<void> {
  const cure = rejectedEtcdCure(context, machine);
  const since = context.now();
  while (Date.parse(context.now()) - Date.parse(since) < patience) {
    if ((await context.kubernetes.version(access, machine)) !== undefined) return;
    await cure();
    const what = `the API server on ${machine.name} to answer again`;
    context.waiting({ what, lastSeen: 'it does not answer yet', since, usually: seconds(20) });
    await context.sleep(seconds(2));
  }
}

/**
 * Lets a machine's kubelet and container runtime run from the files of the asked version, which lie in their place
 * already: on a worker with the kubelet's configuration from kubeadm first (`kubeadm upgrade node`). Never newer than
 * an API server it may speak to. What runs in containers goes on meanwhile.
 */
export const kubeletUpgrade = defineStep<Input, NoFacts>({
  kind: 'kubelet.upgrade',
  version: 1,
  nature: 'ensure',
  phase: 'workers',
  destructive: false,
  disrupts: true,
  title: ({ machine, settings }) => `Upgrade the kubelet of ${machine.name} to ${settings.kubernetesVersion}`,
  schema: inputSchema,
  limits: kubeadmRun,
  async observe(context, input) {
    const { machine, role, settings } = input;
    const pending = await pendingKubeadm(context, machine, 'upgrade');
    if (pending !== undefined) return pending;
    const [differing, [kubelet], told, closed] = await Promise.all([
      context.file.differ(machine, [markOf(input)]),
      context.service.state(machine, ['kubelet.service']),
      toldVersion(context, input),
      role === 'worker' ? [] : closedEndpoint(context, input),
    ]);
    if (differing.length > 0) {
      const hindrance = await whyKubeletTooNew(context, input);
      if (hindrance !== undefined)
        return { state: 'blocked', what: 'every API server to be as new', ...hindrance };
      return { state: 'todo', why: `the kubelet of ${machine.name} is ${told ?? 'of unknown version'}` };
    }
    if (kubelet?.active !== true || closed.length > 0) {
      const lacking = [...(kubelet?.active === true ? [] : ['kubelet.service']), ...closed];
      return { state: 'broken', why: `${lacking.join(', ')} does not run on ${machine.name}` };
    }
    if (isOfVersion(told, settings.kubernetesVersion)) return { state: 'done', facts: {} };
    return {
      state: 'pending',
      what: `the kubelet of ${machine.name} to report as ${settings.kubernetesVersion}`,
      lastSeen: told === undefined ? 'no answer about its Node' : `it reports as ${told}`,
      since: context.now(),
      usually: seconds(15),
    };
  },
  async apply(context, input) {
    const { machine, role, settings } = input;
    const mark = markOf(input);
    const isMaster = role === 'control-plane';
    if ((await context.file.differ(machine, [mark])).length > 0) {
      if (!isMaster)
        await context.kubeadm.run(machine, {
          verb: 'upgrade',
          kubernetesVersion: settings.kubernetesVersion,
          ignorePreflightErrors: ignoredErrors(await declarationOf(context, machine)),
        });
      if (isMaster) await giveUpOffices(context, input);
      for (const unit of ['containerd.service', 'kubelet.service'])
        await context.service.restart(machine, unit);
      await context.file.write(machine, [mark]);
    } else await context.service.start(machine, 'kubelet.service');
    if (!isMaster) return;
    await awaitMaster(context, input);
    await openEndpoint(context, input);
  },
});
