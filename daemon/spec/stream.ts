import { createHash } from 'node:crypto';
import { canonicalJson, type Json } from '../../provisioners/contract/json.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import type {
  ClusterDocument,
  ParsedDocument,
  ParsedStream,
  ProviderDocument,
  StreamOptions,
} from './documents.ts';
import { placeAt } from './placing.ts';
import { isKind, type Reading, readChunk } from './reading.ts';
import { relationProblems } from './references.ts';
import { secretProblems, splitSecrets } from './secrets.ts';
import { blankLines, type Chunk, positionsOf, splitDocuments } from './source.ts';

/** Largest stream that is read, in UTF-16 units: a thousand times a usual one. */
const MAXIMUM_TEXT = 2 ** 20;

/**
 * Reads a stream of documents: everything that is well, and every problem at once with its place. Never throws; no
 * problem holds the value of a secret.
 */
export function parseStream(text: string, options: StreamOptions): ParsedStream {
  if (text.length > MAXIMUM_TEXT) return nothing(options.file, tooLarge);
  const chunks = splitDocuments(text);
  if (chunks.length === 0) return nothing(options.file, noDocument);
  const positionAt = positionsOf(text);
  const readings = chunks.map((chunk) => readChunk(chunk, options.file, positionAt));
  const problems = [
    ...readings.flatMap((reading) => reading.problems),
    ...relationProblems(readings, options),
    ...secretProblems(readings, options),
  ];
  const secrets = splitSecrets(readings);
  const hasNothing = problems.length === 0 && readings.every(({ read }) => read === undefined);
  if (hasNothing) return nothing(options.file, noDocument);
  return {
    documents: readings.flatMap(parsedDocument),
    secrets,
    policies: readings.flatMap(({ read }) =>
      isKind(read, 'Policy') && read.document && read.isValid ? [read.document] : [],
    ),
    problems: limited(problems.toSorted(byPlace), options.file),
    sanitizedText: sanitize(text, chunks, readings),
  };
}

const tooLarge = {
  kind: 'user',
  code: 'SPEC-004',
  summary: 'The file is larger than 1 MiB, which no answer file needs to be.',
  remedy: 'Apply it in parts.',
} as const;

const noDocument = {
  kind: 'user',
  code: 'SPEC-007',
  summary: 'The file holds no document.',
  remedy: 'Begin with an example: ui/docs/examples/lab-small.yaml.',
} as const;

const nothing = (file: string, problem: ProblemReport): ParsedStream => ({
  documents: [],
  secrets: [],
  policies: [],
  problems: [{ ...problem, place: { file } }],
  sanitizedText: '',
});

/** Most problems that are told of one stream; the rest is counted. */
const PROBLEM_LIMIT = 1000;

function limited(problems: readonly ProblemReport[], file: string): readonly ProblemReport[] {
  if (problems.length <= PROBLEM_LIMIT) return problems;
  const rest = {
    kind: 'user',
    code: 'SPEC-004',
    summary: `${problems.length - PROBLEM_LIMIT} more problems are not shown.`,
    remedy: 'Mend these first.',
    place: { file },
  } as const;
  return [...problems.slice(0, PROBLEM_LIMIT), rest];
}

const byPlace = (a: ProblemReport, b: ProblemReport): number =>
  (a.place?.line ?? 0) - (b.place?.line ?? 0) || (a.place?.column ?? 0) - (b.place?.column ?? 0);

function parsedDocument({ read, placed }: Reading): ParsedDocument[] {
  if (!isKind(read, 'Provider') && !isKind(read, 'Cluster')) return [];
  if (!read.document || !read.isValid) return [];
  return [
    {
      document: read.document,
      revisionDigest: digestOf(read.document),
      text: placed.chunk.text,
      place: placeAt(placed, placed.root?.start ?? 0, []),
    },
  ];
}

/**
 * `sha256:<hex>` over a document with its defaults. The uid is left out: `get -o yaml` prints it, and applying that
 * again is no change.
 */
function digestOf(document: ProviderDocument | ClusterDocument): string {
  const { uid: _, ...metadata } = document.metadata;
  const plain = JSON.parse(JSON.stringify({ ...document, metadata })) as Json;
  return `sha256:${createHash('sha256').update(canonicalJson(plain)).digest('hex')}`;
}

/** Keeps only what was understood and holds no secret; the rest becomes empty lines. */
function sanitize(text: string, chunks: readonly Chunk[], readings: readonly Reading[]): string {
  let sanitized = '';
  let position = 0;
  for (const [index, chunk] of chunks.entries()) {
    const read = readings[index]?.read;
    const isKept = read !== undefined && !isKind(read, 'Secret') && read.isValid;
    sanitized += text.slice(position, chunk.start);
    sanitized += isKept ? chunk.text : blankLines(chunk.text);
    position = chunk.start + chunk.text.length;
  }
  return sanitized + text.slice(position);
}
