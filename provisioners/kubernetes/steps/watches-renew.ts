import { z } from 'zod';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import type { ControlPlaneAccess } from '../../contract/ports/etcd.ts';
import type { PodReference } from '../../contract/ports/kubernetes.ts';
import { Transient } from '../../contract/problem.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { accessSchema } from '../cluster-settings.ts';
import { lengthy } from '../limits.ts';

const inputSchema = z.strictObject({
  access: accessSchema,
  /** Machines with a kubelet. Those that do not answer are left out, and named. */
  machines: z.array(machineRefSchema),
  /** When the data was restored: what is younger has seen nothing else. */
  since: z.string(),
  /** Whether all revisions were raised, so that whoever watches notices by himself. */
  isBumped: z.boolean(),
});
type Input = z.infer<typeof inputSchema>;

/** What was left out because it does not answer: its kubelet has to be restarted by hand, or when it is back. */
type RenewalFacts = { readonly unreached: readonly string[] };

const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    creationTimestamp: z.string().optional(),
    deletionTimestamp: z.string().optional(),
    annotations: z.record(z.string(), z.string()).default({}),
    ownerReferences: z.array(z.unknown()).default([]),
  }),
});

/** Machines at once: each is one short visit. */
const atOnce = 50;

const isOlder = (time: string, than: string): boolean => Date.parse(time) < Date.parse(than);

/** Pods of kube-system that watch with what they knew before, and that their controllers make anew. */
async function formerPods(
  context: StepContext,
  access: ControlPlaneAccess,
  since: string,
): Promise<PodReference[]> {
  const of = { apiVersion: 'v1', kind: 'Pod', namespace: 'kube-system' };
  return (await context.kubernetes.list(access, of)).flatMap((object) => {
    const { metadata } = podSchema.parse(object);
    const { name, namespace, uid, creationTimestamp, deletionTimestamp, annotations } = metadata;
    const isMirror = annotations['kubernetes.io/config.mirror'] !== undefined;
    const isFormer = creationTimestamp !== undefined && isOlder(creationTimestamp, since);
    const isGoing = deletionTimestamp !== undefined;
    return isMirror || isGoing || !isFormer || metadata.ownerReferences.length === 0
      ? []
      : [{ name, namespace, uid }];
  });
}

interface Kubelets {
  readonly former: readonly MachineRef[];
  readonly unreached: readonly string[];
}

async function lookAtKubelets(context: StepContext, { machines, since }: Input): Promise<Kubelets> {
  const former: MachineRef[] = [];
  const unreached: string[] = [];
  const look = async (machine: MachineRef): Promise<void> => {
    try {
      const [state] = await context.service.state(machine, ['kubelet.service']);
      if (state?.since !== undefined && isOlder(state.since, since)) former.push(machine);
    } catch (thrown) {
      if (!(thrown instanceof Transient)) throw thrown;
      unreached.push(machine.name);
    }
  };
  for (let at = 0; at < machines.length; at += atOnce)
    await Promise.all(machines.slice(at, at + atOnce).map(look));
  return { former, unreached: unreached.toSorted() };
}

/**
 * Starts whatever watches the API anew. Etcd has gone back to older revisions, and who watches from a newer one hears
 * nothing until they are reached again: kubelets, kube-proxy, the network, whatever runs in kube-system. Controllers of
 * users' own are theirs to restart, which the plan says.
 */
export const watchesRenew = defineStep<Input, RenewalFacts>({
  kind: 'watches.renew',
  version: 1,
  nature: 'act',
  phase: 'verification',
  destructive: false,
  title: () => 'Start anew what watches the API: kubelets, and the pods of kube-system',
  schema: inputSchema,
  limits: lengthy,
  async observe(context, input) {
    const { former, unreached } = await lookAtKubelets(context, input);
    if (former.length > 0)
      return {
        state: 'todo',
        why: `kubelets on ${former.length} machines run since before the data was restored`,
      };
    const pods = input.isBumped ? [] : await formerPods(context, input.access, input.since);
    if (pods.length === 0) return { state: 'done', facts: { unreached } };
    return { state: 'todo', why: `${pods.length} pods of kube-system know what is no more` };
  },
  async apply(context, input) {
    const { former, unreached } = await lookAtKubelets(context, input);
    for (const name of unreached)
      context.log(`${name} does not answer: restart its kubelet when it is back`, name);
    for (let at = 0; at < former.length; at += atOnce)
      await Promise.all(
        former.slice(at, at + atOnce).map((machine) => context.service.restart(machine, 'kubelet.service')),
      );
    if (input.isBumped) return;
    for (const pod of await formerPods(context, input.access, input.since))
      await context.kubernetes.deletePod(input.access, pod);
  },
});
