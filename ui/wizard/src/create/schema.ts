import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { get } from '../api/http.ts';
import type { Path } from '../answer-file/stream.ts';

/** What a change of a field means for a cluster that exists. */
export type Mutability = 'immutable' | 'in-place' | 'rolling-replace' | 'new-machines-only';

/** The part of JSON Schema (2020-12) that the answer file's schema uses. */
export interface FieldSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly items?: FieldSchema;
  readonly required?: readonly string[];
  readonly 'x-mutability'?: Mutability;
}

/** The published schema: one definition per kind of document. */
export interface AnswerFileSchema {
  readonly $defs: Readonly<Record<string, FieldSchema>>;
}

/** The schema of the daemon that is talked to; it changes only with a release. */
export const useAnswerFileSchema = (): UseQueryResult<AnswerFileSchema> =>
  useQuery({
    queryKey: ['schema'],
    queryFn: ({ signal }) => get<AnswerFileSchema>('/api/v1/schema', { signal, isBackground: true }),
    staleTime: Infinity,
  });

/** Schema of one field; undefined where this release has no such field. */
export function schemaAt(
  schema: AnswerFileSchema | undefined,
  kind: string,
  path: Path,
): FieldSchema | undefined {
  let inner = schema?.$defs[kind];
  for (const part of path) inner = typeof part === 'number' ? inner?.items : inner?.properties?.[part];
  return inner;
}

/** Whether the section that holds a field demands it. */
export function isRequired(schema: AnswerFileSchema | undefined, kind: string, path: Path): boolean {
  const name = path.at(-1);
  const section = schemaAt(schema, kind, path.slice(0, -1));
  return typeof name === 'string' && section?.required?.includes(name) === true;
}
