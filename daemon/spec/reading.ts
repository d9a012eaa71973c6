import type { z } from 'zod';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import type { ClusterDocument, PolicyDocument, ProviderDocument, SecretDocument } from './documents.ts';
import { type DocumentProblem, isSection, valueAt } from './issue.ts';
import { isWritten, placeAt, type PlacedDocument, reportProblem, writtenAt } from './placing.ts';
import { salvage } from './salvage.ts';
import { ISSUE_LIMIT, problemsOfIssue } from './schema-messages.ts';
import { clusterDocumentSchema } from './schema/cluster.ts';
import { API_VERSION } from './schema/metadata.ts';
import { policyDocumentSchema } from './schema/policy.ts';
import { providerDocumentSchema } from './schema/provider.ts';
import { secretDocumentSchema, secretSourceSchema } from './schema/secret.ts';
import { formatPath, type Path, schemaAt, unwrap } from './schema/walk.ts';
import type { Chunk, Position } from './source.ts';
import { listWords, nearest } from './suggestion.ts';
import { type Node, parseTree, type TreeProblem, valueOf } from './tree.ts';
import { unresolvedVariables } from './variables.ts';

/** The kinds of documents, as they are written. */
export const documentKinds = ['Provider', 'Cluster', 'Secret', 'Policy'] as const;
export type DocumentKind = (typeof documentKinds)[number];

/** The schema of each kind. */
export const documentSchemas = {
  Provider: providerDocumentSchema,
  Cluster: clusterDocumentSchema,
  Secret: secretDocumentSchema,
  Policy: policyDocumentSchema,
} as const;

interface DocumentOf {
  readonly Provider: ProviderDocument;
  readonly Cluster: ClusterDocument;
  readonly Secret: SecretDocument;
  readonly Policy: PolicyDocument;
}

/** What could be read of a document of one kind. */
export interface ReadDocument<Kind extends DocumentKind = DocumentKind> {
  readonly kind: Kind;
  /** The document, or what could be saved of it; undefined when nothing could. */
  readonly document: DocumentOf[Kind] | undefined;
  /** True when the schema found nothing wrong. */
  readonly isValid: boolean;
  readonly distrusted: readonly Path[];
}

/** One chunk of a stream after reading. */
export interface Reading {
  readonly placed: PlacedDocument;
  readonly problems: readonly ProblemReport[];
  /** Absent when it is not known what kind of document it is. */
  readonly read: ReadDocument | undefined;
}

/** Narrows a reading to one kind. */
export function isKind<Kind extends DocumentKind>(
  read: ReadDocument | undefined,
  kind: Kind,
): read is ReadDocument<Kind> {
  return read?.kind === kind;
}

/** Reads one document of a stream. */
export function readChunk(chunk: Chunk, file: string, positionAt: (offset: number) => Position): Reading {
  const { root, problems } = parseTree(chunk.text);
  const isBroken = root === undefined || problems.some((problem) => problem.code === 'SPEC-003');
  const value = isBroken ? undefined : valueOf(root);
  const kind = documentKinds.find((candidate) => candidate === valueAt(value, ['kind']));
  const placed: PlacedDocument = {
    file,
    chunk,
    root,
    title: titleOf(value, chunk),
    positionAt,
    isSecret: (path) => isSecretAt(kind ?? guessKind(chunk.text), path),
  };
  const yaml = problems.map((problem) => reportTreeProblem(placed, problem, kind));
  if (isBroken || value === undefined) return { placed, problems: yaml, read: undefined };
  const envelope = envelopeProblems(value);
  if (kind === undefined || !isSection(value))
    return {
      placed,
      problems: [...yaml, ...envelope.map((one) => reportProblem(placed, one))],
      read: undefined,
    };
  const { read, problems: found } = readAs(kind, value, placed);
  const variables = kind === 'Secret' ? [] : unresolvedVariables(placed);
  // What is wrong with the text of a field is said once, not again by the schema.
  const isTold = ({ place }: ProblemReport) =>
    [...yaml, ...variables].some(
      (told) => told.place?.field !== undefined && told.place.field === place?.field,
    );
  return {
    placed,
    problems: [...yaml, ...variables, ...found.filter((report) => !isTold(report))],
    read: { ...read, isValid: read.isValid && yaml.length === 0 && variables.length === 0 },
  };
}

function reportTreeProblem(
  placed: PlacedDocument,
  problem: TreeProblem,
  kind: DocumentKind | undefined,
): ProblemReport {
  const line =
    problem.earlier === undefined ? 0 : placed.positionAt(placed.chunk.start + problem.earlier).line;
  return {
    kind: 'user',
    code: problem.code,
    summary: problem.summary.replace(/LINE\.$/, `${line}.`),
    remedy: problem.remedy,
    // Below the keys of a Secret a path could hold part of a value.
    place: placeAt(placed, problem.offset, kind === 'Secret' ? problem.path.slice(0, 2) : problem.path),
  };
}

