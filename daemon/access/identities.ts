import type { Grants } from '../state/grants.ts';
import type { Principals } from '../state/principals.ts';
import type { UserRecord, Users } from '../state/users.ts';
import { greaterRole, type Principal, type Role, roleFrom } from './principals.ts';

/** The repositories that say who somebody is and what she may do. */
export interface IdentityRecords {
  readonly principals: Principals;
  readonly users: Users;
  readonly grants: Grants;
}

/** Makes a principal of what is kept, anew for each request: a role that is taken away is gone at once. */
export class Identities {
  readonly #records: IdentityRecords;

  constructor(records: IdentityRecords) {
    this.#records = records;
  }

  /** Undefined when there is none, or it is disabled. */
  find(id: string): Principal | undefined {
    const { principals, users } = this.#records;
    const record = principals.get(id);
    if (!record || record.disabledAt !== undefined) return undefined;
    const user = record.kind === 'person' ? users.get(id) : undefined;
    if (record.kind === 'person' && !user) return undefined;
    return {
      id,
      name: record.name,
      role: roleFrom(record.roles),
      grants: this.#grantsOf(id, user),
      source: sourceOf(record.kind, user?.directory),
    };
  }

  /** Cluster name → role: grants to the principal and to its groups, and what the directory's mapping gave. */
  #grantsOf(id: string, user: UserRecord | undefined): Readonly<Record<string, Role>> {
    const grants = new Map<string, Role>();
    const add = (cluster: string, role: string): unknown =>
      grants.set(cluster, greaterRole(grants.get(cluster) ?? 'user', roleFrom([role])));
    for (const { clusterName, role } of this.#records.grants.ofPrincipal(id, user?.groups ?? []))
      add(clusterName, role);
    for (const [cluster, role] of Object.entries(user?.grants ?? {})) add(cluster, role);
    return Object.fromEntries(grants);
  }
}

function sourceOf(kind: string, directory: string | undefined): Principal['source'] {
  if (kind !== 'person') return 'token';
  return directory === undefined ? 'local' : 'directory';
}
