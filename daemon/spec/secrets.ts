import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import type { ParsedSecret, SecretDocument, StreamOptions } from './documents.ts';
import { type PlacedDocument, placeOf, reportProblem } from './placing.ts';
import { isKind, type Reading } from './reading.ts';
import { clusterSecretUses } from './rules/backup.ts';
import { type SecretUse, secretUses, sourceProblems } from './rules/sources.ts';

/** Problems of the Secret documents themselves. No sentence holds a value. */
export function secretProblems(readings: readonly Reading[], options: StreamOptions): ProblemReport[] {
  return readings.flatMap(({ read, placed }) =>
    isKind(read, 'Secret') && read.document && read.isValid ? problemsOf(read.document, placed, options) : [],
  );
}

function problemsOf(
  document: SecretDocument,
  placed: PlacedDocument,
  options: StreamOptions,
): ProblemReport[] {
  const entries = Object.entries(document.stringData);
  if (entries.length === 0)
    return [
      reportProblem(placed, {
        code: 'SPEC-078',
        path: ['stringData'],
        summary: 'This secret has no values.',
        remedy: 'Add at least one key below "stringData", such as password.',
      }),
    ];
  return entries.flatMap(([key, value]) => {
    const path = ['stringData', key];
    if (typeof value !== 'string')
      return sourceProblems({ path, source: value }, options.allowSources === true).map((problem) =>
        reportProblem(placed, problem),
      );
    if (value !== '') return [];
    const problem = {
      code: 'SPEC-078',
      path,
      atKey: true,
      summary: `The value of "${key}" is empty.`,
      remedy: 'Give the value, or remove the key.',
    };
    return [reportProblem(placed, problem)];
  });
}

/** The secrets of a stream, each with the server it may be given to. */
export function splitSecrets(readings: readonly Reading[]): ParsedSecret[] {
  const uses = readings.flatMap(({ read }) => {
    if (read?.document === undefined || !read.isValid) return [];
    if (isKind(read, 'Provider') && read.document) return secretUses(read.document);
    return isKind(read, 'Cluster') && read.document ? clusterSecretUses(read.document) : [];
  });
  return readings.flatMap(({ read, placed }) => {
    if (!isKind(read, 'Secret') || !read.document || !read.isValid) return [];
    const { metadata, stringData, destination } = read.document;
    const data = Object.entries(stringData).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    );
    const bound = destination ?? destinationOf(metadata.name, uses);
    return [
      {
        name: metadata.name,
        data: Object.fromEntries(data),
        ...(bound !== undefined && { destination: bound }),
        place: placeOf(placed, ['metadata', 'name']),
      },
    ];
  });
}

const destinationOf = (name: string, uses: readonly SecretUse[]): string | undefined =>
  uses.find(({ source, destination }) => source.secretRef === name && destination !== undefined)?.destination;
