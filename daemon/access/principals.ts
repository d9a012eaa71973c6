/** What a principal may do, from the most to the least; see {@link ./authorize.ts}. `user`: only what grants give. */
export const roles = ['admin', 'operator', 'viewer', 'user'] as const;
export type Role = (typeof roles)[number];

/** Who asks. Its id is recorded with every operation, approval and audit row. */
export interface Principal {
  /** `token:<name>`. */
  readonly id: string;
  readonly name: string;
  readonly role: Role;
}
