import { z } from 'zod';
import type { MachineRef } from '../../contract/machine.ts';
import { machineRefSchema } from '../../contract/machine.ts';
import { Blocked } from '../../contract/problem.ts';
import { defineStep, type Observation, type StepContext } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import {
  endingAuthorities,
  endingBy,
  lookAtCertificates,
  type MasterCertificates,
  missingFiles,
  whyOutdated,
} from '../certificate-renewal.ts';
import {
  accessSchema,
  type ClusterSettings,
  clusterSettingsSchema,
  type NoFacts,
} from '../cluster-settings.ts';
import { awaitWell, restart } from '../control-plane-restart.ts';
import { renewByKubeadm } from '../kubeadm-renewal.ts';
import { pendingKubeadm } from '../kubeadm-run.ts';
import { kubeadmRun } from '../limits.ts';
import { paths } from '../paths.ts';
import { etcdAuthorityFiles, pkiFiles } from '../pki-files.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  settings: clusterSettingsSchema,
  /** All masters, this one among them or not. */
  access: accessSchema,
  /** Every certificate that kubeadm renews must end later than this; fixed when the plan is made. */
  endsAfter: z.iso.datetime(),
  /**
   * The certificates of a majority have run out: nothing can be well before that majority is renewed, so on this master
   * it is not awaited; a later step proves the cluster.
   */
  isRescue: z.boolean(),
});
type Input = z.infer<typeof inputSchema>;

/** What nobody but a person can mend before a renewal. */
function impediment(
  machine: MachineRef,
  seen: MasterCertificates,
  endsAfter: string,
): Extract<Observation<never>, { state: 'blocked' }> | undefined {
  if (seen.components.length === 0)
    return {
      state: 'blocked',
      why: `${machine.name} has no manifest of a control plane`,
      remedy: `Replace ${machine.name}, or take it out of the plan: there is nothing on it to renew.`,
    };
  const [missing] = missingFiles(seen);
  if (missing !== undefined)
    return {
      state: 'blocked',
      why: `the certificate ${missing} is not on ${machine.name}, and kubeadm renews only what is there`,
      remedy: `Replace ${machine.name}: a new machine is given all certificates.`,
    };
  const [authority] = endingAuthorities(seen, endsAfter);
  if (authority === undefined) return undefined;
  return {
    state: 'blocked',
    why: `the authority ${authority.name} itself ends on ${authority.notAfter}, and what it signs is good for no longer`,
    remedy: 'Rotate the authorities of the cluster first.',
  };
}

/** Files and processes of one master against the asked end. */
async function observe(context: StepContext, input: Input): Promise<Observation<NoFacts>> {
  const { machine, settings, endsAfter, isRescue } = input;
  const pending = await pendingKubeadm(context, machine, 'renew');
  if (pending !== undefined) return pending;
  const seen = await lookAtCertificates(context, machine, settings.apiPort);
  const impeded = impediment(machine, seen, endsAfter);
  if (impeded !== undefined) return impeded;
  const [first] = endingBy(seen, endsAfter);
  if (first !== undefined)
    return {
      state: 'todo',
      why: `the certificate ${first.name} of ${machine.name} ends on ${first.notAfter}`,
    };
  const [outdated] = seen.components.flatMap(
    (component) => whyOutdated(component, seen.files, { endsAfter, now: context.now() }) ?? [],
  );
  if (outdated !== undefined) return { state: 'broken', why: `on ${machine.name}, ${outdated}` };
  const silent = seen.components.find(({ state }) => state.served === undefined);
  if (silent === undefined || isRescue) return { state: 'done', facts: {} };
  return {
    state: 'pending',
    what: `${silent.name} on ${machine.name} to answer`,
    lastSeen: silent.state.running ? 'it runs and does not answer on its port' : 'it does not run',
    since: context.now(),
    usually: seconds(15),
  };
}

/** kubeadm signs with the authorities' keys, so those that are missing are laid out again. */
async function layOutAuthorities(context: StepContext, machine: MachineRef): Promise<void> {
  const keys = await context.secrets.clusterKeys();
  const isMaster = (await context.file.exist(machine, [paths.apiServerManifest])).size > 0;
  // On a machine of etcd alone no other key of the cluster is ever laid down.
  const files = isMaster ? pkiFiles(keys) : etcdAuthorityFiles(keys);
  const present = await context.file.exist(
    machine,
    files.map(({ path }) => path),
  );
  const missing = files.filter(({ path }) => !present.has(path));
  if (missing.length > 0) await context.file.write(machine, missing);
}

async function renewFiles(
  context: StepContext,
  machine: MachineRef,
  settings: ClusterSettings,
): Promise<void> {
  await layOutAuthorities(context, machine);
  await renewByKubeadm(context, machine, settings);
}

/**
 * Renews the certificates of one master, then restarts what reads them: etcd, the API server, the controllers, each when
 * the one before is well (complaint 13). The order of masters is the plan's.
 */
export const certificatesRenew = defineStep<Input, NoFacts>({
  kind: 'certificates.renew',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  disrupts: true,
  title: ({ machine }) => `Renew the certificates of ${machine.name}`,
  schema: inputSchema,
  limits: kubeadmRun,
  observe,
  async apply(context, { machine, settings, access, endsAfter, isRescue }) {
    const look = (): Promise<MasterCertificates> => lookAtCertificates(context, machine, settings.apiPort);
    if (endingBy(await look(), endsAfter).length > 0) await renewFiles(context, machine, settings);
    const renewed = await look();
    const [left] = endingBy(renewed, endsAfter);
    if (left !== undefined)
      throw new Blocked(
        'CERT-001',
        `kubeadm did not renew ${left.name} of ${machine.name} far enough: it ends on ${left.notAfter}`,
        {
          machine: machine.name,
          remedy:
            'Read what kubeadm printed: an authority whose key is elsewhere must sign anew there, and a shorter life set for certificates must reach as far as was asked.',
        },
      );
    for (const { name } of renewed.components) {
      // Looked at anew: a restart of the one before may have taken others along.
      const seen = await look();
      const component = seen.components.find((each) => each.name === name);
      if (component === undefined) continue;
      const given = { machine, component, access, isRescue };
      if (whyOutdated(component, seen.files, { endsAfter, now: context.now() }) !== undefined)
        await restart(context, given);
      await awaitWell(context, given);
    }
  },
});
