import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import type { FileContent } from '../../contract/ports/file.ts';
import { defineStep, type Observation, type StepContext } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import { isOfVersion } from '../cluster-health.ts';
import { isRotating, layOutSigner } from '../authority-trust.ts';
import { accessSchema, clusterSettingsSchema, type NoFacts } from '../cluster-settings.ts';
import {
  closedEndpoint,
  giveUpOffices,
  masterManifests,
  openEndpoint,
  outdatedComponents,
  whyNotAway,
} from '../in-place.ts';
import { ignoredErrors } from '../kubeadm-config.ts';
import { pendingKubeadm } from '../kubeadm-run.ts';
import { kubeadmRun } from '../limits.ts';
import { declarationOf } from '../machine-declaration.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  settings: clusterSettingsSchema,
  /** All masters, this one among them. */
  access: accessSchema,
});
type Input = z.infer<typeof inputSchema>;

/** Where a manifest lies as it was before kubeadm exchanged it. */
const copyOf = (manifest: string): string =>
  manifest.replace('/etc/kubernetes/manifests/', '/var/lib/remuda/upgrade/manifests/');

/**
 * kubeadm moves a manifest away before it moves the new one in. Whose machine lost its power just then has one less, and
 * kubeadm would wait for a pod that nobody starts: so what was there is kept, and laid back.
 */
async function keepManifests(context: StepContext, { machine, settings }: Input): Promise<void> {
  const read = await Promise.all(
    masterManifests(settings).map(async (path) => ({
      path,
      content: await context.file.read(machine, path),
    })),
  );
  const there = read.filter((file): file is { path: string; content: string } => file.content !== undefined);
  const asFile = ({ path, content }: { path: string; content: string }): FileContent => ({
    path,
    content,
    mode: 0o600,
  });
  if (there.length === read.length) {
    await context.file.write(
      machine,
      there.map(({ path, content }) => asFile({ path: copyOf(path), content })),
    );
    return;
  }
  const missing = read.filter(({ content }) => content === undefined);
  for (const { path } of missing) {
    const content = await context.file.read(machine, copyOf(path));
    if (content === undefined) continue;
    context.log(`laying back ${path}, which an upgrade that was cut off had moved away`, machine.name);
    await context.file.write(machine, [asFile({ path, content })]);
  }
}

/** A control plane of the asked version, which may still have to start, or to serve the cluster's address. */
async function observeUpgraded(context: StepContext, input: Input): Promise<Observation<NoFacts>> {
  const { machine, settings, access } = input;
  const version = await context.kubernetes.version(access, machine);
  if (isOfVersion(version, settings.kubernetesVersion)) {
    const closed = await closedEndpoint(context, input);
    if (closed.length === 0) return { state: 'done', facts: {} };
    return { state: 'broken', why: `${closed.join(', ')} does not run on ${machine.name} again yet` };
  }
  const [kubelet] = await context.service.state(machine, ['kubelet.service']);
  // Nothing of a master starts while its kubelet does not: that is the next step's, and nothing is left for this one.
  if (version === undefined && kubelet?.active !== true) return { state: 'done', facts: {} };
  return {
    state: 'pending',
    what: `the API server on ${machine.name} to answer as ${settings.kubernetesVersion}`,
    lastSeen: version === undefined ? 'it does not answer' : `it answers as ${version}`,
    since: context.now(),
    usually: seconds(30),
  };
}

/**
 * Makes a master's control plane one of the asked version where it stands, with kubeadm's own `upgrade node`; none is
 * first, so whoever comes back after a crash goes on with any (complaint 7). Before its API server goes, others have
 * etcd's lead and the cluster's address; afterwards it serves again. Its kubelet stays as it is.
 */
export const controlPlaneUpgrade = defineStep<Input, NoFacts>({
  kind: 'control-plane.upgrade',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  disrupts: true,
  title: ({ machine, settings }) =>
    `Upgrade the control plane on ${machine.name} to ${settings.kubernetesVersion}, in place`,
  schema: inputSchema,
  limits: kubeadmRun,
  async observe(context, input) {
    const { machine } = input;
    const pending = await pendingKubeadm(context, machine, 'upgrade');
    if (pending !== undefined) return pending;
    const outdated = await outdatedComponents(context, input);
    if (outdated.length === 0) return observeUpgraded(context, input);
    const hindrance = await whyNotAway(context, input);
    if (hindrance !== undefined)
      return {
        state: 'blocked',
        what: `the others to be well before ${machine.name} is upgraded`,
        ...hindrance,
      };
    return { state: 'todo', why: `on ${machine.name}, ${outdated.join(', ')}` };
  },
  async apply(context, input) {
    const { machine, settings } = input;
    if ((await outdatedComponents(context, input)).length > 0) {
      await keepManifests(context, input);
      await giveUpOffices(context, input);
      // The new manifests name it; a master that was made by an earlier release has none yet.
      await layOutSigner(context, machine);
      const keys = await context.secrets.clusterKeys();
      await context.kubeadm.run(machine, {
        verb: 'upgrade',
        kubernetesVersion: settings.kubernetesVersion,
        ignorePreflightErrors: ignoredErrors(await declarationOf(context, machine)),
        // kubeadm would write kubeconfigs that believe the one that signs alone, and the next stage would stand still.
        ...(isRotating(keys) ? { keepsCertificates: true } : {}),
      });
    }
    await openEndpoint(context, input);
  },
});
