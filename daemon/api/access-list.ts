import { roleFrom } from '../access/principals.ts';
import type { CredentialRecord } from '../state/credentials.ts';
import type { Services } from './route.ts';
import type { AccessEntry } from './schemas/people.ts';

/** Who can get into which cluster: global roles, grants, and groups. Sorted by cluster, then by name. */
export function accessEntries({ state, door }: Services): readonly AccessEntry[] {
  const names = new Map(state.principals.list().map((record) => [record.id, record]));
  const entries: AccessEntry[] = [];
  for (const { uid, name: cluster } of state.clusters.list()) {
    const held = state.credentials.list(uid);
    const grants = state.grants.ofCluster(uid);
    for (const { group, role } of grants)
      if (group !== undefined)
        entries.push({
          principal: group,
          name: group,
          kind: 'group',
          cluster,
          role: roleFrom([role]),
          through: 'grant',
          credentials: 0,
        });
    for (const record of names.values()) {
      const principal = door.identities.find(record.id);
      if (!principal) continue;
      const granted = principal.grants[cluster];
      const isDirect = grants.some((grant) => grant.principal === record.id);
      const add = (role: AccessEntry['role'], through: AccessEntry['through']): unknown =>
        entries.push({
          principal: record.id,
          name: record.name,
          kind: record.kind === 'person' ? 'person' : 'service',
          cluster,
          role,
          through,
          ...usedBy(held, record.id),
        });
      if (principal.role !== 'user') add(principal.role, 'global');
      if (granted !== undefined) add(granted, isDirect ? 'grant' : 'group');
    }
  }
  return entries.sort((a, b) => a.cluster.localeCompare(b.cluster) || a.name.localeCompare(b.name));
}

function usedBy(
  held: readonly CredentialRecord[],
  principal: string,
): Pick<AccessEntry, 'credentials' | 'lastUsedAt'> {
  const own = held.filter((one) => one.principal === principal);
  const valid = own.filter((one) => one.revokedAt === undefined);
  const lastUsedAt = own
    .flatMap((one) => one.lastUsedAt ?? [])
    .sort()
    .at(-1);
  return { credentials: valid.length, ...(lastUsedAt === undefined ? {} : { lastUsedAt }) };
}
