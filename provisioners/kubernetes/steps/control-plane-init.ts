import { z } from 'zod';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { type ClusterSettings, clusterSettingsSchema, type NoFacts } from '../cluster-settings.ts';
import { accessThrough, kubeadmTraces } from '../control-plane-state.ts';
import {
  ignoredErrors,
  initConfig,
  minorOfCluster,
  patchFiles,
  skippedInitPhases,
} from '../kubeadm-config.ts';
import { makeEtcdClient } from '../etcd-machine.ts';
import { leftTokenFiles, pendingKubeadm, removeTokenFiles, runKubeadm } from '../kubeadm-run.ts';
import { kubeadmRun } from '../limits.ts';
import { declarationOf } from '../machine-declaration.ts';
import { paths } from '../paths.ts';
import { pkiFiles } from '../pki-files.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  settings: clusterSettingsSchema,
  /** Masters that exist already: none of them may hold a control plane, or this would be a second cluster. */
  others: z.array(machineRefSchema),
});

/**
 * What an interrupted init leaves behind and a repeated one may find: its phases are idempotent, so it is run again
 * over them; nothing is ever reset here, because etcd's data could be the only copy.
 */
const leftByItself = [
  'DirAvailable--var-lib-etcd',
  'FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml',
  'FileAvailable--etc-kubernetes-manifests-kube-controller-manager.yaml',
  'FileAvailable--etc-kubernetes-manifests-kube-scheduler.yaml',
  'FileAvailable--etc-kubernetes-manifests-etcd.yaml',
  'Port',
];

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

/** What kubeadm init has not brought about yet on a machine that bears its traces; undefined when it is through. */
async function lackingOfInit(
  context: StepContext,
  machine: MachineRef,
  settings: ClusterSettings,
): Promise<string | undefined> {
  const access = accessThrough(machine, settings);
  if ((await context.kubernetes.version(access, machine)) === undefined)
    return `the API server on ${machine.name} is not ready`;
  // kube-proxy is the last thing kubeadm init makes.
  const last = { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: 'kube-system', name: 'kube-proxy' };
  if ((await context.kubernetes.get(access, last)) === undefined)
    return `kubeadm init on ${machine.name} did not come to its end`;
  return undefined;
}

/** Starts the cluster's first control plane. Which machine that is follows from the plan; no machine is special later. */
export const controlPlaneInit = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'control-plane.init',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: ({ machine }) => `Start the control plane on ${machine.name}`,
  schema: inputSchema,
  limits: kubeadmRun,
  async observe(context, { machine, settings, others }) {
    const pending = await pendingKubeadm(context, machine, 'init');
    if (pending !== undefined) return pending;
    const traces = await context.file.exist(machine, kubeadmTraces);
    if (!traces.has(paths.apiServerManifest)) {
      const holder = await holderOfData(context, others);
      if (holder === undefined) return { state: 'todo', why: `${machine.name} runs no control plane` };
      return {
        state: 'blocked',
        what: `the control plane on ${holder.name} to come back`,
        why: `${holder.name} holds etcd data of this cluster; starting another control plane on ${machine.name} would make a second cluster`,
        remedy: `Bring the control plane on ${holder.name} back, or delete the cluster, then resume.`,
      };
    }
    const lacking = await lackingOfInit(context, machine, settings);
    if (lacking !== undefined) return { state: 'broken', why: lacking };
    return (await leftTokenFiles(context, machine)) ?? { state: 'done', facts: {} };
  },
  async apply(context, { machine, settings }) {
    const [before, keys, declared] = await Promise.all([
      context.file.exist(machine, kubeadmTraces),
      context.secrets.clusterKeys(),
      declarationOf(context, machine),
    ]);
    if (
      before.has(paths.apiServerManifest) &&
      (await lackingOfInit(context, machine, settings)) === undefined
    )
      return removeTokenFiles(context, machine);
    const { bootstrapToken } = keys;
    const minor = minorOfCluster(settings);
    const isRepeated = before.size > 0;
    if (isRepeated) context.log(`kubeadm init goes on over what an earlier run left`, machine.name);
    const content = initConfig({ minor, settings, machine, declared, bootstrapToken });
    if (settings.etcd !== undefined) await makeEtcdClient(context, machine, settings, pkiFiles(keys));
    const ports = ['10250', '10257', '10259', '2379', '2380', String(settings.apiPort)];
    const own = leftByItself.flatMap((error) =>
      error === 'Port' ? ports.map((port) => `Port-${port}`) : [error],
    );
    await runKubeadm(
      context,
      machine,
      {
        verb: 'init',
        config: paths.kubeadmConfig,
        skipPhases: skippedInitPhases,
        ignorePreflightErrors: [...ignoredErrors(declared, settings), ...(isRepeated ? own : [])],
      },
      [{ path: paths.kubeadmConfig, content, mode: 0o600 }, ...patchFiles(settings)],
    );
  },
});
