import {
  constructFromEvents,
  EVENT_ALIAS,
  EVENT_DOCUMENT,
  EVENT_MAPPING,
  EVENT_POP,
  EVENT_SCALAR,
  EVENT_SEQUENCE,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE_PLAIN,
  YAMLException,
  type Event,
  type ScalarEvent,
} from 'js-yaml';
import type { Json } from '../../provisioners/contract/json.ts';
import { shorten } from './schema/shortening.ts';
import { syntaxSummary } from './syntax-messages.ts';

/** A scalar of YAML: its value by the core schema, and the text the user wrote. */
export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** As written, without quotes; empty for nothing. */
  readonly raw: string;
  readonly isPlain: boolean;
  readonly start: number;
  readonly end: number;
}
/** One `key: value`. */
export interface Entry {
  readonly key: string;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly value: Node;
}
/** A mapping; later entries of a repeated key are reported and left out. */
export interface MappingNode {
  readonly kind: 'mapping';
  readonly entries: Entry[];
  readonly start: number;
}
/** A sequence. */
interface SequenceNode {
  readonly kind: 'sequence';
  readonly items: Node[];
  readonly start: number;
}
/** A document as a tree that knows where every part was written. An alias is its anchor's node. */
export type Node = ScalarNode | MappingNode | SequenceNode;

/** Something wrong with the YAML itself, at an offset of the text. */
export interface TreeProblem {
  readonly code: string;
  readonly offset: number;
  readonly summary: string;
  readonly remedy: string;
  /** Path to the place, as far as known. */
  readonly path: readonly (string | number)[];
  /** Offset of an earlier place the sentence points at; its line is put in the place of `LINE`. */
  readonly earlier?: number;
}

/** Most nodes a document may have once its aliases are followed: far above any real file, far below a bomb. */
const MAXIMUM_NODES = 20_000;

interface Frame {
  readonly node: MappingNode | SequenceNode;
  readonly anchor: string | undefined;
  readonly path: readonly (string | number)[];
  /** Field names so far and where each stands; asked for every field, hence no search through the entries. */
  readonly names: Map<string, number>;
  key?: { readonly text: string; readonly start: number; readonly end: number } | undefined;
}

/** A document composed from parser events. */
class TreeBuilder {
  readonly problems: TreeProblem[] = [];
  root: Node | undefined;
  readonly #text: string;
  readonly #frames: Frame[] = [];
  readonly #anchors = new Map<string, Node>();
  readonly #open: string[] = [];
  /** Depth inside a collection that is used as a key: read over. */
  #skipping = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Takes one event of the parser. */
  take(event: Event): void {
    if (event.type === EVENT_DOCUMENT) return;
    if (this.#skipping > 0) {
      this.#skipOver(event);
      return;
    }
    if (event.type === EVENT_POP) {
      const frame = this.#frames.pop();
      if (frame?.anchor !== undefined) this.#open.splice(this.#open.lastIndexOf(frame.anchor), 1);
      return;
    }
    const frame = this.#frames.at(-1);
    if (frame?.node.kind === 'mapping' && frame.key === undefined) {
      this.#takeKey(frame, event);
      return;
    }
    this.#takeValue(event);
  }

