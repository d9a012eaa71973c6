import { z } from 'zod';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import { Transient } from '../../contract/problem.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { minutes, seconds } from '../../contract/time.ts';
import { endpointSchema, type NoFacts } from '../cluster-settings.ts';
import { kubeletCertificatePaths, kubeletLag } from '../kubelet-authorities.ts';
import { bootstrapFile, kubeletClient, kubeletUnit } from '../kubelet-bootstrap.ts';
import { lengthy } from '../limits.ts';
import { paths } from '../paths.ts';

const inputSchema = z.strictObject({ machine: machineRefSchema, endpoint: endpointSchema });

/** A kubelet asks at once when it starts, and the cluster signs within a second; a busy machine starts slowly. */
const patience = minutes(2);

const client = 'kubelet/client';

/** Waits until the kubelet has a certificate of the authority that signs. @throws Transient when none came in time */
async function awaitClient(context: StepContext, machine: MachineRef): Promise<void> {
  const since = context.now();
  for (;;) {
    const [own, { certificates }] = await Promise.all([
      kubeletClient(context, machine),
      kubeletLag(context, machine),
    ]);
    if (own !== undefined && !certificates.includes(client)) return;
    if (Date.parse(context.now()) - Date.parse(since) > patience)
      throw new Transient('CERT-009', `The kubelet of ${machine.name} was given no new certificate`, {
        machine: machine.name,
        remedy: `Read its journal on ${machine.name}: journalctl -u kubelet. Then resume.`,
      });
    context.waiting({
      what: `the kubelet of ${machine.name} to be given a certificate`,
      lastSeen: own === undefined ? 'it has none' : 'another authority has signed the one it has',
      since,
      usually: seconds(5),
    });
    await context.sleep(seconds(1));
  }
}

/**
 * Lets the kubelet of one machine follow the authorities: it believes all that the cluster's keys name, and asks anew for
 * what another authority has signed. It asks as it did when it joined, because no kubelet gives up a certificate that is
 * good by date. Its pods go on meanwhile; what it serves with is decided on by kubelet-serving.approve.
 */
export const kubeletAuthoritiesFollow = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'kubelet-authorities.follow',
  version: 1,
  nature: 'ensure',
  phase: 'workers',
  destructive: false,
  title: ({ machine }) => `Let the kubelet of ${machine.name} follow the authorities`,
  schema: inputSchema,
  limits: lengthy,
  async observe(context, { machine }) {
    const [{ files, certificates, mark }, left] = await Promise.all([
      kubeletLag(context, machine),
      context.file.exist(machine, [paths.bootstrapKubeconfig]),
    ]);
    const [file] = files;
    if (file !== undefined)
      return { state: 'todo', why: `${file.path} on ${machine.name} speaks of other authorities` };
    const [certificate] = certificates;
    if (certificate !== undefined)
      return { state: 'todo', why: `another authority has signed ${certificate} of ${machine.name}` };
    if (mark !== undefined)
      return {
        state: 'todo',
        why: `the kubelet of ${machine.name} was not started with these authorities yet`,
      };
    if (left.size === 0) return { state: 'done', facts: {} };
    return { state: 'broken', why: 'what the kubelet asked with is still there, and it names a secret' };
  },
  async apply(context, { machine, endpoint }) {
    const { files, certificates, mark } = await kubeletLag(context, machine);
    const left = await context.file.exist(machine, [paths.bootstrapKubeconfig]);
    if (files.length > 0) await context.file.write(machine, files);
    const isAsking = certificates.includes(client);
    // First with what it asks: a kubelet that starts without either does not start.
    if (isAsking) await context.file.write(machine, [await bootstrapFile(context, endpoint)]);
    if (certificates.length > 0)
      await context.file.remove(
        machine,
        certificates.flatMap((name) => kubeletCertificatePaths[name] ?? []),
      );
    if (files.length > 0 || certificates.length > 0 || mark !== undefined)
      await context.service.restart(machine, kubeletUnit);
    if (isAsking || left.size > 0) await awaitClient(context, machine);
    await context.file.remove(machine, [paths.bootstrapKubeconfig]);
    if (mark !== undefined) await context.file.write(machine, [mark]);
  },
});
