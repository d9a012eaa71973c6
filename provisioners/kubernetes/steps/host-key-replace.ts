import { z } from 'zod';
import { machineRefSchema, type MachineRef } from '../../contract/machine.ts';
import { Blocked } from '../../contract/problem.ts';
import { defineStep } from '../../contract/step.ts';
import { quick } from '../limits.ts';

/**
 * Makes sshd show the machine's own key only. The reference accepts both keys, provisional and own, so that a crash
 * in between locks nobody out; the fact is the reference with the own key alone: what is pinned from now on.
 */
export const hostKeyReplace = defineStep<
  { machine: MachineRef; publicKey: string },
  { reference: MachineRef }
>({
  kind: 'host-key.replace',
  version: 1,
  nature: 'ensure',
  phase: 'machines',
  destructive: false,
  title: ({ machine }) => `Pin the host key of ${machine.name}`,
  schema: z.strictObject({ machine: machineRefSchema, publicKey: z.string() }),
  limits: quick,
  async observe(context, { machine, publicKey }) {
    const reference = { ...machine, hostKeys: [publicKey] };
    try {
      await context.host.reach(reference);
      return { state: 'done', facts: { reference } };
    } catch (thrown) {
      // Blocked is the adapter's word for "another key"; anything else means that nothing is known.
      if (!(thrown instanceof Blocked)) throw thrown;
      await context.host.reach(machine);
      return { state: 'todo', why: `${machine.name} still shows the host key it was created with` };
    }
  },
  apply: (context, { machine, publicKey }) => context.host.replaceHostKey(machine, publicKey),
});
