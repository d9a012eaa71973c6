import { z } from 'zod';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import { ownHostKeyPath } from '../../contract/ports/host.ts';
import { defineStep } from '../../contract/step.ts';
import { quick } from '../limits.ts';

/**
 * Makes a machine's own SSH host key beside the one that was handed over at creation, which others may know. The fact
 * is a reference that accepts both: whoever keeps it is not locked out by a crash while the key is being replaced.
 */
export const hostKeyGenerate = defineStep<
  { machine: MachineRef },
  { publicKey: string; reference: MachineRef }
>({
  kind: 'host-key.generate',
  version: 1,
  nature: 'ensure',
  phase: 'machines',
  destructive: false,
  title: ({ machine }) => `Make a host key of its own on ${machine.name}`,
  schema: z.strictObject({ machine: machineRefSchema }),
  limits: quick,
  async observe(context, { machine }) {
    // Reading is reaching: who answers with the file has shown an accepted host key.
    const text = await context.file.read(machine, `${ownHostKeyPath}.pub`);
    const [type, key] = text?.trim().split(/\s+/) ?? [];
    if (type === undefined || key === undefined)
      return { state: 'todo', why: `${machine.name} still has only the host key it was created with` };
    const publicKey = `${type} ${key}`;
    const hostKeys = [...machine.hostKeys.filter((known) => known !== publicKey), publicKey];
    return { state: 'done', facts: { publicKey, reference: { ...machine, hostKeys } } };
  },
  async apply(context, { machine }) {
    await context.host.generateHostKey(machine);
  },
});
