import { z } from 'zod';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import { Blocked } from '../../contract/problem.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { endpointSchema, type NoFacts } from '../cluster-settings.ts';
import { applyService, type ConfiguredService, observeService } from '../configured-service.ts';
import { haproxyConfig, keepalivedConfig } from '../endpoint-config.ts';
import { quick } from '../limits.ts';
import { paths } from '../paths.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  /** All masters of the cluster, also those that are yet to come: haproxy asks each whether it is ready. */
  masters: z.array(z.strictObject({ name: z.string(), address: z.string() })).min(1),
  endpoint: endpointSchema,
  apiPort: z.int().positive(),
});

/** The card that holds the machine's own address, with the length of its network prefix. */
async function networkOf(
  context: StepContext,
  machine: MachineRef,
): Promise<{ interface: string; prefix: number }> {
  const { addresses } = await context.host.facts(machine);
  const own = addresses.find(({ cidr }) => cidr.split('/')[0] === machine.address);
  if (own !== undefined) return { interface: own.interface, prefix: Number(own.cidr.split('/')[1] ?? 24) };
  throw new Blocked(
    'ENDPOINT-001',
    `No network card of ${machine.name} holds its address ${machine.address}`,
    {
      machine: machine.name,
      remedy:
        'The virtual address stands on the card of that address. Give the machine an address of its own network.',
    },
  );
}

async function serviceOf(
  context: StepContext,
  input: z.infer<typeof inputSchema>,
): Promise<ConfiguredService> {
  const [network, keys] = await Promise.all([
    networkOf(context, input.machine),
    context.secrets.clusterKeys(),
  ]);
  const settings = { ...input, network };
  return {
    name: 'endpoint',
    files: [
      { path: paths.haproxy, content: haproxyConfig(settings), mode: 0o644 },
      { path: paths.keepalived, content: keepalivedConfig(settings, keys.vrrpPassword), mode: 0o600 },
    ],
    units: ['haproxy.service', 'keepalived.service'],
    mustRun: true,
  };
}

/** The API's virtual address (row H10): keepalived holds it, haproxy behind it knows which masters are ready. */
export const endpointConfigure = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'endpoint.configure',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: ({ machine, endpoint }) => `Serve ${endpoint.host}:${endpoint.port} from ${machine.name}`,
  schema: inputSchema,
  limits: quick,
  observe: async (context, input) => observeService(context, input.machine, await serviceOf(context, input)),
  apply: async (context, input) => applyService(context, input.machine, await serviceOf(context, input)),
});
