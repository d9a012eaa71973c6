import { z } from 'zod';
import { isSection, type Issue, valueAt } from './issue.ts';
import { isOmittable, type Path, schemaAt, unwrap } from './schema/walk.ts';

/** What could be read of a document that has mistakes, so that the rules across fields can still be told. */
export interface Salvaged<Document> {
  readonly document: Document;
  /** Paths whose values are not the user's: rules must not speak of them. */
  readonly distrusted: readonly Path[];
}

/** Rounds of repair: a section filled in may itself lack something. */
const ROUNDS = 6;

/**
 * Takes what the schema refused out of a document, or puts the field's example in its place where it is required, and
 * reads it again. Undefined when that leads nowhere; then only the schema's problems are told.
 */
export function salvage<Document>(
  schema: z.ZodType<Document>,
  value: unknown,
): Salvaged<Document> | undefined {
  const repaired: unknown = structuredClone(value);
  const distrusted: Path[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const result = schema.safeParse(repaired);
    if (result.success) return { document: result.data, distrusted };
    for (const issue of result.error.issues) distrusted.push(...repair(schema, repaired, issue));
  }
  return undefined;
}

function repair(schema: z.ZodType, root: unknown, issue: Issue): Path[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) remove(root, [...path, key]);
    return [];
  }
  const position = path.findLastIndex((part) => typeof part === 'number');
  const isListItem = position !== -1 && position === path.length - 1;
  const target = isListItem ? path.slice(0, -1) : path;
  remove(root, target);
  const { schema: wanted } = schemaAt(schema, target);
  const isRecordEntry = isInsideRecord(schema, target);
  if (wanted !== undefined && !isOmittable(wanted) && !isRecordEntry) set(root, target, exampleOf(wanted));
  return [target];
}

function isInsideRecord(schema: z.ZodType, path: Path): boolean {
  const { schema: parent } = schemaAt(schema, path.slice(0, -1));
  return parent !== undefined && unwrap(parent).inner instanceof z.ZodRecord;
}

/** A value that satisfies the schema: the field's example, or a section of the examples of its required fields. */
function exampleOf(schema: z.core.$ZodType): unknown {
  const { inner, metadata } = unwrap(schema);
  if (metadata?.example !== undefined) return structuredClone(metadata.example);
  if (inner instanceof z.ZodObject)
    return Object.fromEntries(
      Object.entries(inner.shape)
        .filter(([, child]) => !isOmittable(child))
        .map(([name, child]) => [name, exampleOf(child)]),
    );
  return inner instanceof z.ZodArray ? [] : undefined;
}

function remove(root: unknown, path: Path): void {
  const parent = valueAt(root, path.slice(0, -1));
  const last = path.at(-1);
  if (isSection(parent) && typeof last === 'string') Reflect.deleteProperty(parent, last);
}

function set(root: unknown, path: Path, value: unknown): void {
  const parent = valueAt(root, path.slice(0, -1));
  const last = path.at(-1);
  if (isSection(parent) && typeof last === 'string')
    Object.defineProperty(parent, last, { value, enumerable: true, configurable: true, writable: true });
}
