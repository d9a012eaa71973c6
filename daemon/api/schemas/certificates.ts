import { z } from 'zod';

const level = z
  .enum(['expired', 'critical', 'warning', 'notice', 'ok'])
  .describe('`notice` from 90 days before the end on, `warning` from 30, `critical` from 7.');

/** What lists say of a cluster's certificates. */
export const certificateSummarySchema = z
  .object({
    level,
    seenAt: z.string(),
    count: z.int().describe('How many are at that level.'),
    first: z
      .object({ machine: z.string(), name: z.string(), notAfter: z.string() })
      .exactOptional()
      .describe('The first of them to end.'),
  })
  .meta({ id: 'CertificateSummary' });

/** One certificate of a master. */
const certificateSchema = z
  .object({
    machine: z.string(),
    name: z.string().describe('As kubeadm names it: `apiserver`, `etcd/server`, `admin.conf`.'),
    notAfter: z.string(),
    remaining: z.number().describe('Milliseconds; negative when it is over.'),
    level,
    keeper: z
      .enum(['kubeadm', 'kubelet', 'rotation', 'nobody', 'somebody else'])
      .describe('Who makes it anew: `kubeadm` is what `renew` renews.'),
    issuer: z.string().exactOptional().describe('Common name of who signed it.'),
    authorityEnds: z.string().exactOptional().describe('When its authority ends, if that is sooner.'),
  })
  .meta({ id: 'Certificate' });

/** All certificates of a cluster's masters, as last seen. */
export const certificateListSchema = z
  .object({
    seenAt: z.string().exactOptional(),
    unseen: z.string().exactOptional().describe('Why there are none.'),
    level,
    renewalDue: z.string().exactOptional().describe('When the next renewal is due; in the past: overdue.'),
    rotation: z
      .object({
        stage: z
          .enum(['trust', 'reissue'])
          .exactOptional()
          .describe('How far the authorities are rotated; absent where one alone is believed.'),
        since: z.string().exactOptional().describe('Since when the stage is begun.'),
        isFinished: z.boolean().describe('Whether the operation of the stage has ended well.'),
        next: z.enum(['trust', 'reissue', 'drop']).describe('The stage to begin, or to go on with.'),
      })
      .describe('The rotation of the authorities of the cluster.'),
    certificates: z.array(certificateSchema).readonly(),
    workers: z
      .array(z.string())
      .readonly()
      .describe("Machines with no certificate but their kubelet's, which it renews by itself."),
  })
  .meta({ id: 'CertificateList' });
export type CertificateList = z.infer<typeof certificateListSchema>;
