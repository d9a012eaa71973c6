import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { defineStep, type StepContext, type StepLimits } from '../../contract/step.ts';
import { minutes, seconds } from '../../contract/time.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { componentsOf } from '../kubeadm-certificates.ts';
import { paths } from '../paths.ts';

const inputSchema = z.strictObject({ machine: machineRefSchema, apiPort: z.int().positive() });
type Input = z.infer<typeof inputSchema>;

/**
 * The kubelet looks at its folder of manifests every 20 s at the latest, and gives a pod half a minute to end. That is
 * taken whole: an API server that is told to end waits for the watches of its clients (k8s.io/apiserver/pkg/server).
 */
const limits: StepLimits = { soft: minutes(1), hard: minutes(15), attempts: 5 };

async function isRunning(context: StepContext, { machine, apiPort }: Input): Promise<boolean> {
  const asked = componentsOf(apiPort).filter(({ name }) => name === 'kube-apiserver');
  return (await context.host.components(machine, asked)).some(({ running }) => running);
}

/**
 * Ends the API server of a master that leaves, while its etcd member still answers: it first says that it is not ready,
 * so that no balancer sends anybody to it, goes on serving for a while, and ends what is under way (hardening.ts,
 * shutdown-delay-duration). Without that, requests that reach it fail when its member is taken from under it.
 */
export const apiServerStop = defineStep<Input, NoFacts>({
  kind: 'api-server.stop',
  version: 1,
  nature: 'ensure',
  phase: 'removal',
  destructive: false,
  disrupts: true,
  title: ({ machine }) => `Let the API server on ${machine.name} end what it serves, and stop it`,
  schema: inputSchema,
  limits,
  async observe(context, input) {
    const { machine } = input;
    const found = await context.file.exist(machine, [paths.apiServerManifest]);
    if (found.size > 0) return { state: 'todo', why: `the API server is to run on ${machine.name}` };
    if (!(await isRunning(context, input))) return { state: 'done', facts: {} };
    const what = `the API server on ${machine.name} to end`;
    return { state: 'pending', what, since: context.now(), usually: seconds(30) };
  },
  async apply(context, { machine }) {
    await context.file.remove(machine, [paths.apiServerManifest]);
  },
});
