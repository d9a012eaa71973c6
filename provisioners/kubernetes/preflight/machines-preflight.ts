import { z } from 'zod';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import type { Reach } from '../../contract/preflight.ts';
import { defineStep } from '../../contract/step.ts';
import { clusterSettingsSchema } from '../cluster-settings.ts';
import { untilMended } from '../limits.ts';
import { meshChecks } from './catalogue.ts';
import { findingOf } from './check.ts';
import { type FindingsFacts, judge } from './findings.ts';
import { expectationOf } from './subject.ts';

const inputSchema = z.strictObject({
  /** The machines this plan adds. */
  machines: z.array(machineRefSchema),
  /** Masters that are there already: the new machines must reach them, and agree with their clocks. */
  peers: z.array(machineRefSchema),
  settings: clusterSettingsSchema,
  bypass: z.array(z.string()),
});

/** Up to this many machines every pair is tried; beyond, work must not grow with the pairs. */
const everyPairUpTo = 50;

/** Whom a machine tries to reach: everyone, or beyond fifty machines the peers and its next eight neighbours. */
function targetsOf(
  from: MachineRef,
  machines: readonly MachineRef[],
  peers: readonly MachineRef[],
): string[] {
  const others = [...machines, ...peers].filter(({ name }) => name !== from.name);
  if (others.length <= everyPairUpTo) return others.map(({ address }) => address);
  const at = machines.indexOf(from);
  const neighbours = machines.slice(at + 1, at + 9);
  return [...new Set([...peers, ...neighbours].map(({ address }) => address))];
}

/** Checks between machines: clocks, packet size, reachability, unique ids, the endpoint's address. */
export const machinesPreflight = defineStep<z.infer<typeof inputSchema>, FindingsFacts>({
  kind: 'machines.preflight',
  version: 1,
  nature: 'ensure',
  phase: 'preflight',
  destructive: false,
  title: ({ machines }) => `Check ${machines.length} machines against each other`,
  schema: inputSchema,
  limits: untilMended,
  async observe(context, { machines, peers, settings, bypass }) {
    const all = [...machines, ...peers];
    // The role does not matter between machines; every one of them is asked for the same.
    const expectations = all.map((machine) => expectationOf(context, machine, 'control-plane', settings));
    const subjects = await Promise.all(
      expectations.map(async (expected, at) => ({
        expected,
        facts: await context.host.facts(all[at] as MachineRef),
      })),
    );
    const virtualAddress = expectations[0]?.virtualAddress;
    const reaches = await Promise.all(
      machines.map(async (machine): Promise<[string, readonly Reach[]]> => {
        const targets = targetsOf(machine, machines, peers);
        if (virtualAddress !== undefined) targets.push(virtualAddress);
        return [machine.name, await context.host.probe(machine, targets)];
      }),
    );
    const mesh = { subjects, reaches: Object.fromEntries(reaches) };
    return judge(
      meshChecks.map((check) => findingOf(check, 'cluster', check.evaluate(mesh))),
      bypass,
    );
  },
  apply: () => Promise.reject(new Error('machines.preflight has nothing to apply')),
});
