import { z } from 'zod';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import type { ControlPlaneAccess } from '../../contract/ports/etcd.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import { accessSchema, clusterSettingsSchema, type NoFacts } from '../cluster-settings.ts';
import {
  awaitedOf,
  hasJoined,
  isWhole,
  lookAtMaster,
  type MasterState,
  tracesOf,
} from '../control-plane-state.ts';
import { makeEtcdClient } from '../etcd-machine.ts';
import { clearHalfJoined, rejectedEtcdCure } from '../half-joined-master.ts';
import { apiServerFiles } from '../hardening.ts';
import { joinFiles } from '../join-files.ts';
import { awaitsTurn, endTurn, hasTurn, othersJoining, requireRoomForOne, takeTurn } from '../join-turn.ts';
import { ignoredErrors, minorOfCluster } from '../kubeadm-config.ts';
import { leftTokenFiles, pendingKubeadm, removeTokenFiles, runKubeadm } from '../kubeadm-run.ts';
import { kubeadmRun } from '../limits.ts';
import { declarationOf } from '../machine-declaration.ts';
import { endStrayPods } from '../node-pods.ts';
import { paths } from '../paths.ts';
import { pkiFiles } from '../pki-files.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  settings: clusterSettingsSchema,
  /** The masters that are there already. */
  access: accessSchema,
});

/**
 * Whether its member was added and never started. Then it has the turn since before that, and the API may be silent for
 * no other reason: it is not asked whose turn it is.
 */
const isAdded = ({ members }: MasterState): boolean => members?.some(({ started }) => !started) === true;

/** kubeadm ends a moment before its member is seen to be well; half a second apart, this is how often it is looked for. */
const looksAfterKubeadm = 10;

/** Ends the turn as soon as the member is a healthy voter, so that the next master begins at once. */
async function passTurn(
  context: StepContext,
  machine: MachineRef,
  access: ControlPlaneAccess,
  isEtcdApart: boolean,
): Promise<void> {
  for (let looks = 1; looks <= looksAfterKubeadm; looks += 1) {
    const state = await lookAtMaster(context, machine, access, isEtcdApart);
    if (isWhole(state)) return endTurn(context, machine, access);
    await context.sleep(seconds(0.5));
  }
}

/**
 * Joins one more master. Masters join one at a time, whichever is ready first; a half-joined one is noticed, said and
 * cured (complaint 5).
 */
export const controlPlaneJoin = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'control-plane.join',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: ({ machine }) => `Join ${machine.name} to the control plane`,
  schema: inputSchema,
  limits: kubeadmRun,
  async observe(context, { machine, settings, access }) {
    const pending = await pendingKubeadm(context, machine, 'join');
    if (pending !== undefined) return pending;
    const [state, left] = await Promise.all([
      lookAtMaster(context, machine, access, settings.etcd !== undefined),
      leftTokenFiles(context, machine),
    ]);
    if (isWhole(state)) {
      if (left !== undefined) return left;
      const why = `${machine.name} has joined, and still holds up the next master`;
      return (await hasTurn(context, machine, access))
        ? { state: 'broken', why }
        : { state: 'done', facts: {} };
    }
    const traces = tracesOf(state);
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
    const others = isAdded(state) ? [] : await othersJoining(context, machine, access);
    if (others.length > 0) {
      const what = awaitsTurn(others.join(', '));
      return { state: 'pending', what, since: context.now(), usually: seconds(60) };
    }
    if (traces.length === 0) return { state: 'todo', why: `${machine.name} is no master yet` };
    return { state: 'broken', why: `${machine.name} joined by half: ${traces.join(', ')}` };
  },
  async apply(context, { machine, settings, access }) {
    const isEtcdApart = settings.etcd !== undefined;
    const [state, keys, declared] = await Promise.all([
      lookAtMaster(context, machine, access, isEtcdApart),
      context.secrets.clusterKeys(),
      declarationOf(context, machine),
    ]);
    if (hasJoined(state)) {
      await removeTokenFiles(context, machine);
      // It was seen whole; that a member falters for a moment is no reason to hold up the next master.
      await endTurn(context, machine, access);
      return;
    }
    // What fell silent since it was observed is looked at again, not acted on.
    if (awaitedOf(machine, state) !== undefined) return;
    if (!isAdded(state)) await takeTurn(context, machine, access);
    if (tracesOf(state).length > 0 && !(await clearHalfJoined(context, machine, access, isEtcdApart))) return;
    const minor = minorOfCluster(settings);
    try {
      if (!isEtcdApart) await requireRoomForOne(context, machine, access, minor.hasEtcdLearners);
    } catch (error) {
      // Who has to leave first waits for nobody's turn.
      if (!isAdded(state)) await endTurn(context, machine, access);
      throw error;
    }
    if (isEtcdApart) await makeEtcdClient(context, machine, settings, pkiFiles(keys));
    await endStrayPods(context, access, machine.name);
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
      ignorePreflightErrors: ignoredErrors(declared, settings),
    } as const;
    await runKubeadm(context, machine, command, files, rejectedEtcdCure(context, machine));
    await passTurn(context, machine, access, isEtcdApart);
  },
});
