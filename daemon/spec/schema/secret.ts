import { z } from 'zod';
import { field } from './field.ts';
import { apiVersionSchema, kindSchema, metadataSchema } from './metadata.ts';
import { nameSchema, secretKeySchema, textSchema } from './values.ts';

/**
 * Where a secret value comes from: the store (or a Secret document in the same stream), the environment or a file of
 * whoever runs the CLI. Exactly one; a rule of the stream says so, because a union would hide which one was meant.
 */
export const secretSourceSchema = z.strictObject({
  secretRef: field(nameSchema.optional(), {
    mutability: 'in-place',
    help: 'Name of a secret in the store or of a `kind: Secret` document in the same file.',
    example: 'example-credentials',
  }),
  fromEnv: field(textSchema.optional(), {
    mutability: 'in-place',
    help: 'Environment variable that holds the value; read by the command line, never sent by name.',
    example: 'VCENTER_PASSWORD',
  }),
  fromFile: field(textSchema.optional(), {
    mutability: 'in-place',
    help: 'File that holds the value, relative to the answer file; read by the command line. One newline at its end is dropped.',
    example: 'secrets/password',
  }),
});
export type SecretSource = z.infer<typeof secretSourceSchema>;

/** `kind: Secret`: split off the stream before anything is kept. */
export const secretDocumentSchema = z.strictObject({
  apiVersion: apiVersionSchema,
  kind: kindSchema('Secret'),
  metadata: metadataSchema,
  destination: field(textSchema.optional(), {
    mutability: 'immutable',
    help: 'The server this secret may be given to. When it is absent, the document that refers to the secret decides. A changed destination demands the secret anew.',
    example: 'vcenter.dc1.example',
  }),
  stringData: field(z.record(secretKeySchema, z.union([z.string(), secretSourceSchema])), {
    mutability: 'in-place',
    example: { password: 'example' },
    help: 'The values by key, such as `username` and `password`. A value may be `{fromEnv: NAME}` or `{fromFile: path}`.',
  }),
});