  #skipOver(event: Event): void {
    if (event.type === EVENT_POP) this.#skipping -= 1;
    if (event.type === EVENT_MAPPING || event.type === EVENT_SEQUENCE) this.#skipping += 1;
  }

  #takeKey(frame: Frame, event: Event): void {
    if (event.type === EVENT_SCALAR) {
      const start = Math.max(event.valueStart, 0);
      frame.key = { text: getScalarValue(this.#text, event), start, end: Math.max(event.valueEnd, start) };
      return;
    }
    const offset = event.type === EVENT_ALIAS ? event.anchorStart : startOf(event);
    this.#report(
      'SPEC-008',
      offset,
      [...frame.path, '?'],
      'A field name must be plain text.',
      'Write `name: value`.',
    );
    frame.key = { text: '?', start: offset, end: offset };
    if (event.type === EVENT_MAPPING || event.type === EVENT_SEQUENCE) this.#skipping = 1;
  }

  #takeValue(event: Event): void {
    const path = this.#pathOfNext();
    if (event.type === EVENT_ALIAS) {
      this.#place(this.#resolveAlias(event, path));
      return;
    }
    if (event.type !== EVENT_SCALAR && event.type !== EVENT_MAPPING && event.type !== EVENT_SEQUENCE) return;
    if (event.tagStart !== -1)
      this.#report(
        'SPEC-006',
        event.tagStart,
        path,
        'YAML tags (words beginning with "!") are not read in an answer file.',
        'Leave the tag out; quote the value if it should be text.',
      );
    const anchor =
      event.anchorStart === -1 ? undefined : this.#text.slice(event.anchorStart, event.anchorEnd);
    const node = this.#nodeOf(event);
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    this.#place(node);
    if (node.kind === 'scalar') return;
    if (anchor !== undefined) this.#open.push(anchor);
    this.#frames.push({ node, anchor, path, names: new Map() });
  }

  #nodeOf(event: Event): Node {
    if (event.type === EVENT_MAPPING) return { kind: 'mapping', entries: [], start: event.start };
    if (event.type === EVENT_SEQUENCE) return { kind: 'sequence', items: [], start: event.start };
    return scalarOf(this.#text, event as ScalarEvent, this.#frames.at(-1)?.key?.end ?? 0);
  }

  #resolveAlias(event: { anchorStart: number; anchorEnd: number }, path: readonly (string | number)[]): Node {
    const name = this.#text.slice(event.anchorStart, event.anchorEnd);
    const found = this.#anchors.get(name);
    const nothing: ScalarNode = {
      kind: 'scalar',
      value: '',
      raw: '',
      isPlain: true,
      start: event.anchorStart - 1,
      end: event.anchorEnd,
    };
    if (found === undefined) {
      this.#report(
        'SPEC-005',
        event.anchorStart - 1,
        path,
        'This alias (a word beginning with "*") refers to an anchor that is not there.',
        'Define the anchor with "&" before it is used, or quote the value if it should be text.',
      );
      return nothing;
    }
    if (!this.#open.includes(name)) return found;
    this.#report(
      'SPEC-003',
      event.anchorStart - 1,
      path,
      'This alias refers to the very section it stands in, which would never end.',
      'Write the fields out instead of using the alias.',
    );
    return nothing;
  }

  #pathOfNext(): readonly (string | number)[] {
    const frame = this.#frames.at(-1);
    if (!frame) return [];
    return [
      ...frame.path,
      frame.node.kind === 'sequence' ? frame.node.items.length : (frame.key?.text ?? ''),
    ];
  }

  #place(node: Node): void {
    const frame = this.#frames.at(-1);
    if (!frame) {
      this.root = node;
      return;
    }
    if (frame.node.kind === 'sequence') {
      frame.node.items.push(node);
      return;
    }
    const { text: key, start, end } = frame.key ?? { text: '?', start: 0, end: 0 };
    frame.key = undefined;
    if (key === '__proto__') {
      // JavaScript keeps no such field: schema libraries drop it without a word.
      const summary = 'No field can have this name.';
      this.#report('SPEC-008', start, [...frame.path, key], summary, 'Choose another name.');
      return;
    }
    const earlier = frame.names.get(key);
    if (earlier === undefined) {
      frame.names.set(key, start);
      frame.node.entries.push({ key, keyStart: start, keyEnd: end, value: node });
    } else
      this.problems.push({
        code: 'SPEC-002',
        offset: start,
        path: [...frame.path, key],
        summary: `The field "${shorten(key)}" is written twice in the same section; the first time in line LINE.`,
        remedy: 'Keep one of the two.',
        earlier,
      });
  }

  #report(code: string, offset: number, path: readonly (string | number)[], summary: string, remedy: string) {
    this.problems.push({ code, offset, path, summary, remedy });
  }
}

