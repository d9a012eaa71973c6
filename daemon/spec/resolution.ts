import { dump } from 'js-yaml';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import { isSection, valueAt } from './issue.ts';
import { reportProblem } from './placing.ts';
import { type Reading, readChunk } from './reading.ts';
import { API_VERSION } from './schema/metadata.ts';
import type { Path } from './schema/walk.ts';
import { positionsOf, splitDocuments } from './source.ts';
import { type Entry, type MappingNode, type Node, valueOf } from './tree.ts';

/** What the command line lends for resolving sources. */
export interface SourceReaders {
  /** Name of the file for messages. */
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a file as UTF-8, relative to the answer file. Whatever it throws becomes a problem. */
  readonly readFile: (path: string) => string;
}

/** A text whose sources were resolved. It holds secrets: send it, never print or keep it. */
export interface ResolvedText {
  readonly text: string;
  readonly problems: readonly ProblemReport[];
}

/**
 * Key under which a secret made from a single value is kept: what it is asked for by, where that is known. `several`:
 * what the place takes, which no single value can be.
 */
function keyAt(path: Path): { readonly key: string } | { readonly several: readonly string[] } {
  const place = path.join('.');
  if (place === 'spec.backup.destination.ssh.credentials') return { key: 'privateKey' };
  if (place === 'spec.backup.destination.s3.credentials')
    return { several: ['accessKeyId', 'secretAccessKey'] };
  return { key: 'value' };
}

interface Source {
  readonly path: Path;
  readonly entry: Entry;
}

