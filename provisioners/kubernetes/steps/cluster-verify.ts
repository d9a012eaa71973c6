import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../../contract/json.ts';
import { Transient } from '../../contract/problem.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import { accessSchema, endpointSchema, type NoFacts } from '../cluster-settings.ts';
import { awaitedOfCluster } from '../cluster-health.ts';
import { areControllersDeaf, replaceLeadingControllers } from '../deaf-controllers.ts';
import { proof } from '../limits.ts';
import { readMarks, setMark, verifiedMark } from '../marks.ts';
import { nodeThatAnswered, probeObjects, probeReferences, probeService } from '../probe.ts';

const inputSchema = z.strictObject({
  /** Every Node there must be. */
  nodes: z.array(z.string()).min(1),
  /** Every etcd voter there must be, and no other. */
  voters: z.array(z.string()).min(1),
  kubernetesVersion: z.string(),
  endpoint: endpointSchema,
  access: accessSchema,
});
type Input = z.infer<typeof inputSchema>;

/** What was proven: the planner makes the same and plans the proof whenever the cluster's mark is another. */
export function verifiedDigest(proven: Pick<Input, 'nodes' | 'voters' | 'kubernetesVersion'>): string {
  const { nodes, voters, kubernetesVersion } = proven;
  const text = canonicalJson({ nodes: nodes.toSorted(), voters: voters.toSorted(), kubernetesVersion });
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** How long pods may take to be started and answer everywhere; which pod answers is chance, so large clusters take longer. */
const patience = (nodes: number): number => seconds(120) + nodes * seconds(0.5);

/**
 * Endpoints are made within a second; where nobody has answered after so long, it is asked whether the controller-manager is
 * deaf, and helped once. In a large cluster the proof itself takes longer.
 */
const deafAfter = seconds(10);

/** Asks the Service until a pod of every node has answered; which one answers is chance, so it is asked often. */
async function askEveryNode(context: StepContext, { nodes, access }: Input): Promise<void> {
  const began = Date.parse(context.now());
  const until = began + patience(nodes.length);
  let isHelped = false;
  const silent = new Set(nodes);
  while (silent.size > 0) {
    const bodies = await Promise.all(
      Array.from({ length: 8 }, () => context.kubernetes.throughService(access, probeService, '/')),
    );
    const before = silent.size;
    for (const body of bodies) silent.delete(nodeThatAnswered(body) ?? '');
    context.progress(nodes.length - silent.size, nodes.length, 'nodes answered through the Service');
    if (silent.size === 0) return;
    if (Date.parse(context.now()) > until) {
      const names = [...silent].join(', ');
      throw new Transient(
        'VERIFY-001',
        `No pod on ${names} answered through the Service ${probeService.name}.`,
        {
          remedy:
            'Look at the network add-on and kube-proxy on these nodes; if the Service has no endpoints, at the kube-controller-manager. Then resume.',
        },
      );
    }
    const isNobodyHeard = silent.size === nodes.length;
    if (!isHelped && isNobodyHeard && Date.parse(context.now()) - began > deafAfter) {
      isHelped = true;
      if (await areControllersDeaf(context, access, probeService))
        await replaceLeadingControllers(context, access);
    }
    if (silent.size === before) await context.sleep(seconds(1));
  }
}

async function removeProbe(context: StepContext, { access }: Input): Promise<void> {
  for (const reference of probeReferences) await context.kubernetes.remove(access, reference);
}

/**
 * The final proof: every Node Ready, etcd healthy with exactly the right voters, the API through its endpoint, and a
 * pod on every node reached through a Service. The probe is taken out again whatever happens.
 */
export const clusterVerify = defineStep<Input, NoFacts>({
  kind: 'cluster.verify',
  version: 1,
  nature: 'ensure',
  phase: 'verification',
  destructive: false,
  title: ({ nodes }) => `Prove that the cluster works on all ${nodes.length} machines`,
  schema: inputSchema,
  limits: proof,
  async observe(context, input) {
    const [awaited, marks, leftover] = await Promise.all([
      awaitedOfCluster(context, input),
      readMarks(context, input.access),
      context.kubernetes.get(input.access, probeReferences[0]),
    ]);
    if (awaited.length > 0)
      return {
        state: 'pending',
        what: 'the nodes, etcd and the API to be well',
        lastSeen: awaited.join('; '),
        since: context.now(),
        usually: seconds(30),
      };
    const isProven = marks[verifiedMark] === verifiedDigest(input);
    // Once asked, Kubernetes takes the pods out by itself; the kubelet's own housekeeping may need a minute for that.
    const isGoing = leftover?.metadata['deletionTimestamp'] !== undefined;
    if (!isProven && isGoing)
      return {
        state: 'pending',
        what: 'the pods of an earlier proof to be gone',
        lastSeen: 'they are on their way out',
        since: context.now(),
        usually: seconds(30),
      };
    if (!isProven) return { state: 'todo', why: 'no pod was reached on every node yet' };
    if (leftover !== undefined && !isGoing)
      return { state: 'broken', why: 'the pods of the proof are still there' };
    return { state: 'done', facts: {} };
  },
  async apply(context, input) {
    const marks = await readMarks(context, input.access);
    if (marks[verifiedMark] === verifiedDigest(input)) return removeProbe(context, input);
    await context.kubernetes.apply(input.access, probeObjects(input.kubernetesVersion));
    await askEveryNode(context, input);
    await removeProbe(context, input);
    // Last of all: once it is there no plan asks for the proof, and what was left of it would stay for ever.
    await setMark(context, input.access, verifiedMark, verifiedDigest(input));
  },
});