/** The kind of a document that could not be read, from a line that looks like it. */
const guessKind = (text: string): DocumentKind | undefined => {
  const written = /^kind:[ \t]*["']?(\w+)/m.exec(text)?.[1];
  return documentKinds.find((kind) => kind === written);
};

function titleOf(value: unknown, chunk: Chunk): string {
  const kind = valueAt(value, ['kind']);
  const name = valueAt(value, ['metadata', 'name']);
  const isNamed =
    documentKinds.some((known) => known === kind) && typeof name === 'string' && name.length <= 63;
  return isNamed ? `${String(kind)}/${name}` : `document ${chunk.number}`;
}

/** In a Secret everything below `stringData` is secret; elsewhere whatever stands where a secret is asked for. */
function isSecretAt(kind: DocumentKind | undefined, path: Path): boolean {
  // A document of unknown kind may have been meant as a Secret: only its envelope is shown.
  if (kind === undefined) return path[0] !== 'kind';
  if (kind === 'Secret') return path[0] !== 'metadata' && path[0] !== 'kind';
  const root = documentSchemas[kind];
  if (path[0] === 'spec' && path[1] === 'proxy') return true;
  // People write passwords into addresses.
  if (formatPath(path) === 'spec.backup.destination.s3.endpoint') return true;
  // And into scripts, where control characters may stand as well.
  if (/^spec\.hooks\[\d+\]\.run\.(?:webhook\.url|machine\.script)$/.test(formatPath(path))) return true;
  return path.some((_, index) => {
    const { schema } = schemaAt(root, path.slice(0, index + 1));
    const isField = ['secretRef', 'fromEnv', 'fromFile'].includes(String(path[index + 1]));
    return schema !== undefined && unwrap(schema).inner === secretSourceSchema && !isField;
  });
}

function readAs(
  kind: DocumentKind,
  value: unknown,
  placed: PlacedDocument,
): { read: ReadDocument; problems: ProblemReport[] } {
  const schema: z.ZodType<DocumentOf[DocumentKind]> = documentSchemas[kind];
  const result = schema.safeParse(value);
  if (result.success)
    return { read: { kind, document: result.data, isValid: true, distrusted: [] }, problems: [] };
  const context = { schema, value, written: (path: Path) => writtenAt(placed, path) };
  const { issues } = result.error;
  const problems = issues.slice(0, ISSUE_LIMIT).flatMap((issue) => problemsOfIssue(issue, context));
  const saved = issues.length > ISSUE_LIMIT ? undefined : salvage(schema, value);
  return {
    read: { kind, document: saved?.document, isValid: false, distrusted: saved?.distrusted ?? [] },
    problems: problems.map((problem) => reportProblem(placed, replaceVersion(problem, value))),
  };
}

/** A wrong apiVersion deserves its own sentence. */
function replaceVersion(problem: DocumentProblem, value: unknown): DocumentProblem {
  const isVersion = problem.path.length === 1 && problem.path[0] === 'apiVersion';
  const written = valueAt(value, ['apiVersion']);
  return isVersion && typeof written === 'string' ? versionProblem(written) : problem;
}

const versionProblem = (written: string): DocumentProblem => ({
  code: 'SPEC-009',
  path: ['apiVersion'],
  summary: `"${written}" is not an apiVersion this version of Remuda reads.`,
  remedy: `Write apiVersion: ${API_VERSION}.`,
});

function envelopeProblems(value: unknown): DocumentProblem[] {
  if (!isSection(value))
    return [
      {
        code: 'SPEC-008',
        path: [],
        summary: 'A document must be a section with apiVersion, kind, metadata and spec.',
        remedy: `Begin it with "apiVersion: ${API_VERSION}".`,
      },
    ];
  const kind = valueAt(value, ['kind']);
  if (kind === undefined || kind === null)
    return [
      {
        code: 'SPEC-010',
        path: ['kind'],
        summary: '"kind" is missing: it says what the document describes.',
        remedy: `Add kind: ${listWords(documentKinds)}.`,
      },
    ];
  const written = typeof kind === 'string' ? kind : 'This value';
  const meant = nearest(written, documentKinds);
  return [
    {
      code: 'SPEC-017',
      path: ['kind'],
      summary: `"${written}" is not a kind of document.`,
      remedy: meant === undefined ? `Write ${listWords(documentKinds)}.` : `Did you mean ${meant}?`,
    },
  ];
}

/** A scalar's or section's presence, for rules. */
export const wrote =
  (root: Node | undefined) =>
  (path: Path): boolean =>
    isWritten(root, path);
