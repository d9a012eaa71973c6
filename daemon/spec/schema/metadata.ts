import { z } from 'zod';
import { field } from './field.ts';
import { labelsSchema, nameSchema, textSchema } from './values.ts';

/** `apiVersion` of every document of this release. */
export const API_VERSION = 'remuda.dev/v1alpha1';

/** The envelope's `apiVersion`. */
export const apiVersionSchema = field(z.literal(API_VERSION), {
  mutability: 'immutable',
  help: 'Version of the answer file format.',
  example: API_VERSION,
});

/** `kind` of a document. */
export function kindSchema<Kind extends string>(kind: Kind) {
  return field(z.literal(kind), {
    mutability: 'immutable',
    help: 'What this document describes.',
    example: kind,
  });
}

/** `metadata` of every document. */
export const metadataSchema = z.strictObject({
  name: field(nameSchema, {
    mutability: 'immutable',
    help: 'Name of this object, unique among its kind. A DNS label: lower-case letters, digits and hyphens.',
    example: 'example',
  }),
  uid: field(textSchema.optional(), {
    mutability: 'immutable',
    help: 'Identity Remuda gave to the object. Printed by `get -o yaml`; leave it out of new files.',
  }),
  labels: field(labelsSchema.default({}), {
    mutability: 'in-place',
    help: 'Labels of your own, for selecting and grouping. They are not put on machines.',
  }),
});
