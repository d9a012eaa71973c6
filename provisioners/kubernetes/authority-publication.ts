import { z } from 'zod';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import type { KubernetesObject, ObjectReference } from '../contract/ports/kubernetes.ts';
import { type ClusterKeys, trustedCertificates } from '../contract/secrets.ts';
import type { StepContext } from '../contract/step.ts';
import { believesAll, digestOfAuthorities, digestOfCertificates } from './authority-trust.ts';

/** What kubeadm tells machines that join: a kubeconfig without a user (phases/bootstraptoken/clusterinfo). */
const clusterInfo = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace: 'kube-public',
  name: 'cluster-info',
} as const;

const dataSchema = z.object({ data: z.record(z.string(), z.string()).optional() });
const dataOf = (object: KubernetesObject): Readonly<Record<string, string>> =>
  dataSchema.parse(object).data ?? {};

const authorityData = /(certificate-authority-data:\s*)(\S+)/u;

/** The ConfigMap as it should be; undefined where it is so, or is not there. */
export async function strayClusterInfo(
  context: StepContext,
  access: ControlPlaneAccess,
): Promise<KubernetesObject | undefined> {
  const found = await context.kubernetes.get(access, clusterInfo);
  const before = found && dataOf(found)['kubeconfig'];
  const { kubernetes } = await context.secrets.clusterKeys();
  const data = Buffer.from(trustedCertificates(kubernetes)).toString('base64');
  const kubeconfig = before?.replace(authorityData, (all, head: string, told: string) =>
    digestOfCertificates(Buffer.from(told, 'base64').toString()) === digestOfAuthorities({ kubernetes })
      ? all
      : `${head}${data}`,
  );
  if (kubeconfig === undefined || kubeconfig === before) return undefined;
  const { apiVersion, kind, ...metadata } = clusterInfo;
  return { apiVersion, kind, metadata, data: { kubeconfig } };
}

/** The ConfigMap of every namespace that its pods are given (pkg/controller/certificates/rootcacertpublisher). */
const rootAuthority = 'kube-root-ca.crt';
const accountToken = 'kubernetes.io/service-account-token';

const decode = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString();

/** Secrets with tokens of service accounts: what pods were given before Kubernetes 1.21, and what people make still. */
const tokenSecrets = (context: StepContext, access: ControlPlaneAccess): Promise<KubernetesObject[]> =>
  context.kubernetes.list(access, {
    apiVersion: 'v1',
    kind: 'Secret',
    fieldSelector: `type=${accountToken}`,
  });

/** Namespaces whose pods are not given everything yet that is believed. */
export async function unpublishedNamespaces(
  context: StepContext,
  access: ControlPlaneAccess,
): Promise<string[]> {
  const keys = await context.secrets.clusterKeys();
  const [roots, secrets] = await Promise.all([
    context.kubernetes.list(access, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      fieldSelector: `metadata.name=${rootAuthority}`,
    }),
    tokenSecrets(context, access),
  ]);
  const isExact = (text: string): boolean =>
    believesAll(text, keys) && (text.match(/-----BEGIN /gu)?.length ?? 0) <= blocksIn(keys);
  const lagging = [
    ...roots.filter((root) => !isExact(dataOf(root)['ca.crt'] ?? '')),
    ...secrets.filter((secret) => !isExact(decode(dataOf(secret)['ca.crt']))),
  ];
  return [...new Set(lagging.map(({ metadata }) => metadata.namespace ?? ''))].toSorted();
}

/** How many certificates pods are given at most: each that is believed, and whoever signed it. */
const blocksIn = ({ kubernetes: { certificate, chain, incoming, outgoing } }: ClusterKeys): number =>
  [{ certificate, chain }, incoming, outgoing]
    .flatMap((one) => [one?.certificate ?? '', one?.chain ?? ''])
    .join('')
    .match(/-----BEGIN /gu)?.length ?? 0;

const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    deletionTimestamp: z.string().optional(),
  }),
  spec: z.object({
    volumes: z
      .array(
        z.object({
          projected: z
            .object({
              sources: z.array(z.looseObject({ serviceAccountToken: z.unknown().optional() })).optional(),
            })
            .optional(),
          secret: z.object({ secretName: z.string().optional() }).optional(),
        }),
      )
      .optional(),
  }),
  /** `startTime`: when its kubelet began with it; absent before that. */
  status: z.object({ phase: z.string().optional(), startTime: z.string().optional() }).optional(),
});

