import type { TokenScope } from '../state/principals.ts';

/** What a principal may do, from the most to the least; see {@link ./authorize.ts}. `user`: only what grants give. */
export const roles = ['admin', 'operator', 'viewer', 'user'] as const;
export type Role = (typeof roles)[number];

/** Who asks. Its id is recorded with every operation, approval and audit row. */
export interface Principal {
  /** `token:<name>` for programs, `user:<name>` for people, `user:<name>@<directory>` for those of a directory. */
  readonly id: string;
  readonly name: string;
  /** The global role. */
  readonly role: Role;
  /** Cluster name → role there; the greater of both counts. */
  readonly grants: Readonly<Record<string, Role>>;
  readonly source: 'local' | 'directory' | 'token';
  /** Name of the token in hand. */
  readonly token?: string;
  /** What it is cut down to. */
  readonly scope?: TokenScope;
}

/** Whether a role is at least as much as another. */
export const isAtLeast = (role: Role, least: Role): boolean => roles.indexOf(role) <= roles.indexOf(least);

/** The greater of two roles. */
export const greaterRole = (one: Role, other: Role): Role => (isAtLeast(one, other) ? one : other);

/** A role as it was kept; what is no role of this release gives nothing. */
export const roleFrom = (words: readonly string[]): Role =>
  roles.find((role) => words.includes(role)) ?? 'user';
