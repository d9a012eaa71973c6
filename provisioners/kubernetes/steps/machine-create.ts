import { createMachineSchema } from '../../contract/provider.ts';
import { Blocked } from '../../contract/problem.ts';
import { defineStep } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import { lengthy } from '../limits.ts';

/** Makes one machine, or finds it again by its token. */
export const machineCreate = defineStep({
  kind: 'machine.create',
  version: 1,
  nature: 'ensure',
  phase: 'machines',
  destructive: false,
  title: ({ name }) => `Make the machine ${name}`,
  schema: createMachineSchema,
  limits: lengthy,
  async observe(context, { name, token }) {
    const machines = await context.provider.machines.list(context.cluster);
    const machine = machines.find((candidate) => candidate.name === name);
    if (machine === undefined) return { state: 'todo', why: `${name} does not exist` };
    if (machine.token !== token) {
      return {
        state: 'blocked',
        what: `the name ${name} to be free`,
        why: `a machine named ${name} exists, but it is not the one this plan makes (incarnation ${machine.incarnation})`,
        remedy: 'Resume the operation: a fresh plan takes the machine that is there into account.',
      };
    }
    if (machine.state === 'creating' || machine.state === 'deleting') {
      const what = machine.state === 'creating' ? `${name} to run` : `${name} to be gone`;
      const lastSeen = `it is ${machine.state}${machine.detail === undefined ? '' : `: ${machine.detail}`}`;
      return { state: 'pending', what, lastSeen, since: context.now(), usually: seconds(60) };
    }
    if (machine.state !== 'running')
      return { state: 'broken', why: machine.detail ?? `${name} is ${machine.state}` };
    if (machine.address === undefined)
      return {
        state: 'pending',
        what: `an address of ${name}`,
        lastSeen: 'it runs and has none yet',
        since: context.now(),
        usually: seconds(20),
      };
    if (machine.provisionalHostKey === undefined)
      throw new Blocked('MACHINE-001', `The provider handed over no SSH host key for ${name}.`, {
        machine: name,
        remedy: `Give the host key of ${name} in the provider's section, or make the machine from a Remuda image.`,
      });
    const { address, provisionalHostKey, id } = machine;
    return { state: 'done', facts: { address, provisionalHostKey, id } };
  },
  async apply(context, request) {
    const machines = await context.provider.machines.list(context.cluster);
    const existing = machines.find(({ name, token }) => name === request.name && token === request.token);
    if (existing?.state === 'off') await context.provider.machines.power(context.cluster, request.name, 'on');
    else await context.provider.machines.create(request, context.signal);
  },
});
