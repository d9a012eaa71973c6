import { z } from 'zod';
import type { MachineRef } from '../../contract/machine.ts';
import { machineRefSchema } from '../../contract/machine.ts';
import { Transient } from '../../contract/problem.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { minutes, seconds } from '../../contract/time.ts';
import { endpointSchema, type NoFacts } from '../cluster-settings.ts';
import { bootstrapFile, kubeletClient, kubeletUnit } from '../kubelet-bootstrap.ts';
import { lengthy } from '../limits.ts';
import { paths } from '../paths.ts';

const inputSchema = z.strictObject({ machine: machineRefSchema, endpoint: endpointSchema });

/** A kubelet asks at once when it starts, and the cluster signs within a second; a busy machine starts slowly. */
const patience = minutes(2);

/** Waits until the kubelet has been given its certificate. @throws Transient when it was not after some minutes */
async function awaitCertificate(context: StepContext, machine: MachineRef): Promise<void> {
  const since = context.now();
  for (;;) {
    const own = await kubeletClient(context, machine);
    if (own?.isOver === false) return;
    if (Date.parse(context.now()) - Date.parse(since) > patience)
      throw new Transient('CERT-009', `The kubelet of ${machine.name} was given no new certificate`, {
        machine: machine.name,
        remedy: `Read its journal on ${machine.name}: journalctl -u kubelet. Then resume.`,
      });
    context.waiting({
      what: `the kubelet of ${machine.name} to be given a certificate`,
      lastSeen: own === undefined ? 'it has none' : `its own ended on ${own.notAfter}`,
      since,
      usually: seconds(5),
    });
    await context.sleep(seconds(1));
  }
}

/**
 * A new client certificate for a kubelet whose own has run out, because its cluster or its machine was away for most of
 * a year: it asks as it did when it joined. A kubelet renews a certificate that is still good by itself.
 */
export const kubeletClientRenew = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'kubelet-client.renew',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: ({ machine }) => `See that the kubelet of ${machine.name} has a valid certificate`,
  schema: inputSchema,
  limits: lengthy,
  async observe(context, { machine }) {
    const [own, left] = await Promise.all([
      kubeletClient(context, machine),
      context.file.exist(machine, [paths.bootstrapKubeconfig]),
    ]);
    if (own?.isOver === true)
      return { state: 'todo', why: `the client certificate of the kubelet ended on ${own.notAfter}` };
    if (left.size === 0) return { state: 'done', facts: {} };
    return { state: 'broken', why: 'what the kubelet asked with is still there, and it names a secret' };
  },
  async apply(context, { machine, endpoint }) {
    const own = await kubeletClient(context, machine);
    if (own?.isOver === true) {
      await context.file.write(machine, [await bootstrapFile(context, endpoint)]);
      await context.service.restart(machine, kubeletUnit);
      await awaitCertificate(context, machine);
    }
    await context.file.remove(machine, [paths.bootstrapKubeconfig]);
  },
});
