import { randomBytes } from 'node:crypto';
import type { Role } from '../access/principals.ts';
import type { GrantRecord } from '../state/grants.ts';
import { hidden, noSuch } from './failure.ts';
import type { Services } from './route.ts';
import type { GrantView } from './schemas/people.ts';
import { roleSchema } from './schemas/access.ts';

const idBytes = 8;

/** A role in a cluster for a principal or a group. */
export interface GrantWish {
  /** Name of the cluster. */
  readonly cluster: string;
  readonly principal?: string;
  readonly group?: string;
  readonly role: Role;
  readonly by: string;
}

/** uid of a living cluster. @throws Failure 404 */
export function uidOf({ state }: Pick<Services, 'state'>, cluster: string): string {
  const record = state.clusters.find(cluster);
  if (!record) throw hidden('cluster', cluster);
  return record.uid;
}

/** Gives a role, or replaces the one that was given. @throws Failure 404 for unknown clusters and principals. */
export function grantTo(services: Services, { cluster, principal, group, role, by }: GrantWish): GrantRecord {
  const uid = uidOf(services, cluster);
  if (principal !== undefined && services.state.principals.get(principal) === undefined)
    throw noSuch('principal', principal, 'Write user:NAME or token:NAME, as the lists show them.');
  return services.state.grants.put({
    id: randomBytes(idBytes).toString('hex'),
    cluster: uid,
    role,
    grantedBy: by,
    at: new Date().toISOString(),
    ...(principal === undefined ? {} : { principal }),
    ...(group === undefined ? {} : { group }),
  });
}

/** A grant as it may be shown. */
export function viewGrant(grant: GrantRecord): GrantView {
  const { clusterName, cluster: _, role, ...record } = grant;
  return { ...record, cluster: clusterName, role: roleSchema.parse(role) };
}
