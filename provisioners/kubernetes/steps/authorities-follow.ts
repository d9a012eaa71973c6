import { z } from 'zod';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import { Blocked } from '../../contract/problem.ts';
import { defineStep, type Observation, type StepContext } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import { lookAtReaders, type MasterReaders, whyStale } from '../authority-readers.ts';
import {
  isOfAnother,
  masterKubeconfigs,
  strayKubeconfigs,
  straySigner,
  widenKubeconfigs,
} from '../authority-trust.ts';
import { accessSchema, clusterSettingsSchema, type NoFacts } from '../cluster-settings.ts';
import { awaitWell, restart } from '../control-plane-restart.ts';
import { keeperOf } from '../kubeadm-certificates.ts';
import { renewByKubeadm } from '../kubeadm-renewal.ts';
import { pendingKubeadm } from '../kubeadm-run.ts';
import { kubeadmRun } from '../limits.ts';
import { pkiFiles } from '../pki-files.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  settings: clusterSettingsSchema,
  /** All masters, this one among them or not. */
  access: accessSchema,
});

/** Files of the authorities that are other than the cluster's keys say. */
async function strayFiles(context: StepContext, machine: MachineRef) {
  const files = pkiFiles(await context.secrets.clusterKeys());
  const differing = await context.file.differ(machine, files);
  return files.filter(({ path }) => differing.some((other) => other.path === path));
}

/** Certificates of kubeadm's that another authority has signed than the one that signs now. */
async function strayLeaves(context: StepContext, { files }: MasterReaders): Promise<string[]> {
  const keys = await context.secrets.clusterKeys();
  return files
    .filter((file) => keeperOf(file.name) === 'kubeadm' && isOfAnother(keys, file))
    .map(({ name }) => name);
}

/** What of the files on a master does not follow the keys, in words; undefined when all do. */
async function lacking(
  context: StepContext,
  machine: MachineRef,
  seen: MasterReaders,
): Promise<string | undefined> {
  const [files, kubeconfigs, signer] = await Promise.all([
    strayFiles(context, machine),
    strayKubeconfigs(context, machine, masterKubeconfigs),
    straySigner(context, machine),
  ]);
  const [first] = [...files, ...kubeconfigs, ...(signer === undefined ? [] : [signer])];
  if (first !== undefined) return `${first.path} on ${machine.name} speaks of other authorities`;
  const [leaf] = await strayLeaves(context, seen);
  return leaf === undefined ? undefined : `another authority has signed ${leaf} of ${machine.name}`;
}

/** Files and processes of one master against the cluster's keys. */
async function observe(
  context: StepContext,
  { machine, settings }: z.infer<typeof inputSchema>,
): Promise<Observation<NoFacts>> {
  const pending = await pendingKubeadm(context, machine, 'renew');
  if (pending !== undefined) return pending;
  const seen = await lookAtReaders(context, machine, settings.apiPort);
  const why = await lacking(context, machine, seen);
  if (why !== undefined) return { state: 'todo', why };
  const [stale] = seen.components.flatMap((component) => whyStale(component, seen.files) ?? []);
  if (stale !== undefined) return { state: 'broken', why: `on ${machine.name}, ${stale}` };
  const silent = seen.components.find(({ state }) => state.served === undefined || !state.running);
  if (silent === undefined) return { state: 'done', facts: {} };
  return {
    state: 'pending',
    what: `${silent.name} on ${machine.name} to answer`,
    lastSeen: silent.state.running ? 'it runs and does not answer on its port' : 'it does not run',
    since: context.now(),
    usually: seconds(15),
  };
}

/**
 * Lets one master follow the authorities that the cluster's keys name: who is believed, who signs, and every certificate
 * of kubeadm's, judged by who signed it. Then restarts what reads them, each when the one before is well. The order of
 * masters is the plan's (https://kubernetes.io/docs/tasks/tls/manual-rotation-of-ca-certificates/).
 */
export const authoritiesFollow = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'authorities.follow',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  disrupts: true,
  title: ({ machine }) => `Let the control plane on ${machine.name} follow the authorities`,
  schema: inputSchema,
  limits: kubeadmRun,
  observe,
  async apply(context, { machine, settings, access }) {
    const look = (): Promise<MasterReaders> => lookAtReaders(context, machine, settings.apiPort);
    const files = await strayFiles(context, machine);
    if (files.length > 0) await context.file.write(machine, files);
    if ((await strayLeaves(context, await look())).length > 0)
      await renewByKubeadm(context, machine, settings);
    const [left] = await strayLeaves(context, await look());
    if (left !== undefined)
      throw new Blocked('CERT-011', `kubeadm did not let the new authority sign ${left} of ${machine.name}`, {
        machine: machine.name,
        remedy: 'Read what kubeadm printed, mend it on the machine or replace the machine; then resume.',
      });
    await widenKubeconfigs(context, machine);
    const signer = await straySigner(context, machine);
    if (signer !== undefined) await context.file.write(machine, [signer]);
    for (const { name } of (await look()).components) {
      // Looked at anew: a restart of the one before may have taken others along.
      const seen = await look();
      const component = seen.components.find((each) => each.name === name);
      if (component === undefined) continue;
      const given = { machine, component, access, isRescue: false };
      if (whyStale(component, seen.files) !== undefined) await restart(context, given);
      await awaitWell(context, given);
    }
  },
});
