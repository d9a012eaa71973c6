import type { Place } from '../../provisioners/contract/problem.ts';
import { isSection } from './issue.ts';
import { isWritten, placeOf } from './placing.ts';
import { readChunk } from './reading.ts';
import type { Path } from './schema/walk.ts';
import { positionsOf, splitDocuments } from './source.ts';
import { type Node, valueOf } from './tree.ts';

/**
 * Where a field stands in a stream; undefined when the user did not write it (a default).
 * @param document `Cluster/prod-east`
 * @param field `spec.workers[general].replicas`; entries of a list by number, name or address
 */
export function placeOfField(text: string, file: string, document: string, field: string): Place | undefined {
  const positionAt = positionsOf(text);
  for (const chunk of splitDocuments(text)) {
    const { placed, read } = readChunk(chunk, file, positionAt);
    const name = read?.document?.metadata.name;
    if (read === undefined || `${read.kind}/${name}` !== document) continue;
    const path = pathOf(field, placed.root);
    if (path !== undefined && isWritten(placed.root, path)) return placeOf(placed, path);
  }
  return undefined;
}

/** The path a field's text means in this document; undefined when a named entry of a list is not there. */
function pathOf(field: string, root: Node | undefined): Path | undefined {
  let value: unknown = root === undefined ? undefined : valueOf(root);
  const path: (string | number)[] = [];
  for (const match of field.matchAll(/\["?([^\]"]+)"?\]|([^.[\]]+)/g)) {
    const [, inBrackets, plain] = match;
    const part = plain ?? entryOf(value, inBrackets ?? '');
    if (part === undefined) return undefined;
    path.push(part);
    value = (value as Record<string | number, unknown> | undefined)?.[part];
  }
  return path;
}

/** Index of a list's entry by number, name or address; for a mapping the key itself. */
function entryOf(value: unknown, key: string): string | number | undefined {
  if (!Array.isArray(value)) return key;
  if (/^\d+$/.test(key)) return Number(key);
  const index = value.findIndex(
    (entry) => isSection(entry) && (entry['name'] === key || entry['address'] === key),
  );
  return index === -1 ? undefined : index;
}
