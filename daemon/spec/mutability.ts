import { z } from 'zod';
import { canonicalJson, type Json } from '../../provisioners/contract/json.ts';
import type { ClusterDocument, ProviderDocument } from './documents.ts';
import { isSection } from './issue.ts';
import { documentSchemas } from './reading.ts';
import type { Mutability } from './schema/field.ts';
import { fieldsOf, unwrap } from './schema/walk.ts';

/** One difference between two revisions of a document. */
export interface ChangedField {
  /** `spec.controlPlane.replicas`; entries of a list with names by name: `spec.workers[general].replicas`. */
  readonly field: string;
  readonly mutability: Mutability;
  /** Undefined = was not there. Sizes in bytes. */
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

/** From what costs least to what cannot be done. */
const severity: readonly Mutability[] = ['in-place', 'new-machines-only', 'rolling-replace', 'immutable'];

/**
 * The differences between two revisions of one document, in the order of the file. The uid is no field of the user's
 * and is not compared.
 * @throws Error when the documents are of different kinds: the caller's mistake.
 */
export function changedFields<Document extends ProviderDocument | ClusterDocument>(
  before: Document,
  after: Document,
): ChangedField[] {
  if (before.kind !== after.kind) throw new Error(`cannot compare a ${before.kind} with a ${after.kind}`);
  return compare(documentSchemas[after.kind], before, after, '').filter(
    (change) => change.field !== 'metadata.uid',
  );
}

function compare(schema: z.core.$ZodType, before: unknown, after: unknown, path: string): ChangedField[] {
  const { inner, metadata } = unwrap(schema);
  if (inner instanceof z.ZodObject && (isSection(before) || isSection(after))) {
    return Object.entries(inner.shape).flatMap(([name, child]) =>
      compare(child, partOf(before, name), partOf(after, name), path === '' ? name : `${path}.${name}`),
    );
  }
  const key = inner instanceof z.ZodArray ? keyOf(inner.element) : undefined;
  if (inner instanceof z.ZodArray && key !== undefined)
    return compareNamed(inner.element, key, listOf(before), listOf(after), path);
  if (canonical(before) === canonical(after)) return [];
  const mutability = metadata?.mutability ?? strictest(schema);
  return [{ field: path, mutability, before: asJson(before), after: asJson(after) }];
}

/** The field that names the entries of a list of sections; lists without one are compared whole. */
function keyOf(element: z.core.$ZodType): string | undefined {
  const { inner } = unwrap(element);
  if (!(inner instanceof z.ZodObject)) return undefined;
  const { shape } = inner;
  return ['name', 'address'].find((name) => Object.hasOwn(shape, name));
}

/** Entries that come or go are the scaling of a list: done in place, entry by entry. */
function compareNamed(
  element: z.core.$ZodType,
  key: string,
  before: readonly unknown[],
  after: readonly unknown[],
  path: string,
): ChangedField[] {
  const nameOf = (entry: unknown) => String(partOf(entry, key));
  const names = [...new Set([...before, ...after].map(nameOf))];
  return names.flatMap((name) => {
    const earlier = before.find((entry) => nameOf(entry) === name);
    const later = after.find((entry) => nameOf(entry) === name);
    const field = `${path}[${name}]`;
    if (earlier !== undefined && later !== undefined) return compare(element, earlier, later, field);
    return [{ field, mutability: 'in-place' as const, before: asJson(earlier), after: asJson(later) }];
  });
}

/** The strictest mutability below a section. */
function strictest(schema: z.core.$ZodType): Mutability {
  const found = new Set(fieldsOf(schema).flatMap((entry) => entry.metadata?.mutability ?? []));
  return severity.findLast((candidate) => found.has(candidate)) ?? 'immutable';
}

const partOf = (value: unknown, name: string): unknown =>
  isSection(value) && Object.hasOwn(value, name) ? value[name] : undefined;

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const asJson = (value: unknown): Json | undefined =>
  value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as Json);

function canonical(value: unknown): string | undefined {
  const json = asJson(value);
  return json === undefined ? undefined : canonicalJson(json);
}