interface Patch {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Puts values in the place of `{fromEnv}` and `{fromFile}`: in a Secret the value itself, elsewhere a `secretRef` to a
 * Secret document added at the end, named after document and field. Every line keeps its number, so that what
 * {@link parseStream} says of the new text is true of the old one. A source that cannot be read stays as it is; read
 * the text with `allowSources` then, so that it is told once.
 */
export function resolveSources(text: string, readers: SourceReaders): ResolvedText {
  const positionAt = positionsOf(text);
  const patches: Patch[] = [];
  const added: string[] = [];
  const problems: ProblemReport[] = [];
  for (const chunk of splitDocuments(text)) {
    const reading = readChunk(chunk, readers.file, positionAt);
    const { root } = reading.placed;
    if (!root || !reading.read) continue;
    const resolution = { reading, readers, problems };
    if (reading.read.kind === 'Secret') patches.push(...resolveSecret(root, resolution));
    else
      for (const source of sourcesOf(root, [])) {
        const place = keyAt(source.path);
        if ('several' in place) {
          tellSeveral(source, place.several, resolution);
          continue;
        }
        const value = readSource(source, resolution);
        if (value === undefined) continue;
        const name = secretName(valueAt(valueOf(root), ['metadata', 'name']), source.path);
        patches.push(...referPatches(source, chunk.start, name));
        const secret = secretOf(name, place.key, value);
        if (!added.includes(secret)) added.push(secret);
      }
  }
  const patched = applyPatches(text, patches);
  const end = patched === '' || patched.endsWith('\n') ? '' : '\n';
  return { text: added.length === 0 ? patched : `${patched}${end}${added.join('')}`, problems };
}

interface Resolution {
  readonly reading: Reading;
  readonly readers: SourceReaders;
  readonly problems: ProblemReport[];
}

/** Mappings that hold nothing but one source. */
function sourcesOf(node: Node, path: Path): Source[] {
  if (node.kind === 'sequence') return node.items.flatMap((item, index) => sourcesOf(item, [...path, index]));
  if (node.kind === 'scalar') return [];
  const source = sourceEntry(node);
  if (source) return [{ path, entry: source }];
  return node.entries.flatMap((entry) => sourcesOf(entry.value, [...path, entry.key]));
}

function sourceEntry(node: MappingNode): Entry | undefined {
  const [only, ...others] = node.entries;
  const isSource = only !== undefined && others.length === 0 && ['fromEnv', 'fromFile'].includes(only.key);
  return isSource && only.value.kind === 'scalar' && only.value.raw !== '' ? only : undefined;
}

function tellSeveral(
  { path, entry }: Source,
  keys: readonly string[],
  { reading, problems }: Resolution,
): void {
  const field = String(path.at(-1));
  const data = keys.map((key) => `${key}: {${entry.key}: …}`).join(', ');
  problems.push(
    reportProblem(reading.placed, {
      code: 'SPEC-114',
      path: [...path, entry.key],
      summary: `"${field}" takes ${keys.join(' and ')} here, and "${entry.key}" gives a single value.`,
      remedy: `Write {secretRef: name}, and add a document of kind Secret with that name and stringData: {${data}}.`,
    }),
  );
}

function readSource({ path, entry }: Source, { reading, readers, problems }: Resolution): string | undefined {
  const wanted = entry.value.kind === 'scalar' ? entry.value.raw : '';
  const tell = (code: string, summary: string, remedy: string) => {
    problems.push(reportProblem(reading.placed, { code, path: [...path, entry.key], summary, remedy }));
  };
  if (entry.key === 'fromEnv') {
    const value = Object.hasOwn(readers.env, wanted) ? readers.env[wanted] : undefined;
    if (value !== undefined && value !== '') return value;
    const state = value === '' ? 'is empty' : 'is not set';
    tell(
      'SPEC-074',
      `The environment variable ${wanted} ${state}.`,
      `Set it before the command: ${wanted}=… remuda …`,
    );
    return undefined;
  }
  try {
    const value = readers.readFile(wanted).replace(/\r?\n$/, '');
    if (value !== '') return value;
    tell('SPEC-075', `The file "${wanted}" is empty.`, 'Write the secret into it.');
  } catch (thrown) {
    const isMissing = isSection(thrown) && thrown['code'] === 'ENOENT';
    const why = isMissing ? 'is not there' : 'cannot be read';
    tell(
      'SPEC-075',
      `The file "${wanted}" ${why}.`,
      'Give a path relative to the answer file, readable by you.',
    );
  }
  return undefined;
}

/** The whole Secret anew on one line, followed by as many empty lines as it had. */
function resolveSecret(root: Node, resolution: Resolution): Patch[] {
  const { chunk } = resolution.reading.placed;
  const document = valueOf(root);
  const sources = sourcesOf(root, []).filter(({ path }) => path[0] === 'stringData' && path.length === 2);
  if (sources.length === 0 || !isSection(document) || !isSection(document['stringData'])) return [];
  const stringData: Record<string, unknown> = { ...document['stringData'] };
  for (const source of sources) {
    const value = readSource(source, resolution);
    if (value !== undefined) stringData[String(source.path[1])] = value;
  }
  const line = dump({ ...document, stringData }, { flowLevel: 0, lineWidth: -1, noRefs: true }).trim();
  const breaks = '\n'.repeat(Math.max(1, chunk.text.split('\n').length - 1));
  return [{ start: chunk.start, end: chunk.start + chunk.text.length, text: `--- ${line}${breaks}` }];
}

/** Turns `fromEnv: NAME` into `secretRef: name` where it stands. */
function referPatches({ entry }: Source, offset: number, name: string): Patch[] {
  if (entry.value.kind !== 'scalar') return [];
  return [
    { start: offset + entry.keyStart, end: offset + entry.keyEnd, text: 'secretRef' },
    { start: offset + entry.value.start, end: offset + entry.value.end, text: name },
  ];
}

function secretName(document: unknown, path: Path): string {
  const parts = [typeof document === 'string' ? document : 'answer-file', ...path.slice(1)];
  return parts
    .join('-')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');
}

function secretOf(name: string, key: string, value: string): string {
  const document = {
    apiVersion: API_VERSION,
    kind: 'Secret',
    metadata: { name },
    stringData: { [key]: value },
  };
  return `--- ${dump(document, { flowLevel: 0, lineWidth: -1 }).trim()}\n`;
}

function applyPatches(text: string, patches: readonly Patch[]): string {
  const seen = new Set<number>();
  return patches
    .toSorted((a, b) => b.start - a.start)
    .filter(({ start }) => !seen.has(start) && seen.add(start))
    .reduce((result, patch) => result.slice(0, patch.start) + patch.text + result.slice(patch.end), text);
}
