import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { defineStep } from '../../contract/step.ts';
import { accessSchema, clusterSettingsSchema, type NoFacts } from '../cluster-settings.ts';
import { nodeOf } from '../control-plane-state.ts';
import { joinFiles } from '../join-files.ts';
import { ignoredErrors, minorOfCluster } from '../kubeadm-config.ts';
import { leftTokenFiles, pendingKubeadm, removeTokenFiles, runKubeadm } from '../kubeadm-run.ts';
import { kubeadmRun } from '../limits.ts';
import { declarationOf } from '../machine-declaration.ts';
import { endStrayPods } from '../node-pods.ts';
import { paths } from '../paths.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  settings: clusterSettingsSchema,
  access: accessSchema,
});

/**
 * Traces of an earlier join on the machine itself. A join that lost the API server after it had started the kubelet
 * removes its bootstrap kubeconfig and leaves the kubelet's configuration: kubeadm's checks refuse the next join then
 * (Port-10250, FileAvailable of the CA), unless it is reset first.
 */
const traces = [paths.kubeletKubeconfig, paths.bootstrapKubeconfig, paths.kubeletConfig];

/** Joins one worker. Workers join side by side, as soon as there is one master. */
export const workerJoin = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'worker.join',
  version: 1,
  nature: 'ensure',
  phase: 'workers',
  destructive: false,
  title: ({ machine }) => `Join ${machine.name}`,
  schema: inputSchema,
  limits: kubeadmRun,
  async observe(context, { machine, access }) {
    const pending = await pendingKubeadm(context, machine, 'join');
    if (pending !== undefined) return pending;
    const [files, node, kubelet, left] = await Promise.all([
      context.file.exist(machine, traces),
      nodeOf(context, access, machine.name),
      context.service.state(machine, ['kubelet.service']),
      leftTokenFiles(context, machine),
    ]);
    const hasJoined = files.has(paths.kubeletKubeconfig);
    if (node === undefined && files.size === 0)
      return { state: 'todo', why: `${machine.name} is no Node yet` };
    if (!hasJoined || node === undefined) {
      const what = node === undefined ? 'files of kubeadm but no Node' : 'a Node but no kubelet of it';
      return { state: 'broken', why: `${machine.name} joined by half: ${what}` };
    }
    if (kubelet[0]?.active === true) return left ?? { state: 'done', facts: {} };
    return { state: 'broken', why: `the kubelet on ${machine.name} is ${kubelet[0]?.detail ?? 'not there'}` };
  },
  async apply(context, { machine, settings, access }) {
    const [files, node, keys, declared] = await Promise.all([
      context.file.exist(machine, traces),
      nodeOf(context, access, machine.name),
      context.secrets.clusterKeys(),
      declarationOf(context, machine),
    ]);
    if (files.has(paths.kubeletKubeconfig) && node !== undefined) {
      await context.service.start(machine, 'kubelet.service');
      await removeTokenFiles(context, machine);
      return;
    }
    if (node !== undefined) {
      context.log(`removing the Node that an earlier ${machine.name} left`, machine.name);
      await context.kubernetes.remove(access, { apiVersion: 'v1', kind: 'Node', name: machine.name });
    }
    if (files.size > 0) await context.kubeadm.run(machine, { verb: 'reset' });
    await endStrayPods(context, access, machine.name);
    const minor = minorOfCluster(settings);
    const command = {
      verb: 'join',
      config: paths.kubeadmConfig,
      skipPhases: [],
      ignorePreflightErrors: ignoredErrors(declared),
    } as const;
    const laidOut = joinFiles({ minor, settings, machine, declared, keys, isMaster: false });
    await runKubeadm(context, machine, command, laidOut);
  },
});
