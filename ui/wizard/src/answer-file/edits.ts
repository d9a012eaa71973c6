import { isMap, isScalar, isSeq, type Pair, type ParsedNode, type YAMLMap, type YAMLSeq } from 'yaml';
import {
  isBlock,
  isLines,
  type Quoting,
  renderBlock,
  renderFlow,
  renderLines,
  renderPair,
  renderScalar,
} from './rendering.ts';
import type { Path } from './stream.ts';

/** Text from `start` to `end` becomes `text`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

type ParsedMap = YAMLMap.Parsed;
type ParsedSeq = YAMLSeq.Parsed;
type ParsedPair = Pair<ParsedNode, ParsedNode | null>;

/** A node on the way to a path, with what is needed to write in its place. */
export interface Spot {
  readonly node: ParsedNode | null;
  /** The pair whose value it is; absent for the root and for entries of lists. */
  readonly pair?: ParsedPair;
  readonly parent?: ParsedMap | ParsedSeq;
  /** Inside brackets everything stays on its line. */
  readonly isInFlow: boolean;
}

/** One step down; undefined when there is nothing of that name. */
export function childOf(spot: Spot, part: string | number): Spot | undefined {
  const { node } = spot;
  if (isMap(node)) {
    const pair = pairOf(node, part);
    if (pair === undefined) return undefined;
    return { node: pair.value, pair, parent: node, isInFlow: spot.isInFlow || node.flow === true };
  }
  if (isSeq(node) && typeof part === 'number') {
    const entry = node.items[part];
    if (entry === undefined) return undefined;
    return { node: entry, parent: node, isInFlow: spot.isInFlow || node.flow === true };
  }
  return undefined;
}

const pairOf = (map: ParsedMap, key: string | number): ParsedPair | undefined =>
  (map.items as ParsedPair[]).find(
    (pair) => isScalar(pair.key) && (pair.key.value === key || String(pair.key.value) === String(key)),
  );

/** Where the last word of a node ends, without the comments and blank lines behind it. */
function endOf(node: ParsedNode | null, otherwise = 0): number {
  if (isMap(node) && !node.flow) {
    const last = node.items.at(-1) as ParsedPair | undefined;
    return last === undefined ? node.range[1] : endOfPair(last);
  }
  if (isSeq(node) && !node.flow) return endOf(node.items.at(-1) ?? null, node.range[1]);
  return node === null ? otherwise : node.range[1];
}

const endOfPair = (pair: ParsedPair): number => Math.max(pair.key.range[1], endOf(pair.value));

/** Position of the line break that ends the line of a position; the text's length on the last line. */
function lineEnd(text: string, position: number): number {
  if (text[position - 1] === '\n') return position - 1;
  const found = text.indexOf('\n', position);
  return found === -1 ? text.length : found;
}

const lineStart = (text: string, position: number): number => text.lastIndexOf('\n', position - 1) + 1;

const columnOf = (text: string, position: number): number => position - lineStart(text, position);

/** Position behind the colon of a pair. */
const behindColon = (text: string, pair: ParsedPair): number => text.indexOf(':', pair.key.range[1]) + 1;

/** Puts another value in the place of a node. Undefined = not possible by a plain edit. */
export function replaceNode(text: string, spot: Spot, value: unknown): Edit | undefined {
  const { node, pair } = spot;
  const isNothing = node === null || node.range[0] === node.range[1];
  const isOnLines = isBlock(value) && !spot.isInFlow;
  if (isScalar(node) && !isNothing && !isBlock(value) && !Array.isArray(value)) {
    const lines = linesInPlaceOf(text, spot, value);
    if (lines !== undefined) return lines;
    const isQuoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE';
    if (!isQuoted && node.type !== 'PLAIN') return undefined;
    const quoting: Quoting = isQuoted ? (node.type as Quoting) : 'PLAIN';
    return { start: node.range[0], end: node.range[1], text: renderScalar(value, quoting) };
  }
  if (pair === undefined) return replaceEntry(text, spot, value);
  const colon = behindColon(text, pair);
  const indent = columnOf(text, pair.key.range[0]) + 2;
  if (isNothing) {
    if (!isOnLines) return { start: colon, end: colon, text: ` ${renderFlow(value)}` };
    const end = lineEnd(text, colon);
    return { start: end, end, text: `\n${renderBlock(value, indent)}` };
  }
  const isBare = text.slice(colon, node.range[0]).trim() === '';
  if (!isBare) return undefined;
  const written = isOnLines ? `\n${renderBlock(value, indent)}` : ` ${renderFlow(value)}`;
  return { start: colon, end: endOf(node), text: written };
}

/** Where a literal block ends: behind its last line that is not empty; empty ones belong to whoever comes next. */
function endOfLines(text: string, start: number, column: number): number {
  let end = lineEnd(text, start);
  for (let from = end + 1; from <= text.length; ) {
    const to = lineEnd(text, from + 1);
    const line = text.slice(from, to);
    if (line.trim() !== '' && line.search(/[^ ]/) <= column) break;
    if (line !== '') end = to;
    from = to + 1;
  }
  return end;
}