const startOf = (event: Event): number => ('start' in event ? event.start : 0);

function scalarOf(text: string, event: ScalarEvent, fallback: number): ScalarNode {
  if (event.valueStart === -1)
    return { kind: 'scalar', value: null, raw: '', isPlain: true, start: fallback, end: fallback };
  const isPlain = event.style === SCALAR_STYLE_PLAIN;
  const raw = getScalarValue(text, event);
  const untagged = { ...event, tagStart: -1, tagEnd: -1, anchorStart: -1, anchorEnd: -1 };
  const document: Event = { type: EVENT_DOCUMENT, explicitStart: false, explicitEnd: false, directives: [] };
  const [value] = isPlain
    ? constructFromEvents([document, untagged, { type: EVENT_POP }], { source: text })
    : [raw];
  const isScalar = value === null || ['string', 'number', 'boolean'].includes(typeof value);
  return {
    kind: 'scalar',
    value: isScalar ? (value as ScalarNode['value']) : raw,
    raw,
    isPlain,
    start: event.valueStart,
    end: event.valueEnd,
  };
}

/** Reads one document. The root is absent when the text is not YAML at all. */
export function parseTree(text: string): { root: Node | undefined; problems: readonly TreeProblem[] } {
  const builder = new TreeBuilder(text);
  try {
    const events = parseEvents(text, { maxDepth: 60 });
    for (const [index, event] of events.entries()) {
      const isSecond = event.type === EVENT_DOCUMENT && index > 0;
      if (isSecond) throw new YAMLException('a second document without a mark');
      builder.take(event);
    }
  } catch (thrown) {
    return { root: undefined, problems: [...builder.problems, syntaxProblem(text, thrown)] };
  }
  const { root, problems } = builder;
  const hasCycle = problems.some((problem) => problem.code === 'SPEC-003');
  if (root === undefined || hasCycle || countNodes(root) <= MAXIMUM_NODES) return { root, problems };
  const summary = `With its aliases written out, this document has more than ${MAXIMUM_NODES} values.`;
  const bomb = {
    code: 'SPEC-004',
    offset: root.start,
    path: [],
    summary,
    remedy: 'Use fewer aliases of aliases.',
  };
  return { root: undefined, problems: [...problems, bomb] };
}

function syntaxProblem(text: string, thrown: unknown): TreeProblem {
  if (!(thrown instanceof YAMLException)) throw thrown;
  const offset = Math.min(thrown.mark?.position ?? 0, text.length);
  const { summary, remedy, code } = syntaxSummary(thrown.reason, text.slice(offset, offset + 20));
  return { code, offset, path: [], summary, remedy };
}

/** Values of a tree with aliases followed, counting stops just above the maximum. */
function countNodes(root: Node): number {
  let count = 0;
  const pending: Node[] = [root];
  for (let node = pending.pop(); node !== undefined && count <= MAXIMUM_NODES; node = pending.pop()) {
    count += 1;
    if (node.kind === 'sequence') for (const item of node.items) pending.push(item);
    if (node.kind === 'mapping') for (const entry of node.entries) pending.push(entry.value);
  }
  return count;
}

/** The value of a tree as JSON. Numbers that JSON has not (infinity, not-a-number) stay the text they were. */
export function valueOf(node: Node): Json {
  if (node.kind === 'sequence') return node.items.map(valueOf);
  if (node.kind === 'scalar')
    return typeof node.value === 'number' && !Number.isFinite(node.value) ? node.raw : node.value;
  // `__proto__` must become a field like any other (and be refused as unknown), hence no plain assignment.
  return Object.fromEntries(node.entries.map((entry) => [entry.key, valueOf(entry.value)]));
}
