import type { DocumentProblem } from '../issue.ts';
import type { ClusterDocument, ProviderDocument, SupportedVersions } from '../documents.ts';
import type { Path } from '../schema/walk.ts';

/** What a rule about one cluster may look at. */
export interface ClusterContext {
  readonly cluster: ClusterDocument;
  /** The cluster's provider, from the stream or the store; undefined when it is not known here. */
  readonly provider: ProviderDocument | undefined;
  readonly supportedVersions: SupportedVersions;
  /** Whether the user wrote this field; defaults are not written. */
  readonly isWritten: (path: Path) => boolean;
}

/** A rule about one cluster: everything it finds. */
export type ClusterRule = (context: ClusterContext) => DocumentProblem[];

/** `1 machine`, `3 machines`. */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Indices of entries whose key an earlier entry has already. */
export function repeated<T>(items: readonly T[], keyOf: (item: T) => string): { item: T; index: number }[] {
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const key = keyOf(item);
    if (seen.has(key)) return [{ item, index }];
    seen.add(key);
    return [];
  });
}
