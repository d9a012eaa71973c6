import { z } from 'zod';

/**
 * What a change of a field in the answer file means for a cluster that exists (DESIGN §3). `in-place` covers what
 * only Remuda itself reads, such as maintenance rules.
 */
export type Mutability = 'immutable' | 'in-place' | 'rolling-replace' | 'new-machines-only';

/** How a value is written when it differs from how it is typed: a size is `16Gi` in the file and bytes here. */
type Notation = 'size';

/** What stands beside every field of the answer file; the reference, the forms and the planner read it. */
export interface FieldMetadata {
  readonly mutability: Mutability;
  /** What the field is for, for a person who has not read the manual. Sentences. */
  readonly help: string;
  /** A value that is valid by itself, as a user would write it. */
  readonly example?: string | number | boolean | readonly string[] | Readonly<Record<string, string>>;
  readonly notation?: Notation;
}

/** The metadata of every field; kept apart from zod's global registry so that nothing else can write into it. */
export const fieldRegistry: z.core.$ZodRegistry<FieldMetadata> = z.registry<FieldMetadata>();

/** Declares a field: its schema (defaults included) and its metadata. Call it outermost, after `default`/`optional`. */
export function field<Schema extends z.ZodType>(schema: Schema, metadata: FieldMetadata): Schema {
  const declared = schema.clone() as Schema;
  fieldRegistry.add(declared, metadata);
  return declared;
}
