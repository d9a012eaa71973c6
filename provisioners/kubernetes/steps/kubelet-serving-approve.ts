import { load } from 'js-yaml';
import { z } from 'zod';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import { Blocked } from '../../contract/problem.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import { accessSchema, type NoFacts } from '../cluster-settings.ts';
import { decideServing, servingRequests } from '../kubelet-serving-decision.ts';
import { userOfNode } from '../kubelet-serving-request.ts';
import { quick } from '../limits.ts';
import { paths } from '../paths.ts';

const inputSchema = z.strictObject({
  machine: machineRefSchema,
  access: accessSchema,
});

const kubeletSchema = z.object({ serverTLSBootstrap: z.boolean().optional() });

/**
 * Whether the kubelet of a machine asks the cluster for what it serves with. One that joined a cluster of an earlier
 * release of ours has no such setting: it signs for itself, and nobody has anything to approve.
 */
async function asksTheCluster(context: StepContext, machine: MachineRef): Promise<boolean> {
  const text = await context.file.read(machine, paths.kubeletConfig);
  return kubeletSchema.catch({}).parse(load(text ?? '') ?? {}).serverTLSBootstrap === true;
}

const remedyOf = ({ name, address }: MachineRef): string =>
  `${name} was given ${address} and its own name, and may serve under nothing else: see which addresses its kubelet found (kubectl get node ${name} -o wide), or replace the machine. A kubelet that was denied asks again by itself; then resume.`;

/**
 * Sees that a kubelet serves with a certificate of the cluster: decides on what it asks for, because Kubernetes itself
 * never does (https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/#certificate-rotation).
 * Until then the kubelet answers nobody: no logs, no exec, no metrics of the machine.
 */
export const kubeletServingApprove = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'kubelet-serving.approve',
  version: 1,
  nature: 'ensure',
  phase: 'workers',
  destructive: false,
  title: ({ machine }) => `Check and approve what the kubelet of ${machine.name} serves with`,
  schema: inputSchema,
  limits: quick,
  async observe(context, { machine, access }) {
    const has = await context.file.exist(machine, [paths.kubeletServing]);
    if (has.size > 0 || !(await asksTheCluster(context, machine))) return { state: 'done', facts: {} };
    const asked = await servingRequests(context.kubernetes, access, userOfNode(machine.name));
    if (asked.some(({ isDecided }) => !isDecided))
      return { state: 'todo', why: `the kubelet of ${machine.name} waits for a certificate to serve with` };
    const denied = asked.findLast(({ isDenied }) => isDenied);
    if (denied !== undefined && !asked.some(({ isDecided, isDenied }) => isDecided && !isDenied))
      return {
        state: 'blocked',
        what: `the kubelet of ${machine.name} to ask for its own name and addresses alone`,
        why: `${denied.name} was denied: ${denied.message ?? 'nobody says why'}`,
        remedy: remedyOf(machine),
      };
    return {
      state: 'pending',
      what: `the kubelet of ${machine.name} to have a certificate to serve with`,
      lastSeen: asked.length === 0 ? 'it has not asked yet' : 'it was approved, and is not there yet',
      since: context.now(),
      usually: seconds(5),
    };
  },
  async apply(context, { machine, access }) {
    const nodes = [{ name: machine.name, addresses: [machine.address] }];
    for (const request of await servingRequests(context.kubernetes, access, userOfNode(machine.name))) {
      if (request.isDecided) continue;
      const { why } = await decideServing(context.kubernetes, access, request, nodes);
      if (why !== undefined)
        throw new Blocked(
          'CERT-010',
          `The kubelet of ${machine.name} asks to serve as somebody else: ${why}`,
          {
            machine: machine.name,
            remedy: remedyOf(machine),
          },
        );
      context.log(`${request.name} is approved`, machine.name);
    }
  },
});
