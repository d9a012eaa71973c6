import { type Document, isMap, parseAllDocuments, type ParsedNode } from 'yaml';

/** A place in a document: keys and list positions from the root. */
export type Path = readonly (string | number)[];

/** A mapping of plain values. */
export type Section = { readonly [key: string]: unknown };

/** One document of an answer file, as far as it can be read. */
export interface AnswerDocument {
  /** Position in the stream, from 0. */
  readonly index: number;
  readonly kind: string;
  readonly name: string;
  /** The whole document as plain values. */
  readonly value: Section;
}

/** A stream read for the forms. The daemon's validator says what is wrong with it; this only finds the way around. */
export interface AnswerFile {
  readonly documents: readonly AnswerDocument[];
  /** The text is no YAML: the forms can neither show nor change anything before that is mended. */
  readonly isUnreadable: boolean;
}

/** Narrows to a mapping. */
export const isSection = (value: unknown): value is Section =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The documents of a stream with their places in the text; empty documents are among them. */
export const parseDocuments = (text: string): readonly Document<ParsedNode>[] => {
  const documents = parseAllDocuments(text, { uniqueKeys: true, strict: true, version: '1.2' });
  return Array.isArray(documents) ? documents : [];
};

/** Reads a stream. Never throws: half-typed text is what an editor holds most of the time. */
export function readAnswerFile(text: string): AnswerFile {
  const parsed = parseDocuments(text);
  const isUnreadable = parsed.some((document) => document.errors.length > 0);
  const documents = parsed.flatMap((document, index): AnswerDocument[] => {
    if (document.errors.length > 0 || !isMap(document.contents)) return [];
    const value = plainValue(document);
    if (!isSection(value)) return [];
    const name = valueAt(value, ['metadata', 'name']);
    return [
      {
        index,
        kind: typeof value['kind'] === 'string' ? value['kind'] : '',
        name: typeof name === 'string' ? name : '',
        value,
      },
    ];
  });
  return { documents, isUnreadable };
}

function plainValue(document: Document<ParsedNode>): unknown {
  try {
    // A bound on aliases: a few lines can stand for gigabytes.
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    return undefined;
  }
}

/** The value at a path; undefined when there is none. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (Array.isArray(value) && typeof part === 'number') value = value[part];
    else if (isSection(value) && typeof part === 'string' && Object.hasOwn(value, part)) value = value[part];
    else return undefined;
  }
  return value;
}

/** The daemon's notation of a path: `spec.workers[0].replicas`. */
export const fieldName = (path: Path): string =>
  path
    .map((part, place) => (typeof part === 'number' ? `[${part}]` : `${place === 0 ? '' : '.'}${part}`))
    .join('');
