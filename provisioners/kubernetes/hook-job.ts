import { z } from 'zod';
import type { Occasion } from '../contract/hooks.ts';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import type { KubernetesObject, ObjectReference } from '../contract/ports/kubernetes.ts';
import type { UserProblem } from '../contract/problem.ts';
import type { StepContext } from '../contract/step.ts';
import type { Duration, Instant } from '../contract/time.ts';
import { badEnd, deliveryId, environmentOf } from './hook-occasion.ts';

/** What a Job is made from. */
interface JobRequest {
  readonly access: ControlPlaneAccess;
  readonly occasion: Occasion;
  readonly timeout: Duration;
  readonly image: string;
  readonly command: readonly string[];
  readonly namespace: string;
  readonly serviceAccount?: string;
}

/** A Job of a hook as it is seen. */
export interface HookJob {
  readonly name: string;
  readonly attempt: number;
  readonly state: 'running' | 'succeeded' | 'failed';
  readonly isTimedOut: boolean;
  readonly since: Instant;
  /** What is seen of it, for whoever waits. */
  readonly seen: string;
}

/** Which delivery a Job is; the same in every attempt. */
const deliveryLabel = 'remuda.dev/hook-delivery';
const hookLabel = 'remuda.dev/hook';
const attemptLabel = 'remuda.dev/hook-attempt';

/** So many Jobs of a hook that have ended are kept, so that people can read their logs. */
const keptJobs = 5;

const jobSchema = z.object({
  metadata: z.object({
    name: z.string(),
    creationTimestamp: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
  }),
  status: z
    .object({
      active: z.int().default(0),
      succeeded: z.int().default(0),
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), reason: z.string().default('') }))
        .default([]),
    })
    .prefault({}),
});
type Job = z.infer<typeof jobSchema>;

const kind = { apiVersion: 'batch/v1', kind: 'Job' } as const;

function stateOf({ metadata, status }: Job): HookJob {
  const failed = status.conditions.find(({ type, status: is }) => type === 'Failed' && is === 'True');
  const isDone =
    status.succeeded > 0 ||
    status.conditions.some(({ type, status: is }) => type === 'Complete' && is === 'True');
  const ended = failed === undefined ? 'running' : 'failed';
  return {
    name: metadata.name,
    attempt: Number(metadata.labels[attemptLabel] ?? 0),
    state: isDone ? 'succeeded' : ended,
    isTimedOut: failed?.reason === 'DeadlineExceeded',
    since: metadata.creationTimestamp,
    seen: status.active > 0 ? 'its pod is there and has not ended' : 'it has no pod yet',
  };
}

async function listJobs(
  { kubernetes }: Pick<StepContext, 'kubernetes'>,
  { access, namespace }: JobRequest,
  labelSelector: string,
): Promise<HookJob[]> {
  const found = await kubernetes.list(access, { ...kind, namespace, labelSelector });
  return found
    .map((object) => stateOf(jobSchema.parse(object)))
    .toSorted((one, other) => other.attempt - one.attempt || other.since.localeCompare(one.since));
}

/** The Jobs of this delivery, the newest attempt first. */
export const jobsOf = (context: StepContext, request: JobRequest): Promise<HookJob[]> =>
  listJobs(context, request, `${deliveryLabel}=${deliveryId(context)}`);

/** Jobs of the same hook, of other deliveries, that nobody has to keep. */
export async function formerJobs(context: StepContext, request: JobRequest): Promise<ObjectReference[]> {
  const own = new Set((await jobsOf(context, request)).map(({ name }) => name));
  const all = await listJobs(context, request, `${hookLabel}=${request.occasion.hook}`);
  return all
    .filter(({ name, state }) => state !== 'running' && !own.has(name))
    .toSorted((one, other) => other.since.localeCompare(one.since))
    .slice(keptJobs)
    .map(({ name }) => ({ ...kind, namespace: request.namespace, name }));
}

/** At most 52 characters: pods and labels take the name of their Job, and have 63. */
const nameOf = (context: StepContext, hook: string): string =>
  `remuda-${hook.slice(0, 20).replace(/-+$/, '')}-${deliveryId(context).slice(0, 16)}-${context.attempt}`;

/** The Job of this attempt. It is tried once: what failed is run again by whoever resumes the operation. */
export function jobOf(context: StepContext, request: JobRequest): KubernetesObject {
  const { occasion, timeout, image, command, namespace, serviceAccount } = request;
  const labels = { [hookLabel]: occasion.hook, [deliveryLabel]: deliveryId(context) };
  const env = Object.entries(environmentOf(context, occasion)).map(([name, value]) => ({ name, value }));
  const account =
    serviceAccount === undefined
      ? { automountServiceAccountToken: false }
      : { serviceAccountName: serviceAccount };
  return {
    ...kind,
    metadata: {
      name: nameOf(context, occasion.hook),
      namespace,
      labels: { ...labels, [attemptLabel]: `${context.attempt}` },
      annotations: { 'remuda.dev/operation': context.operation, 'remuda.dev/step': context.step },
    },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: Math.max(1, Math.round(timeout / 1000)),
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: 'Never',
          ...account,
          containers: [{ name: 'hook', image, command: [...command], env }],
        },
      },
    },
  };
}

/** What a failed Job means, with what its pod printed last where that can be read still. */
export async function badEndOfJob(
  context: StepContext,
  request: JobRequest,
  { name, isTimedOut }: HookJob,
): Promise<UserProblem> {
  const { occasion, namespace, timeout } = request;
  return badEnd({
    occasion,
    cluster: context.cluster.name,
    where: `as Job ${namespace}/${name}`,
    isTimedOut,
    timeout,
    lastLines: await lastLines(context, request, name),
  });
}

async function lastLines({ kubernetes }: StepContext, request: JobRequest, job: string): Promise<string[]> {
  const { access, namespace } = request;
  const of = { apiVersion: 'v1', kind: 'Pod', namespace, labelSelector: `job-name=${job}` };
  try {
    const [pod] = await kubernetes.list(access, of);
    if (pod === undefined) return [];
    return [...(await kubernetes.podLog(access, namespace, pod.metadata.name, 20))];
  } catch {
    // A Job that ran out of time has lost its pod; that it failed is known all the same.
    return [];
  }
}
