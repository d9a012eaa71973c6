import { z } from 'zod';
import { certificateSummarySchema } from './certificates.ts';
import { healthSummarySchema } from './health.ts';
import { operationViewSchema } from './operation.ts';

const instant = z.string();
const document = z.record(z.string(), z.unknown()).readonly();

/** A cluster in lists. */
export const clusterViewSchema = z
  .object({
    uid: z.string(),
    name: z.string(),
    provider: z.string(),
    phase: z.enum([
      'Pending',
      'Provisioning',
      'Ready',
      'Updating',
      'Waiting',
      'AwaitingFinalize',
      'Failed',
      'Deleting',
      'Deleted',
    ]),
    revision: z.int(),
    digest: z.string(),
    createdAt: instant,
    operation: operationViewSchema.exactOptional(),
    health: healthSummarySchema.exactOptional().describe('Absent while nobody looks after it.'),
    certificates: certificateSummarySchema.exactOptional().describe('Absent while none were seen.'),
  })
  .meta({ id: 'Cluster' });
export type ClusterView = z.infer<typeof clusterViewSchema>;

/** What was last seen of a cluster; see the contract's `Observed`. A part that could not be seen is absent. */
export const observedSchema = z
  .object({
    at: instant,
    infrastructure: z.object({
      state: z.enum(['absent', 'present', 'partial', 'unknown']),
      detail: z.string(),
    }),
    machines: z
      .array(
        z.object({
          name: z.string(),
          incarnation: z.int(),
          role: z.enum(['control-plane', 'worker', 'etcd']),
          id: z.string(),
          state: z.enum(['creating', 'running', 'off', 'broken', 'deleting']),
          detail: z.string().exactOptional(),
          address: z.string().exactOptional(),
        }),
      )
      .readonly()
      .exactOptional(),
    nodes: z
      .array(
        z.object({
          name: z.string(),
          ready: z.boolean(),
          notReadyBecause: z.string().exactOptional(),
          unschedulable: z.boolean(),
          cordonedBy: z.string().exactOptional().describe('Operation of ours that closed it to new pods.'),
          kubeletVersion: z.string(),
          controlPlane: z.boolean(),
          internalAddress: z.string().exactOptional(),
        }),
      )
      .readonly()
      .exactOptional(),
    apiVersion: z.string().exactOptional(),
    voters: z
      .array(
        z.object({
          id: z.string(),
          name: z.string(),
          started: z.boolean(),
          learner: z.boolean(),
          healthy: z.boolean(),
          leader: z.boolean(),
        }),
      )
      .readonly()
      .exactOptional(),
    certificates: z
      .array(
        z.object({
          machine: z.string(),
          name: z.string(),
          notAfter: instant,
          issuer: z.string().exactOptional().describe('Common name of who signed it.'),
        }),
      )
      .readonly()
      .exactOptional(),
    retired: z
      .record(
        z.string(),
        z.object({
          mode: z.enum(['destroy', 'keep', 'off']),
          reason: z.enum(['surplus', 'removed', 'replaced', 'changed', 'upgraded']),
          since: instant,
          isFenced: z.boolean().describe('Kept, and proven to take no part any more.'),
        }),
      )
      .readonly()
      .exactOptional()
      .describe('Machines that leave, or have left and are kept.'),
    unseen: z.array(z.string()).readonly(),
  })
  .meta({ id: 'Observed' });
export type Observed = z.infer<typeof observedSchema>;

/** A cluster with what is asked and what was last seen. */
export const clusterDetailSchema = clusterViewSchema
  .extend({
    desired: document,
    yaml: z.string().describe('The document, to be applied again.'),
    text: z.string(),
    observed: observedSchema.exactOptional(),
  })
  .meta({ id: 'ClusterDetail' });
export type ClusterDetail = z.infer<typeof clusterDetailSchema>;

/** A machine of a cluster, as last seen: provider's view and Node together. */
export const machineViewSchema = z
  .object({
    cluster: z.string(),
    name: z.string(),
    role: z.string(),
    state: z.string().describe("The provider's word, or `unseen`."),
    address: z.string().exactOptional(),
    node: z
      .enum(['Ready', 'NotReady', 'absent', 'unseen', 'none'])
      .describe('Its Node; `none` for a machine of etcd alone, which is not to have one.'),
    notReadyBecause: z.string().exactOptional(),
    departure: z
      .enum(['leaving', 'kept', 'unfenced'])
      .exactOptional()
      .describe(
        'It is to leave the cluster; has left it and was kept, sealed off; or could not be fenced and may run still.',
      ),
    unfencedBecause: z.string().exactOptional().describe('Why it could not be fenced.'),
    version: z.string().exactOptional(),
    seenAt: instant,
  })
  .meta({ id: 'Machine' });
export type MachineView = z.infer<typeof machineViewSchema>;

export const providerViewSchema = z
  .object({
    name: z.string(),
    type: z.string(),
    site: z.string(),
    document,
    clusters: z.array(z.string()).readonly(),
    updatedAt: instant,
  })
  .meta({ id: 'Provider' });
export type ProviderView = z.infer<typeof providerViewSchema>;

export const payloadSchema = z
  .object({
    name: z.string(),
    kubernetesVersion: z.string(),
    flavour: z.enum(['lab', 'upstream']),
    bytes: z.number(),
    digest: z.string(),
    provenance: z.string(),
  })
  .meta({ id: 'Payload' });
export type PayloadView = z.infer<typeof payloadSchema>;
