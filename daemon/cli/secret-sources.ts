import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { load } from 'js-yaml';
import { splitDocuments } from '../api/offline.ts';
import { usageFailure } from './exit.ts';

/** A file with the values of its Secret documents in place, and which of its lines may not be shown in messages. */
export interface ResolvedFile {
  readonly text: string;
  /** Line numbers, from 1, that belong to Secret documents. */
  readonly hiddenLines: ReadonlySet<number>;
}

/**
 * Puts values in the place of `{fromEnv: NAME}` and `{fromFile: path}` in Secret documents: only the caller's machine
 * knows them. Such a document is written anew on one line and padded, so that the lines of all others stay.
 * @throws CommandFailure exit 2 when a variable is not set or a file cannot be read; never with a value.
 */
export function resolveSources(text: string, file: string, environment: NodeJS.ProcessEnv): ResolvedFile {
  const hiddenLines = new Set<number>();
  let result = text;
  // From the end, so that the offsets of the chunks before stay right.
  for (const chunk of splitDocuments(text).toReversed()) {
    if (!/["']?kind["']?\s*:\s*["']?Secret\b/.test(chunk.text)) continue;
    const firstLine = text.slice(0, chunk.start).split('\n').length;
    const lines = chunk.text.split('\n').length;
    for (let line = 0; line < lines; line += 1) hiddenLines.add(firstLine + line);
    const resolved = resolveDocument(chunk.text, (source) => readSource(source, file, environment));
    if (resolved !== undefined) {
      const padded = `---\n${resolved}${'\n'.repeat(Math.max(1, lines - 2))}`;
      result = result.slice(0, chunk.start) + padded + result.slice(chunk.start + chunk.text.length);
    }
  }
  return { text: result, hiddenLines };
}

interface Source {
  readonly fromEnv?: unknown;
  readonly fromFile?: unknown;
}

/** The document as one line of JSON (which is YAML), or undefined when there is nothing to put in. */
function resolveDocument(text: string, read: (source: Source) => string | undefined): string | undefined {
  let document: unknown;
  try {
    document = load(text.replace(/^---.*\n/, ''));
  } catch {
    return undefined; // what is wrong with it is said by the check of the whole file
  }
  const { stringData } = (document ?? {}) as { readonly stringData?: unknown };
  if (stringData === null || typeof stringData !== 'object') return undefined;
  let hasSource = false;
  const values = Object.entries(stringData).map(([key, value]: [string, unknown]) => {
    const found = value !== null && typeof value === 'object' ? read(value) : undefined;
    hasSource ||= found !== undefined;
    return [key, found ?? value];
  });
  if (!hasSource) return undefined;
  return JSON.stringify({ ...(document as object), stringData: Object.fromEntries(values) });
}

function readSource(source: Source, file: string, environment: NodeJS.ProcessEnv): string | undefined {
  if (typeof source.fromEnv === 'string' && source.fromFile === undefined) {
    const value = environment[source.fromEnv];
    if (value !== undefined) return value;
    throw usageFailure(
      'CLI-007',
      `${file} asks for the environment variable ${source.fromEnv}, which is not set`,
      `Set it for this command: ${source.fromEnv}=… remuda apply …`,
    );
  }
  if (typeof source.fromFile === 'string' && source.fromEnv === undefined) {
    const path = resolve(file === '-' ? '.' : dirname(file), source.fromFile);
    try {
      return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw usageFailure(
        'CLI-008',
        `${file} asks for the file ${path}, which cannot be read (${code ?? 'unknown reason'})`,
        'Paths are relative to the answer file.',
      );
    }
  }
  return undefined;
}
