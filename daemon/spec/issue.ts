import type { z } from 'zod';
import type { Path } from './schema/walk.ts';

/** Something wrong with a document, placed by path; the stream turns it into a report with line and column. */
export interface DocumentProblem {
  readonly code: string;
  readonly path: Path;
  readonly summary: string;
  readonly remedy: string;
  /** Points at the name of the field instead of its value. */
  readonly atKey?: boolean;
  /** Other values the sentence is about; when one of them is wrong itself, this problem is not told. */
  readonly related?: readonly Path[];
}

/** An issue of a schema. */
export type Issue = z.core.$ZodIssue;

/** A section (list or mapping) of the answer file as plain values. */
export type Section = { readonly [key: string]: unknown };

/** Narrows to a mapping. */
export const isSection = (value: unknown): value is Section =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value at a path of plain values; undefined when there is none. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (Array.isArray(value) && typeof part === 'number') value = value[part];
    else if (isSection(value) && typeof part === 'string' && Object.hasOwn(value, part)) value = value[part];
    else return undefined;
  }
  return value;
}
