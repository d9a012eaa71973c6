import { z } from 'zod';
import type { MachineRef } from '../contract/machine.ts';
import { Blocked } from '../contract/problem.ts';
import type { StepContext } from '../contract/step.ts';
import type { ConfiguredService } from './configured-service.ts';
import { haproxyConfig, keepalivedConfig } from './endpoint-config.ts';
import { endpointSchema } from './cluster-settings.ts';
import { paths } from './paths.ts';

/** What haproxy and keepalived of every master are told. */
export const endpointServersSchema = z.strictObject({
  /** The masters, also those that are yet to come or to go: haproxy asks each whether it is ready. */
  masters: z.array(z.strictObject({ name: z.string(), address: z.string() })).min(1),
  endpoint: endpointSchema,
  apiPort: z.int().positive(),
});
export type EndpointServers = z.infer<typeof endpointServersSchema>;

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

/**
 * haproxy and keepalived of one master. Both are reloaded, not restarted, when who is served changes: whoever holds the
 * address goes on holding it, and connections stay.
 */
export async function endpointService(
  context: StepContext,
  machine: MachineRef,
  servers: EndpointServers,
): Promise<ConfiguredService> {
  const [network, keys] = await Promise.all([networkOf(context, machine), context.secrets.clusterKeys()]);
  const settings = { ...servers, machine, network };
  return {
    name: 'endpoint',
    files: [
      { path: paths.haproxy, content: haproxyConfig(settings), mode: 0o644 },
      { path: paths.keepalived, content: keepalivedConfig(settings, keys.vrrpPassword), mode: 0o600 },
    ],
    units: ['haproxy.service', 'keepalived.service'],
    mustRun: true,
    isReloadable: true,
  };
}
