import { z } from 'zod';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import type { StepContext } from '../contract/step.ts';

/** The ConfigMap in which a cluster carries Remuda's own marks ({@link import('../contract/observed.ts').Observed}). */
export const marksReference = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace: 'kube-system',
  name: 'remuda',
} as const;

const dataSchema = z.object({ data: z.record(z.string(), z.string()).optional() });

/** Key of the mark that says whose cluster it is. */
export const clusterMark = 'cluster';

/** Key of the mark that says which rights groups of people have in the cluster. */
export const accessMark = 'access';

/** Key of the mark that says which masters the cluster's address serves. */
export const endpointMark = 'endpoint';

/** Key of the mark that says what was proven to work last. */
export const verifiedMark = 'verified';

/** Key of the mark that says which restore its data came from last. */
export const restoredMark = 'restored';

/** Key of the mark that says which authorities everybody in the cluster believes, and since when. */
export const authoritiesMark = 'authorities';

/** Key of an add-on's mark: keys of a ConfigMap hold no slash. */
export const addonMark = (name: string): string => `addon.${name.replaceAll('/', '.')}`;

/** All marks; empty when there are none yet. */
export async function readMarks(
  context: StepContext,
  access: ControlPlaneAccess,
): Promise<Readonly<Record<string, string>>> {
  const object = await context.kubernetes.get(access, marksReference);
  return object === undefined ? {} : (dataSchema.parse(object).data ?? {});
}

/**
 * Sets one mark and keeps the others: server-side apply drops what its manager no longer names. Steps that set marks
 * run one after another in every plan.
 */
export async function setMark(
  context: StepContext,
  access: ControlPlaneAccess,
  key: string,
  value: string,
): Promise<void> {
  const data = { ...(await readMarks(context, access)), [key]: value };
  const { apiVersion, kind, ...metadata } = marksReference;
  await context.kubernetes.apply(access, [{ apiVersion, kind, metadata, data }]);
}
