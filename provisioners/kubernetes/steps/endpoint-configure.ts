import type { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { applyService, observeService } from '../configured-service.ts';
import { endpointServersSchema, endpointService } from '../endpoint-service.ts';
import { quick } from '../limits.ts';

const inputSchema = endpointServersSchema.extend({ machine: machineRefSchema });

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
  async observe(context, { machine, ...servers }) {
    return observeService(context, machine, await endpointService(context, machine, servers));
  },
  async apply(context, { machine, ...servers }) {
    return applyService(context, machine, await endpointService(context, machine, servers));
  },
});