/** A text that had lines of its own, or has them from now on; undefined where it stays on its line. */
function linesInPlaceOf(text: string, { node, pair, isInFlow }: Spot, value: unknown): Edit | undefined {
  if (!isScalar(node) || pair === undefined || isInFlow || typeof value !== 'string') return undefined;
  const hadLines = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED';
  if (!hadLines && !isLines(value)) return undefined;
  const [start, whole] = node.range;
  // A comment behind the mark of a block stays with whoever can keep it.
  if (hadLines && /^[^\n]*#/.test(text.slice(start, whole))) return undefined;
  const column = columnOf(text, pair.key.range[0]);
  const end = hadLines ? endOfLines(text, start, column) : whole;
  return { start, end, text: value.trim() === '' ? renderScalar(value) : renderLines(value, column + 2) };
}

function replaceEntry(text: string, { node, isInFlow }: Spot, value: unknown): Edit | undefined {
  if (node === null || node.range[0] === node.range[1]) return undefined;
  const [start] = node.range;
  const written =
    isBlock(value) && !isInFlow ? renderBlock(value, columnOf(text, start)).trimStart() : renderFlow(value);
  return { start, end: endOf(node), text: written };
}

/** Adds a key to a mapping, or an entry to the end of a list. Undefined = not possible by a plain edit. */
export function insert(text: string, spot: Spot, part: string | number, value: unknown): Edit | undefined {
  const { node } = spot;
  const wrapped = typeof part === 'number' ? [value] : { [part]: value };
  const isNothing = node === null || (isScalar(node) && node.value === null);
  if (isNothing) return replaceNode(text, { ...spot, node: null }, wrapped);
  if (!isMap(node) && !isSeq(node)) return undefined;
  if (isMap(node) !== (typeof part === 'string')) return undefined;
  if (node.items.length === 0) return replaceNode(text, spot, wrapped);
  if (node.flow) {
    const inside = typeof part === 'number' ? renderFlow(value) : renderFlow(wrapped).slice(2, -2);
    const last = isMap(node) ? endOfPair(node.items.at(-1) as ParsedPair) : endOf(node.items.at(-1) ?? null);
    return { start: last, end: last, text: `, ${inside}` };
  }
  const end = lineEnd(text, endOf(node));
  const indent = columnOf(text, node.range[0]);
  const margin = ' '.repeat(indent);
  const written =
    typeof part === 'number' ? renderBlock([value], indent) : margin + renderPair(part, value, indent);
  return {
    start: end,
    end,
    text: `\n${isSeq(node) && !isBlock([value]) ? `${margin}- ${renderFlow(value)}` : written}`,
  };
}

/** Takes a key or an entry away, with its line. Undefined = not possible by a plain edit. */
export function remove(text: string, spot: Spot, container: Spot): Edit | undefined {
  const { parent, pair, node } = spot;
  if (parent === undefined) return undefined;
  const index = parent.items.indexOf((pair ?? node) as never);
  if (parent.flow) return removeInFlow(parent, index);
  const start = pair === undefined ? dashOf(text, node) : pair.key.range[0];
  if (start === undefined || text.slice(lineStart(text, start), start).trim() !== '') return undefined;
  const end = lineEnd(text, pair === undefined ? endOf(node) : endOfPair(pair));
  if (parent.items.length > 1) {
    const isLastLine = end === text.length;
    const from = lineStart(text, start);
    return { start: isLastLine ? Math.max(0, from - 1) : from, end: isLastLine ? end : end + 1, text: '' };
  }
  if (container.pair === undefined) return undefined;
  // The last one goes: what held it stays, empty, with the comments between.
  const colon = behindColon(text, container.pair);
  const between = text.slice(colon, lineStart(text, start)).replace(/\n$/, '');
  return { start: colon, end, text: ` ${isMap(parent) ? '{}' : '[]'}${between}` };
}

function removeInFlow(parent: ParsedMap | ParsedSeq, index: number): Edit | undefined {
  const bounds = (place: number): readonly [number, number] | undefined => {
    const item = parent.items[place];
    if (item === undefined) return undefined;
    if (isMap(parent)) {
      const pair = item as ParsedPair;
      return [pair.key.range[0], endOfPair(pair)];
    }
    const { range } = item as ParsedNode;
    return [range[0], range[1]];
  };
  const [here, next, before] = [bounds(index), bounds(index + 1), bounds(index - 1)];
  if (here === undefined) return undefined;
  if (next) return { start: here[0], end: next[0], text: '' };
  if (before) return { start: before[1], end: here[1], text: '' };
  return { start: parent.range[0], end: parent.range[1], text: isMap(parent) ? '{}' : '[]' };
}

function dashOf(text: string, node: ParsedNode | null): number | undefined {
  if (node === null) return undefined;
  const dash = text.lastIndexOf('-', node.range[0]);
  return dash === -1 || text.slice(dash + 1, node.range[0]).trim() !== '' ? undefined : dash;
}

/** The spots from the root to a path, as far as they exist. */
export function spotsTo(root: ParsedNode | null, path: Path): readonly Spot[] {
  const spots: Spot[] = [{ node: root, isInFlow: false }];
  for (const part of path) {
    const next = childOf(spots.at(-1) as Spot, part);
    if (next === undefined) break;
    spots.push(next);
  }
  return spots;
}
