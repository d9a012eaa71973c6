/** What a principal may do; see {@link ./authorize.ts}. Milestone B adds `user` and roles per cluster. */
export const roles = ['admin', 'operator', 'viewer'] as const;
export type Role = (typeof roles)[number];

/** Who asks. Its id is recorded with every operation, approval and audit row. */
export interface Principal {
  /** `token:<name>`. */
  readonly id: string;
  readonly name: string;
  readonly role: Role;
}
