import { z } from 'zod';
import { machineRefSchema, machineRoleSchema } from '../../contract/machine.ts';
import { defineStep } from '../../contract/step.ts';
import { clusterSettingsSchema } from '../cluster-settings.ts';
import { untilMended } from '../limits.ts';
import { hostChecks } from './catalogue.ts';
import { findingOf } from './check.ts';
import { type FindingsFacts, judge } from './findings.ts';
import { expectationOf, isPrepared, lookAt } from './subject.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  role: machineRoleSchema,
  settings: clusterSettingsSchema,
  bypass: z.array(z.string()),
});

/** Every check that needs one machine only, in one visit, before anything of Kubernetes is put on it. */
export const machinePreflight = defineStep<z.infer<typeof inputSchema>, FindingsFacts>({
  kind: 'machine.preflight',
  version: 1,
  nature: 'ensure',
  phase: 'preflight',
  destructive: false,
  title: ({ machine }) => `Check ${machine.name}`,
  schema: inputSchema,
  limits: untilMended,
  async observe(context, { machine, role, settings, bypass }) {
    const subject = await lookAt(context, machine, expectationOf(context, machine, role, settings));
    const findings = hostChecks
      .filter((check) => check.roles.includes(role))
      .filter((check) => !(check.id === 'HOST-DISK-LATENCY' && isPrepared(subject)))
      .map((check) => findingOf(check, machine.name, check.evaluate(subject)));
    return judge(findings, bypass);
  },
  apply: () => Promise.reject(new Error('machine.preflight has nothing to apply')),
});
