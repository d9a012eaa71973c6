import { z } from 'zod';
import { fieldRegistry, type FieldMetadata } from './field.ts';

/** A path into a document: field names and list positions. */
export type Path = readonly (string | number)[];

/** `spec.workers[0].machine.memory`; keys with other characters in quotes: `labels["a.b/c"]`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    if (!/^[A-Za-z_][\w-]*$/.test(part)) return `${text}["${part}"]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/** The schema inside `default`, `prefault`, `optional` and the like; metadata of the outermost that has some. */
export function unwrap(schema: z.core.$ZodType): {
  inner: z.core.$ZodType;
  metadata: FieldMetadata | undefined;
} {
  let inner = schema;
  let metadata = fieldRegistry.get(inner);
  for (;;) {
    const next = innerOf(inner);
    if (next === undefined) return { inner, metadata };
    inner = next;
    metadata ??= fieldRegistry.get(inner);
  }
}

function innerOf(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    return schema.def.innerType;
  if (schema instanceof z.ZodPipe) return schema.def.in;
  return undefined;
}

/** The default of a field as the user would write it; undefined when there is none. */
export function defaultOf(schema: z.core.$ZodType): unknown {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return schema.def.defaultValue;
  const next = innerOf(schema);
  return next === undefined ? undefined : defaultOf(next);
}

/** True when the field may be left out. */
export const isOmittable = (schema: z.core.$ZodType): boolean =>
  schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional;

/** The schema of one part; undefined when there is no such part. */
function step(schema: z.core.$ZodType, part: string | number): z.core.$ZodType | undefined {
  const { inner } = unwrap(schema);
  if (inner instanceof z.ZodObject && typeof part === 'string')
    return Object.hasOwn(inner.shape, part) ? inner.shape[part] : undefined;
  if (inner instanceof z.ZodArray) return inner.element;
  if (inner instanceof z.ZodRecord) return inner.valueType;
  return undefined;
}

/** The schema at a path, and the metadata of the nearest field that holds it. */
export function schemaAt(
  root: z.core.$ZodType,
  path: Path,
): { schema: z.core.$ZodType | undefined; metadata: FieldMetadata | undefined } {
  let schema: z.core.$ZodType | undefined = root;
  let metadata: FieldMetadata | undefined;
  for (const part of path) {
    schema = schema && step(schema, part);
    metadata = (schema && unwrap(schema).metadata) ?? metadata;
  }
  return { schema, metadata };
}

/** One field of a document kind, as the reference lists it. List positions are written `[]`. */
export interface FieldEntry {
  readonly path: string;
  readonly schema: z.core.$ZodType;
  readonly metadata: FieldMetadata | undefined;
  /** True for a value; false for a section that holds fields. */
  readonly isLeaf: boolean;
}

/** Every field below a schema, in the order of the file. */
export function fieldsOf(schema: z.core.$ZodType, prefix = ''): FieldEntry[] {
  const { inner, metadata } = unwrap(schema);
  if (inner instanceof z.ZodObject)
    return Object.entries(inner.shape).flatMap(([name, child]) => {
      const path = prefix === '' ? name : `${prefix}.${name}`;
      return entryOf(path, child).concat(fieldsOf(child, path));
    });
  if (inner instanceof z.ZodArray && metadata === undefined) return fieldsOf(inner.element, `${prefix}[]`);
  return [];
}

function entryOf(path: string, schema: z.core.$ZodType): FieldEntry[] {
  const { inner, metadata } = unwrap(schema);
  const holdsFields = inner instanceof z.ZodObject || (inner instanceof z.ZodArray && metadata === undefined);
  return [{ path, schema, metadata, isLeaf: !holdsFields }];
}
