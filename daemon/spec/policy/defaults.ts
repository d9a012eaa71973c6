import type { PolicyDocument } from '../documents.ts';
import { policyDocumentSchema } from '../schema/policy.ts';

/** Production is what is named or labelled so. */
const isProduction =
  "object.metadata.name.startsWith('prod') || ('environment' in object.metadata.labels && object.metadata.labels.environment == 'production')";

const policy = (name: string, expression: string, message: string): PolicyDocument =>
  policyDocumentSchema.parse({
    apiVersion: 'remuda.dev/v1alpha1',
    kind: 'Policy',
    metadata: { name },
    spec: { action: 'Warn', validations: [{ expression: `!(${isProduction}) || ${expression}`, message }] },
  });

/** Policies that Remuda comes with. They warn; one of the same name replaces them, and they can be removed. */
export const defaultPolicies: readonly PolicyDocument[] = [
  policy(
    'production-has-three-masters',
    'object.spec.controlPlane.replicas >= 3',
    'A production cluster has three masters: with fewer, one that fails takes the cluster along.',
  ),
  policy(
    'production-has-two-workers',
    'object.spec.workers.map(group, group.replicas).exists(count, count >= 2) || size(object.spec.workers) >= 2',
    'A production cluster has two workers: with one, its failure stops what runs there.',
  ),
  policy(
    'production-is-protected',
    'object.spec.deletion.protected',
    'A production cluster is protected from being deleted: write deletion.protected: true.',
  ),
];
