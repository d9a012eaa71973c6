import { z } from 'zod';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import type { Finding, HostFacts } from '../../contract/preflight.ts';
import { Blocked, Transient } from '../../contract/problem.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { clusterSettingsSchema } from '../cluster-settings.ts';
import { untilMended } from '../limits.ts';
import { meshChecks } from './catalogue.ts';
import { findingOf, type MeshCheck, type Subject } from './check.ts';
import { type FindingsFacts, judge } from './findings.ts';
import { expectationOf } from './subject.ts';

const inputSchema = z.strictObject({
  /** The machine that is checked: it has to answer. */
  machine: machineRefSchema,
  /** Machines that this plan adds too, as far as they were met when this was sent: each has this check of its own. */
  others: z.array(machineRefSchema),
  /** Masters that are there already, or the one that comes first; none for that one itself. */
  masters: z.array(machineRefSchema),
  settings: clusterSettingsSchema,
  bypass: z.array(z.string()),
});
type Input = z.infer<typeof inputSchema>;

/** What a machine says of itself; undefined when it cannot be asked just now, which is not this machine's matter. */
async function factsIfItAnswers(context: StepContext, machine: MachineRef): Promise<HostFacts | undefined> {
  try {
    return await context.host.facts(machine);
  } catch (thrown) {
    if (thrown instanceof Transient || thrown instanceof Blocked) return undefined;
    throw thrown;
  }
}

/** The endpoint's address has to be free before there is a control plane; afterwards the cluster itself holds it. */
const concerns = ({ masters }: Input, check: MeshCheck): boolean =>
  masters.length === 0 || check.id !== 'NET-VIP';

/** Says of a finding which machines it is not about, because they did not answer. */
function without(finding: Finding, silent: readonly string[]): Finding {
  if (silent.length === 0) return finding;
  return { ...finding, saw: `${finding.saw} (without ${silent.join(', ')}: no answer)` };
}

/**
 * Checks between machines: clocks, packet size, reachability, unique ids, the endpoint's address. Each machine has its
 * own, against whatever others answer: one that is silent holds up nobody else, and is compared with the others by its
 * own check, which it has to pass before it joins (complaint 1).
 */
export const machinesPreflight = defineStep<Input, FindingsFacts>({
  kind: 'machines.preflight',
  version: 2,
  nature: 'ensure',
  phase: 'preflight',
  destructive: false,
  title: ({ machine }) => `Check ${machine.name} against the other machines`,
  schema: inputSchema,
  limits: untilMended,
  async observe(context, input) {
    const { machine, others, masters, settings, bypass } = input;
    const peers = [...masters, ...others].filter(({ name }) => name !== machine.name);
    // The role does not matter between machines; every one of them is asked for the same.
    const expect = (one: MachineRef) => expectationOf(context, one, 'control-plane', settings);
    const { virtualAddress } = expect(machine);
    const targets = peers.map(({ address }) => address);
    if (virtualAddress !== undefined) targets.push(virtualAddress);
    const [own, reached, ...found] = await Promise.all([
      context.host.facts(machine),
      context.host.probe(machine, targets),
      ...peers.map((peer) => factsIfItAnswers(context, peer)),
    ]);
    const answered = peers.flatMap((peer, at): Subject[] => {
      const facts = found[at];
      return facts === undefined ? [] : [{ facts, expected: expect(peer) }];
    });
    const subjects = [{ facts: own, expected: expect(machine) }, ...answered];
    const silent = peers.filter((_peer, at) => found[at] === undefined).map(({ name }) => name);
    const mesh = { subjects, reaches: { [machine.name]: reached } };
    const findings = meshChecks
      .filter((check) => concerns(input, check))
      .map((check) => without(findingOf(check, machine.name, check.evaluate(mesh)), silent));
    const seen = judge(findings, bypass);
    if (seen.state === 'done' && silent.length > 0)
      context.log(
        `not compared with ${silent.join(', ')}: no answer. A machine that is added is compared before it joins.`,
        machine.name,
      );
    return seen;
  },
  apply: () => Promise.reject(new Error('machines.preflight has nothing to apply')),
});
