import { z } from 'zod';
import { field } from './field.ts';
import { secretSourceSchema } from './secret.ts';
import { authorityUrlSchema, mountSchema, textSchema } from './values.ts';

/** Who may sign a cluster's authorities, in the order of the manual. */
export const authorityTypes = ['selfSigned', 'given', 'server'] as const;

const givenSchema = z.strictObject({ credentials: secretSourceSchema });

const serverSchema = z.strictObject({
  url: field(authorityUrlSchema, {
    mutability: 'immutable',
    help: 'Address of a Vault or OpenBao server: `https://host[:port]`.',
    example: 'https://vault.dc1.example:8200',
  }),
  mount: field(mountSchema.default('pki'), {
    mutability: 'immutable',
    help: 'Path under which its PKI engine is mounted.',
    example: 'pki_intermediate',
  }),
  trusted: field(textSchema.optional(), {
    mutability: 'immutable',
    help: 'PEM of the only certificate authorities that are believed when the server says who it is; the public ones when left out.',
  }),
  credentials: secretSourceSchema,
});

/** What the certificates of a cluster hang on (row H12). */
export const certificatesSchema = z.strictObject({
  authority: z
    .strictObject({
      type: field(z.enum(authorityTypes).default('selfSigned'), {
        mutability: 'immutable',
        help: "Who signs the cluster's own authorities: they themselves; an intermediate authority whose certificate and key you give (`tls.crt`, `tls.key`); or a Vault or OpenBao server (`token`). The section of the same name describes it. Needed once, when the cluster is first planned.",
        example: 'server',
      }),
      given: givenSchema.optional(),
      server: serverSchema.optional(),
    })
    .prefault({}),
});
