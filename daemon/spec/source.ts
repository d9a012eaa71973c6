/** Line and column, both from 1; columns count UTF-16 units, as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One document of a stream, still text, with where it begins in the whole. */
export interface Chunk {
  readonly text: string;
  /** Offset in the whole text. */
  readonly start: number;
  /** Its number among the stream's documents, from 1. */
  readonly number: number;
}

/** Translates offsets of a text into positions. */
export function positionsOf(text: string): (offset: number) => Position {
  const starts = [0];
  for (let index = text.indexOf('\n'); index !== -1; index = text.indexOf('\n', index + 1))
    starts.push(index + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

const hasContent = (text: string) =>
  text
    .replace(/^---/, '')
    .split('\n')
    .some((line) => !/^\s*(#.*|\.\.\.\s*)?$/.test(line));

const isDirectives = (text: string) => /^(\s*(#.*)?\n)*%/.test(text);

/**
 * Splits a stream at its document marks, so that one broken document hides no other. A mark is a line that begins with
 * `---`; YAML allows none inside a document (YAML 1.2.2 §9.1.2, `c-forbidden`). Chunks without content are left out.
 */
export function splitDocuments(text: string): Chunk[] {
  const marks = [...text.matchAll(/^---(?=\s|$)/gm)].map((mark) => mark.index);
  const starts = marks[0] === 0 ? marks : [0, ...marks];
  const chunks: Chunk[] = [];
  let directives = -1;
  for (const [index, start] of starts.entries()) {
    const part = text.slice(start, starts[index + 1] ?? text.length);
    if (isDirectives(part) && starts[index + 1] !== undefined) {
      directives = start;
      continue;
    }
    const from = directives === -1 ? start : directives;
    directives = -1;
    const whole = text.slice(from, start + part.length);
    if (hasContent(part)) chunks.push({ text: whole, start: from, number: chunks.length + 1 });
  }
  return chunks;
}

/** The text with a chunk replaced by as many empty lines, so that the lines after it keep their numbers. */
export const blankLines = (text: string): string => text.replace(/[^\n]+/g, '');
