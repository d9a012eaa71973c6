import { z } from 'zod';
import { compile, longestExpression } from '../policy/expression.ts';
import { field } from './field.ts';
import { apiVersionSchema, kindSchema, metadataSchema } from './metadata.ts';
import { textSchema } from './values.ts';

/** A CEL expression that can be read and gives what is asked for. */
const expression = (result: 'bool' | 'string') =>
  textSchema.max(longestExpression).superRefine((value, context) => {
    const compiled = compile(value, result);
    if (compiled.isValid) return;
    const summary = `This CEL expression cannot be used: ${compiled.reason}.`;
    const remedy =
      result === 'bool'
        ? 'Write one that is true or false of object, oldObject, request.operation and request.principal.'
        : 'Write one that gives text, like "found " + string(object.spec.controlPlane.replicas).';
    context.addIssue({ code: 'custom', message: summary, params: { code: 'SPEC-081', summary, remedy } });
  });

const patternSchema = z.string().superRefine((value, context) => {
  if (/^[a-z0-9*]([a-z0-9*-]{0,62})$/.test(value)) return;
  const summary = 'This is neither the name of a cluster nor a pattern of names.';
  const remedy = 'Write a name, or * for any letters: prod-*.';
  context.addIssue({ code: 'custom', message: summary, params: { code: 'SPEC-080', summary, remedy } });
});

const validationSchema = z.strictObject({
  expression: field(expression('bool'), {
    mutability: 'in-place',
    help: 'CEL expression that is true of a cluster that may be. It knows `object` (the Cluster as asked for, with its defaults; sizes in bytes; null when it is deleted), `oldObject` (as it was before, or null), `request.operation` and `request.principal`.',
    example: 'object.spec.controlPlane.replicas >= 3',
  }),
  message: field(textSchema.max(1000).optional(), {
    mutability: 'in-place',
    help: 'What a person reads when it is not true. Without it the expression itself is shown.',
    example: 'Production has three masters.',
  }),
  messageExpression: field(expression('string').optional(), {
    mutability: 'in-place',
    help: 'CEL expression that gives the message; `message` is shown when it cannot be evaluated.',
    example: '"found " + string(object.spec.controlPlane.replicas) + " masters"',
  }),
});

/** What may be judged, in Kubernetes' words (admissionregistration.k8s.io, RuleWithOperations). */
export const policyOperations = ['CREATE', 'UPDATE', 'DELETE'] as const;
export type PolicyOperation = (typeof policyOperations)[number];

/** `kind: Policy`: what clusters may be like, in the style of Kubernetes' ValidatingAdmissionPolicy. */
export const policyDocumentSchema = z.strictObject({
  apiVersion: apiVersionSchema,
  kind: kindSchema('Policy'),
  metadata: metadataSchema,
  spec: z.strictObject({
    match: z
      .strictObject({
        clusters: field(z.array(patternSchema).min(1).max(100).optional(), {
          mutability: 'in-place',
          help: 'Names of clusters, or patterns with `*`, for which it holds. Without it: for all.',
          example: ['prod-*'],
        }),
        operations: field(z.array(z.enum(policyOperations)).min(1).max(3).optional(), {
          mutability: 'in-place',
          help: 'What is judged: CREATE, UPDATE, DELETE. Without it: CREATE and UPDATE. When a cluster is deleted, `object` is null and `oldObject` the cluster.',
          example: ['DELETE'],
        }),
      })
      .prefault({}),
    action: field(z.enum(['Warn', 'Deny']).default('Warn'), {
      mutability: 'in-place',
      help: 'Whether a cluster that breaks it is refused, or only spoken of in the plan.',
      example: 'Deny',
    }),
    validations: z.array(validationSchema).min(1).max(50),
  }),
});