/** A pod that speaks to the API with a token of its service account. */
export interface SpeakingPod {
  readonly namespace: string;
  readonly name: string;
  readonly since: string;
}

/**
 * Pods that were there before a moment and mount a token of a service account: what they read then of the authorities is
 * all that they believe, because programs read it once, when they start.
 */
export async function speakingSince(
  context: StepContext,
  access: ControlPlaneAccess,
  before: string,
): Promise<SpeakingPod[]> {
  const [pods, secrets] = await Promise.all([
    context.kubernetes.list(access, { apiVersion: 'v1', kind: 'Pod' }),
    tokenSecrets(context, access),
  ]);
  const tokens = new Set(secrets.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`));
  return pods.flatMap((object) => {
    const { metadata, spec, status } = podSchema.parse(object);
    const { namespace, name } = metadata;
    const since = status?.startTime;
    const isOver = ['Succeeded', 'Failed'].includes(status?.phase ?? '');
    const speaks = (spec.volumes ?? []).some(
      ({ projected, secret }) =>
        projected?.sources?.some((source) => source.serviceAccountToken !== undefined) === true ||
        tokens.has(`${namespace}/${secret?.secretName ?? ''}`),
    );
    // Times of objects are in whole seconds.
    const isOld =
      since !== undefined && Math.floor(Date.parse(since) / 1000) <= Math.floor(Date.parse(before) / 1000);
    return speaks && isOld && !isOver && metadata.deletionTimestamp === undefined
      ? [{ namespace, name, since }]
      : [];
  });
}

const workloadSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    generation: z.number().optional(),
    labels: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.object({
    replicas: z.number().optional(),
    updateStrategy: z.object({ type: z.string().optional() }).optional(),
    template: z.object({
      metadata: z.object({ annotations: z.record(z.string(), z.string()).optional() }).optional(),
      spec: z.object({ automountServiceAccountToken: z.boolean().optional() }),
    }),
  }),
  status: z
    .object({
      observedGeneration: z.number().optional(),
      updatedReplicas: z.number().optional(),
      updatedNumberScheduled: z.number().optional(),
      desiredNumberScheduled: z.number().optional(),
    })
    .optional(),
});

/** Annotation of a pods' template that says for which authorities its pods were exchanged last. */
const restartedFor = 'remuda.dev/authorities';

/** A workload of ours or of Kubernetes itself, and whether its pods are new. */
export interface OwnWorkload {
  readonly reference: ObjectReference;
  readonly isMarked: boolean;
  readonly isRolledOut: boolean;
}

/** Workloads that nobody but us restarts: those of kube-system and of our add-ons whose pods are given a token. */
export async function ownWorkloads(
  context: StepContext,
  access: ControlPlaneAccess,
  digest: string,
): Promise<OwnWorkload[]> {
  const lists = await Promise.all(
    ['Deployment', 'DaemonSet', 'StatefulSet'].map((kind) =>
      context.kubernetes.list(access, { apiVersion: 'apps/v1', kind }),
    ),
  );
  return lists.flat().flatMap((object) => {
    const { metadata, spec, status = {} } = workloadSchema.parse(object);
    const { namespace, name, labels, generation = 0 } = metadata;
    const isOurs = namespace === 'kube-system' || labels?.['app.kubernetes.io/managed-by'] === 'remuda';
    if (!isOurs || spec.template.spec.automountServiceAccountToken === false) return [];
    const wanted = status.desiredNumberScheduled ?? spec.replicas ?? 0;
    const renewed = status.updatedNumberScheduled ?? status.updatedReplicas ?? 0;
    const isHeld = spec.updateStrategy?.type === 'OnDelete';
    return {
      reference: { apiVersion: 'apps/v1', kind: object.kind, namespace, name },
      isMarked: spec.template.metadata?.annotations?.[restartedFor] === digest,
      isRolledOut: isHeld || ((status.observedGeneration ?? 0) >= generation && renewed >= wanted),
    };
  });
}

/** Lets the pods of a workload be exchanged, by its own rules. */
export const exchangePods = (
  context: StepContext,
  access: ControlPlaneAccess,
  { reference }: OwnWorkload,
  digest: string,
): Promise<void> => context.kubernetes.markTemplate(access, reference, { key: restartedFor, value: digest });
