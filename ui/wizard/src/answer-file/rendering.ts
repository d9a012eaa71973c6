import { parse } from 'yaml';
import { isSection } from './stream.ts';

/** What single quotes cannot hold, or not on one line. */
const unprintable = /[\p{Cc}\ufeff\u2028\u2029]/u;

/** How an existing value was quoted; kept when it is replaced by another string. */
export type Quoting = 'PLAIN' | 'QUOTE_DOUBLE' | 'QUOTE_SINGLE';

/** Strings that no YAML reader, old or new, takes for anything but a string, also inside brackets. */
const harmless = /^(?:[A-Za-z_/][\w./-]*(?: [\w./-]+)*|\d+(?:\.\d+){2,}(?:[-/][\d.]+)?|\d+[A-Za-z]{1,2})$/;
/** Words that YAML 1.1 took for booleans. */
const formerBoolean = /^(?:y|n|yes|no|on|off)$/i;

/** A scalar as YAML, valid in a block and inside brackets, on one line. */
export function renderScalar(value: unknown, quoting: Quoting = 'PLAIN'): string {
  if (typeof value !== 'string') return value === null || value === undefined ? 'null' : String(value);
  if (quoting === 'QUOTE_SINGLE' && !unprintable.test(value)) return `'${value.replaceAll("'", "''")}'`;
  const isPlain = quoting === 'PLAIN' && harmless.test(value) && !formerBoolean.test(value);
  return isPlain && parse(value) === value ? value : JSON.stringify(value);
}

/** A key of a mapping. */
const renderKey = (key: string): string => renderScalar(key);

/** A text of several lines that can stand as it is, without a letter changed: such as a script. */
export const isLines = (value: unknown): value is string =>
  typeof value === 'string' && value.trim() !== '' && value.includes('\n') && !unshowable.test(value);

/** What a literal block cannot hold: everything that ends no line and shows nothing, but the tab. */
const unshowable = /[^\P{Cc}\t\n]|[\ufeff\u2028\u2029]/u;

/** A text as a literal block: its head, and each line behind `indent` spaces; no line break at the end. */
export function renderLines(value: string, indent: number): string {
  const margin = ' '.repeat(indent);
  // Where the first line is indented itself, YAML has to be told how far the margin goes.
  const indicator = /^\n*[ \t]/.test(value) ? '2' : '';
  const keep = value.endsWith('\n\n') ? '+' : '';
  const chomping = value.endsWith('\n') ? keep : '-';
  const lines = (value.endsWith('\n') ? value.slice(0, -1) : value).split('\n');
  const written = lines.map((line) => (line === '' ? '' : `${margin}${line}`)).join('\n');
  return `|${indicator}${chomping}\n${written}`;
}

/** Any value inside brackets. */
export function renderFlow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(renderFlow).join(', ')}]`;
  if (!isSection(value)) return renderScalar(value);
  const pairs = Object.entries(value).map(([key, part]) => `${renderKey(key)}: ${renderFlow(part)}`);
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
}

/** Whether a value is written on lines of its own: mappings, and lists of mappings. */
export const isBlock = (value: unknown): boolean =>
  (isSection(value) && Object.keys(value).length > 0) ||
  (Array.isArray(value) && value.some((entry) => isBlock(entry)));

/** Lines of a value for which {@link isBlock} holds, each behind `indent` spaces; no line break at the end. */
export function renderBlock(value: unknown, indent: number): string {
  const margin = ' '.repeat(indent);
  if (Array.isArray(value))
    return value
      .map((entry) => {
        if (isLines(entry)) return `${margin}- ${renderLines(entry, indent + 2)}`;
        const hanging = isBlock(entry) ? renderBlock(entry, indent + 2).trimStart() : renderFlow(entry);
        return `${margin}- ${hanging}`;
      })
      .join('\n');
  return Object.entries(isSection(value) ? value : {})
    .map(([key, part]) => `${margin}${renderPair(key, part, indent)}`)
    .join('\n');
}

/** `key: value`, with what needs lines of its own below it. The first line has no margin. */
export function renderPair(key: string, value: unknown, indent: number): string {
  if (isBlock(value)) return `${renderKey(key)}:\n${renderBlock(value, indent + 2)}`;
  if (isLines(value)) return `${renderKey(key)}: ${renderLines(value, indent + 2)}`;
  return `${renderKey(key)}: ${renderFlow(value)}`;
}
