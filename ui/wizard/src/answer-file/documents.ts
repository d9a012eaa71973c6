import { renderBlock } from './rendering.ts';
import { parseDocuments, type Section } from './stream.ts';

/** Puts a document in front of a stream. */
export const prependDocument = (text: string, value: Section): string =>
  text.trim() === ''
    ? `${renderBlock(value, 0)}\n`
    : `${renderBlock(value, 0)}\n---\n${text.replace(/^---\n/, '')}`;

/** Takes a document out of a stream, with its separator and its comments. */
export function removeDocument(text: string, index: number): string {
  const documents = parseDocuments(text);
  const document = documents[index];
  if (document === undefined) return text;
  const lines = text.split('\n');
  const marks = lines.flatMap((line, number) => (/^---(\s|$)/.test(line) ? [number] : []));
  const hasLeadingMark =
    lines.slice(0, marks[0] ?? 0).every((line) => /^\s*(#.*)?$/.test(line)) && marks[0] !== undefined;
  const starts = hasLeadingMark ? marks : [0, ...marks];
  const from = starts[index] ?? 0;
  const to = starts[index + 1] ?? lines.length;
  const rest = [...lines.slice(0, from), ...lines.slice(index === 0 && !hasLeadingMark ? to + 1 : to)];
  const left = rest.join('\n');
  return left.endsWith('\n') ? left : `${left}\n`;
}
