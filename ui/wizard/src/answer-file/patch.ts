import { type Document, isAlias, isCollection, type ParsedNode } from 'yaml';
import { type Edit, insert, remove, replaceNode, type Spot, spotsTo } from './edits.ts';
import { isSection, parseDocuments, type Path, valueAt } from './stream.ts';

/**
 * Sets one value of one document; `undefined` takes it away. Only the words that stand for the value change: comments,
 * order, quotes and spaces of everything else stay as the person wrote them. Where that cannot be done by an edit (the
 * value hangs on an anchor, say), the document is written anew by the YAML library, which keeps comments, too.
 * @param index position of the document in the stream
 * @throws Error when the stream is no YAML or has no such document: the forms are not shown then.
 */
export function setValue(text: string, index: number, path: Path, value: unknown): string {
  const before = documentAt(text, index);
  const now = valueAt(before.toJS(), path);
  if (isEqual(now, value)) return text;
  const edited = setByEdits(text, index, path, value);
  if (edited !== undefined && isAsWanted(edited, index, before, path, value)) return edited;
  return setByLibrary(text, index, path, value);
}

function documentAt(text: string, index: number): Document<ParsedNode> {
  const document = parseDocuments(text)[index];
  if (document === undefined || document.errors.length > 0)
    throw new Error(`document ${index} of the answer file cannot be read`);
  return document;
}

/** Lists and sections are changed part by part, so that the parts that stay keep their words. */
function setByEdits(text: string, index: number, path: Path, value: unknown): string | undefined {
  const document = documentAt(text, index);
  const spots = spotsTo(document.contents, path);
  const spot = spots[path.length];
  const isThere = spot !== undefined;
  if (spots.some(({ node }) => isAlias(node) || hasAnchor(node))) return undefined;
  if (isThere && value !== undefined) {
    const now = valueAt(document.toJS(), path);
    if (isSection(now) && isSection(value) && Object.keys(value).length > 0)
      return setParts(text, index, path, now, value);
    if (Array.isArray(now) && Array.isArray(value) && value.length > 0 && now.length > 0)
      return setEntries(text, index, path, now, value);
  }
  return applyEdit(text, editFor(text, spots, path, value));
}

function editFor(text: string, spots: readonly Spot[], path: Path, value: unknown): Edit | undefined {
  const spot = spots[path.length];
  if (value === undefined) {
    const container = spots[path.length - 1];
    return spot === undefined || container === undefined ? undefined : remove(text, spot, container);
  }
  if (spot !== undefined) return replaceNode(text, spot, value);
  const deepest = spots.at(-1);
  const part = path[spots.length - 1];
  if (deepest === undefined || part === undefined) return undefined;
  return insert(text, deepest, part, wrap(path.slice(spots.length), value));
}

/** A value inside the sections that lead to it. */
const wrap = (path: Path, value: unknown): unknown =>
  path.reduceRight<unknown>((inner, part) => (typeof part === 'number' ? [inner] : { [part]: inner }), value);

function setParts(
  text: string,
  index: number,
  path: Path,
  now: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
): string | undefined {
  const names = new Set([...Object.keys(wanted), ...Object.keys(now)]);
  let edited: string | undefined = text;
  for (const name of names) {
    if (edited === undefined) return undefined;
    if (!isEqual(now[name], wanted[name])) edited = setByEdits(edited, index, [...path, name], wanted[name]);
  }
  return edited;
}

/** What two lists have in common at both ends stays untouched; the middle is changed entry by entry. */
function setEntries(
  text: string,
  index: number,
  path: Path,
  now: readonly unknown[],
  wanted: readonly unknown[],
): string | undefined {
  const shorter = Math.min(now.length, wanted.length);
  let head = 0;
  while (head < shorter && isEqual(now[head], wanted[head])) head += 1;
  let tail = 0;
  while (tail < shorter - head && isEqual(now.at(-1 - tail), wanted.at(-1 - tail))) tail += 1;
  // An entry put in before others would have to be moved around them: the list is written anew from there.
  if (wanted.length > now.length && tail > 0) tail = 0;
  let edited: string | undefined = text;
  const common = Math.min(now.length, wanted.length) - tail;
  for (let place = head; place < common && edited !== undefined; place += 1)
    edited = setByEdits(edited, index, [...path, place], wanted[place]);
  for (let place = now.length - tail - 1; place >= wanted.length - tail && edited !== undefined; place -= 1)
    edited = setByEdits(edited, index, [...path, place], undefined);
  for (let place = now.length; place < wanted.length && edited !== undefined; place += 1)
    edited = setByEdits(edited, index, [...path, place], wanted[place]);
  return edited;
}

const applyEdit = (text: string, edit: Edit | undefined): string | undefined =>
  edit && text.slice(0, edit.start) + edit.text + text.slice(edit.end);

/** An edit counts only when the daemon would read from it exactly what was meant. */
function isAsWanted(
  edited: string,
  index: number,
  before: Document<ParsedNode>,
  path: Path,
  value: unknown,
): boolean {
  const after = parseDocuments(edited)[index];
  if (after === undefined || after.errors.length > 0) return false;
  return isEqual(after.toJS(), withValue(before.toJS(), path, value));
}

/** The plain values with another one at a path. */
export function withValue(root: unknown, path: Path, value: unknown): unknown {
  const [part, ...rest] = path;
  if (part === undefined) return value;
  if (typeof part === 'number') {
    const list = Array.isArray(root) ? [...root] : [];
    if (rest.length === 0 && value === undefined) list.splice(part, 1);
    else list[part] = withValue(list[part], rest, value);
    return list;
  }
  const section = isSection(root) ? { ...root } : {};
  const inner = withValue(section[part], rest, value);
  if (inner === undefined) delete section[part];
  else section[part] = inner;
  return section;
}

/** The library writes the whole stream; comments stay, spaces may change. */
function setByLibrary(text: string, index: number, path: Path, value: unknown): string {
  const documents = parseDocuments(text);
  const document = documents[index];
  if (value === undefined) document?.deleteIn(path);
  else document?.setIn(path, document.createNode(value));
  return documents
    .map((each) => each.toString({ lineWidth: 0, directives: false }))
    .map((each, place) => (place > 0 && !each.startsWith('---') ? `---\n${each}` : each))
    .join('');
}

const hasAnchor = (node: ParsedNode | null): boolean =>
  isCollection(node) && (node as { readonly anchor?: string }).anchor !== undefined;

/** Whether two plain values are the same; the order of keys does not matter. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((entry, place) => isEqual(entry, b[place]));
  if (!isSection(a) || !isSection(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isEqual(a[name], b[name]))
  );
}
