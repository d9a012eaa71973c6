import { z } from 'zod';
import { restoreKeySchema } from '../../contract/etcd-data.ts';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import { defineStep, type StepContext, type StepLimits } from '../../contract/step.ts';
import { minutes, seconds } from '../../contract/time.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { componentsOf } from '../kubeadm-certificates.ts';
import { manifestsOf } from '../restore-files.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  restore: restoreKeySchema,
  apiPort: z.int().positive(),
  /** What runs there where etcd stands apart; absent where each master has a member. */
  runs: z.enum(['etcd', 'control-plane']).exactOptional(),
});
type Input = z.infer<typeof inputSchema>;

const whatRuns = {
  etcd: 'etcd',
  'control-plane': 'the API server and the controllers',
  both: 'the API server, the controllers and etcd',
} as const;

/** The kubelet looks at its folder of manifests every 20 s at the latest, and gives a pod half a minute to end. */
const limits: StepLimits = { soft: minutes(2), hard: minutes(15), attempts: 5 };

async function manifestsThere(context: StepContext, { machine }: Input) {
  const manifests = manifestsOf();
  const found = await context.file.exist(
    machine,
    manifests.map(({ path }) => path),
  );
  return manifests.filter(({ path }) => found.has(path));
}

const isKubeletActive = async (context: StepContext, machine: MachineRef): Promise<boolean> =>
  (await context.service.state(machine, ['kubelet.service'])).every(({ active }) => active);

/**
 * Stops what a master, or a machine of etcd, runs of the API server, the controllers and etcd, so that nothing starts them again: their manifests are
 * kept aside. An act: when the data is aside, it is not undone by what comes after.
 */
export const controlPlaneStop = defineStep<Input, NoFacts>({
  kind: 'control-plane.stop',
  version: 1,
  nature: 'act',
  phase: 'control plane',
  destructive: false,
  title: ({ machine, runs }) => `Stop ${whatRuns[runs ?? 'both']} on ${machine.name}`,
  schema: inputSchema,
  limits,
  async observe(context, input) {
    const { machine, restore, apiPort } = input;
    const { isSetAside } = await context.etcdData.look(machine, restore);
    if (isSetAside) return { state: 'done', facts: {} };
    const [first] = await manifestsThere(context, input);
    if (first !== undefined) return { state: 'todo', why: `${first.component} is to run on ${machine.name}` };
    const states = await context.host.components(machine, componentsOf(apiPort));
    const running = states.filter((state) => state.running).map(({ name }) => name);
    if (running.length === 0) return { state: 'done', facts: {} };
    if (!(await isKubeletActive(context, machine)))
      return { state: 'broken', why: `${running.join(', ')} run, and no kubelet that could end them` };
    const what = `${running.join(', ')} on ${machine.name} to end`;
    return { state: 'pending', what, since: context.now(), usually: seconds(30) };
  },
  async apply(context, input) {
    const { machine } = input;
    const there = await manifestsThere(context, input);
    for (const { path, kept } of there) {
      const content = await context.file.read(machine, path);
      if (content !== undefined) await context.file.write(machine, [{ path: kept, content, mode: 0o600 }]);
    }
    for (const { path } of there) await context.file.remove(machine, [path]);
    if (!(await isKubeletActive(context, machine))) await context.service.start(machine, 'kubelet.service');
  },
});
