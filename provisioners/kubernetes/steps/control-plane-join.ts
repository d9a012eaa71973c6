import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { defineStep } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import { accessSchema, clusterSettingsSchema, type NoFacts } from '../cluster-settings.ts';
import { awaitedOf, hasJoined, isWhole, lookAtMaster, tracesOf } from '../control-plane-state.ts';
import { clearHalfJoined, rejectedEtcdCure } from '../half-joined-master.ts';
import { apiServerFiles } from '../hardening.ts';
import { joinFiles } from '../join-files.ts';
import { ignoredErrors, minorOfCluster } from '../kubeadm-config.ts';
import { leftTokenFiles, pendingKubeadm, removeTokenFiles, runKubeadm } from '../kubeadm-run.ts';
import { kubeadmRun } from '../limits.ts';
import { declarationOf } from '../machine-declaration.ts';
import { paths } from '../paths.ts';
import { pkiFiles } from '../pki-files.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  settings: clusterSettingsSchema,
  /** The masters that are there already. */
  access: accessSchema,
});

/** Joins one more master. Masters join one after another; a half-joined one is noticed, said and cured (complaint 5). */
export const controlPlaneJoin = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'control-plane.join',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: ({ machine }) => `Join ${machine.name} to the control plane`,
  schema: inputSchema,
  limits: kubeadmRun,
  async observe(context, { machine, access }) {
    const pending = await pendingKubeadm(context, machine, 'join');
    if (pending !== undefined) return pending;
    const [state, left] = await Promise.all([
      lookAtMaster(context, machine, access),
      leftTokenFiles(context, machine),
    ]);
    if (isWhole(state)) return left ?? { state: 'done', facts: {} };
    const traces = tracesOf(state);
    if (traces.length === 0) return { state: 'todo', why: `${machine.name} is no master yet` };
    // kubeadm is through, or the machine was started again: never evict a master for that.
    if (hasJoined(state)) {
      const what = `etcd on ${machine.name} to be healthy`;
      const lastSeen = 'its member has started before, and is not healthy now';
      return { state: 'pending', what, lastSeen, since: context.now(), usually: seconds(30) };
    }
    const awaited = awaitedOf(machine, state);
    if (awaited !== undefined) {
      const lastSeen = `no answer; on the machine: ${traces.join(', ')}`;
      return { state: 'pending', what: awaited, lastSeen, since: context.now(), usually: seconds(30) };
    }
    return { state: 'broken', why: `${machine.name} joined by half: ${traces.join(', ')}` };
  },
  async apply(context, { machine, settings, access }) {
    const [state, keys, declared] = await Promise.all([
      lookAtMaster(context, machine, access),
      context.secrets.clusterKeys(),
      declarationOf(context, machine),
    ]);
    if (hasJoined(state)) return removeTokenFiles(context, machine);
    // What fell silent since it was observed is looked at again, not acted on.
    if (awaitedOf(machine, state) !== undefined) return;
    if (tracesOf(state).length > 0 && !(await clearHalfJoined(context, machine, access))) return;
    const minor = minorOfCluster(settings);
    // kubeadm reset takes the authorities and the policies with it, so they are laid out again.
    const files = [
      ...pkiFiles(keys),
      ...apiServerFiles(minor, keys.encryptionKey),
      ...joinFiles({ minor, settings, machine, declared, keys, isMaster: true }),
    ];
    const command = {
      verb: 'join',
      config: paths.kubeadmConfig,
      skipPhases: [],
      ignorePreflightErrors: ignoredErrors(declared),
    } as const;
    await runKubeadm(context, machine, command, files, rejectedEtcdCure(context, machine));
  },
});
