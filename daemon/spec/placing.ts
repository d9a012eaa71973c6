import type { Place, ProblemReport } from '../../provisioners/contract/problem.ts';
import type { DocumentProblem } from './issue.ts';
import { formatPath, type Path } from './schema/walk.ts';
import { shorten } from './schema/shortening.ts';
import type { Chunk, Position } from './source.ts';
import type { Entry, Node } from './tree.ts';

/** Names under which people write secrets where none belongs. */
const delicate = /passw|secret|token|credential|key|private/i;

/** A document with everything that placing a problem in it takes. */
export interface PlacedDocument {
  readonly file: string;
  readonly chunk: Chunk;
  /** Absent when the text is not YAML. */
  readonly root: Node | undefined;
  /** `Cluster/prod-east`, or `document 2` when it has no name. */
  readonly title: string;
  /** Position of an offset in the whole text. */
  readonly positionAt: (offset: number) => Position;
  /** Paths whose values are secret or may be. */
  readonly isSecret: (path: Path) => boolean;
}

interface Found {
  readonly node: Node | undefined;
  readonly entry: Entry | undefined;
  /** Where the deepest part that exists begins, by name. */
  readonly start: number;
}

function find(root: Node | undefined, path: Path): Found {
  let found: Found = { node: root, entry: undefined, start: root?.start ?? 0 };
  for (const part of path) {
    const { node } = found;
    const entry =
      node?.kind === 'mapping' ? node.entries.find((candidate) => candidate.key === part) : undefined;
    const item = node?.kind === 'sequence' && typeof part === 'number' ? node.items[part] : undefined;
    if (entry) found = { node: entry.value, entry, start: entry.keyStart };
    else if (item) found = { node: item, entry: undefined, start: item.start };
    else return { ...found, node: undefined, entry: undefined };
  }
  return found;
}

/** Whether the user wrote a field. */
export const isWritten = (root: Node | undefined, path: Path): boolean => find(root, path).node !== undefined;

/** The text the user wrote for a scalar, shortened; undefined for sections, missing fields and secrets. */
export function writtenAt(document: PlacedDocument, path: Path): string | undefined {
  const { node } = find(document.root, path);
  if (node?.kind !== 'scalar' || document.isSecret(path)) return undefined;
  return shorten(node.raw);
}

/** The place of a path: of its value, else of its name, else of the nearest section that exists. */
export function placeOf(document: PlacedDocument, path: Path, atKey = false): Place {
  const { node, start } = find(document.root, path);
  const isNothing = node?.kind === 'scalar' && node.value === null;
  // A block section begins a line below its name; the name is what a person looks for.
  const isSection = node !== undefined && node.kind !== 'scalar';
  if (node === undefined || atKey || isNothing || isSection) return placeAt(document, start, path);
  // A quoted value begins at its quotation mark.
  const isQuoted = /["']/.test(document.chunk.text[node.start - 1] ?? '');
  return placeAt(document, isQuoted && !node.isPlain ? node.start - 1 : node.start, path);
}

/** The place of an offset in the document's own text. */
export function placeAt(document: PlacedDocument, offset: number, path: Path): Place {
  const { line, column } = document.positionAt(document.chunk.start + offset);
  const field = formatPath(path);
  const isConfidential = document.isSecret(path) || path.some((part) => delicate.test(String(part)));
  return {
    file: document.file,
    document: document.title,
    ...(field !== '' && { field }),
    line,
    column,
    ...(isConfidential && { confidential: true }),
  };
}

/** A problem of a document as data for clients. */
export function reportProblem(document: PlacedDocument, problem: DocumentProblem): ProblemReport {
  const value = problem.atKey ? undefined : writtenAt(document, problem.path);
  return {
    kind: 'user',
    code: problem.code,
    summary: problem.summary,
    remedy: problem.remedy,
    place: placeOf(document, problem.path, problem.atKey),
    ...(value !== undefined && value !== '' && { value }),
  };
}
