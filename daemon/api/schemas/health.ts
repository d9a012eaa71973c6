import { z } from 'zod';
import { problemReportSchema } from './problem.ts';
import { alertReceiverSchema } from '../../operations/health/alert-receiver.ts';

const instant = z.string().describe('RFC 3339, UTC, milliseconds.');
const status = z.enum(['True', 'False', 'Unknown']);

/** How a cluster is, in lists. */
export const healthSummarySchema = z
  .object({
    status: z.enum(['Healthy', 'Degraded', 'Unhealthy', 'Unknown']),
    since: instant.describe('Since when the condition that decides it is so.'),
    message: z.string().exactOptional().describe('What is wrong, or cannot be seen.'),
  })
  .meta({ id: 'HealthSummary' });
export type HealthSummary = z.infer<typeof healthSummarySchema>;

/** A condition by Kubernetes' pattern: good when it is `True`. */
export const conditionSchema = z
  .object({
    type: z.enum([
      'AgentConnected',
      'MachinesFenced',
      'BackupsMade',
      'ApiServerHealthy',
      'EtcdHealthy',
      'NodesReady',
      'CertificatesValid',
      'VersionsAligned',
      'DiskSpace',
    ]),
    status,
    severity: z
      .enum(['warning', 'critical'])
      .optional()
      .describe('Of `False`: `critical` when the cluster cannot do its work now.'),
    reason: z.string().describe('One word in CamelCase.'),
    message: z.string(),
    remedy: z.string().optional(),
    machine: z.string().optional(),
    lastTransitionTime: instant,
  })
  .meta({ id: 'HealthCondition' });
export type HealthCondition = z.infer<typeof conditionSchema>;

export const clusterHealthSchema = healthSummarySchema
  .extend({
    cluster: z.string(),
    conditions: z.array(conditionSchema).readonly(),
    numbers: z
      .object({
        nodesReady: z.int().optional(),
        nodesTotal: z.int().optional(),
        etcdMembers: z.int().optional(),
        etcdHealthy: z.int().optional(),
        nearestCertificateEnd: instant.optional(),
      })
      .describe('What could be counted; empty while nobody looks.'),
    seenAt: instant.exactOptional().describe('When the agent told something last; it tells changes alone.'),
  })
  .meta({ id: 'ClusterHealth' });
export type ClusterHealth = z.infer<typeof clusterHealthSchema>;

export const transitionSchema = z
  .object({
    number: z.int(),
    at: instant,
    from: status.exactOptional().describe('State before; absent for the first look.'),
    condition: conditionSchema,
  })
  .meta({ id: 'HealthTransition' });
export type HealthTransition = z.infer<typeof transitionSchema>;

export const alertSchema = z
  .object({
    id: z.string(),
    cluster: z.string(),
    state: z.enum(['firing', 'resolved']),
    condition: conditionSchema,
    firedAt: instant,
    resolvedAt: instant.exactOptional(),
  })
  .meta({ id: 'Alert' });
export type Alert = z.infer<typeof alertSchema>;

/** Where alerts go. */
export const alertReceiverRequestSchema = alertReceiverSchema;

export const alertReceiverViewSchema = z
  .object({
    name: z.string(),
    settings: alertReceiverSchema,
    principal: z.string().describe('Who set it last.'),
    updatedAt: instant,
    lag: z.int().describe('Notices that wait for it.'),
    deliveredAt: instant.exactOptional(),
    problem: problemReportSchema.exactOptional().describe('Why the last delivery did not come about.'),
  })
  .meta({ id: 'AlertReceiver' });
export type AlertReceiverView = z.infer<typeof alertReceiverViewSchema>;

export const deliveryTestSchema = z
  .object({ isDelivered: z.boolean(), problem: problemReportSchema.exactOptional() })
  .meta({ id: 'DeliveryTest' });
export type DeliveryTest = z.infer<typeof deliveryTestSchema>;
