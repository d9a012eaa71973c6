import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { defineStep, type StepContext, type StepLimits } from '../../contract/step.ts';
import { minutes, seconds } from '../../contract/time.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { withEndpoints } from '../etcd-endpoints.ts';
import { paths } from '../paths.ts';
import { type KeptManifest, manifestsOf } from '../restore-files.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  apiPort: z.int().positive(),
  /** Where etcd stands apart: client URLs that the API server is given, in the place of those it had. */
  etcdServers: z.array(z.string()).min(1).exactOptional(),
});
type Input = z.infer<typeof inputSchema>;

/** After several restarts the kubelet waits up to five minutes before the next (pkg/kubelet: MaxContainerBackOff). */
const limits: StepLimits = { soft: minutes(2), hard: minutes(30), attempts: 5 };

async function keptManifests(context: StepContext, { machine }: Input): Promise<readonly KeptManifest[]> {
  const manifests = manifestsOf();
  const found = await context.file.exist(
    machine,
    manifests.map(({ kept }) => kept),
  );
  return manifests.filter(({ kept }) => found.has(kept));
}

/** Starts the control plane of one master again, after its etcd got its new data, with a kubelet that begins afresh. */
export const controlPlaneStart = defineStep<Input, NoFacts>({
  kind: 'control-plane.start',
  version: 1,
  nature: 'act',
  phase: 'control plane',
  destructive: false,
  title: ({ machine }) => `Start the control plane of ${machine.name} on the restored data`,
  schema: inputSchema,
  limits,
  async observe(context, input) {
    const { machine, apiPort } = input;
    const kept = await keptManifests(context, input);
    if (kept.length > 0)
      return {
        state: 'todo',
        why: `${kept.map(({ component }) => component).join(', ')} were stopped on ${machine.name}`,
      };
    const access = { masters: [machine], apiPort };
    if ((await context.kubernetes.version(access, machine)) !== undefined)
      return { state: 'done', facts: {} };
    const isLaidOut = (await context.file.exist(machine, [paths.apiServerManifest])).size > 0;
    // It was on its way to be a master and never was one: it joins when the others answer.
    if (input.etcdServers !== undefined && !isLaidOut) return { state: 'done', facts: {} };
    const what = `the API server on ${machine.name} to be ready`;
    return { state: 'pending', what, since: context.now(), usually: seconds(40) };
  },
  async apply(context, input) {
    const { machine, etcdServers } = input;
    const kept = await keptManifests(context, input);
    // Whoever is asked comes before whoever asks.
    for (const manifest of kept.toReversed()) {
      const content = await context.file.read(machine, manifest.kept);
      if (content === undefined) continue;
      const isTold = manifest.path === paths.apiServerManifest && etcdServers !== undefined;
      const told = isTold ? withEndpoints(content, etcdServers) : content;
      await context.file.write(machine, [{ path: manifest.path, content: told, mode: 0o600 }]);
    }
    await context.service.restart(machine, 'kubelet.service');
    // Last of all: as long as they are there the kubelet is restarted once more.
    await context.file.remove(
      machine,
      kept.map((manifest) => manifest.kept),
    );
  },
});
