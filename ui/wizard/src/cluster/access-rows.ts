import type { AccessEntry, GrantView } from '../../../../daemon/api/types.ts';

/** One way into a cluster, with the grant that can be changed or taken away, if it is by one. */
export interface AccessRow extends Omit<AccessEntry, 'through'> {
  readonly key: string;
  /** `waiting`: granted to somebody who cannot sign in just now. */
  readonly through: AccessEntry['through'] | 'waiting';
  readonly grant?: GrantView;
}

/** Joins who can get in with what was granted; grants of people who are disabled stand at the end. */
export function accessRows(
  entries: readonly AccessEntry[],
  grants: readonly GrantView[],
): readonly AccessRow[] {
  const left = new Map(grants.map((grant) => [grant.principal ?? grant.group ?? '', grant]));
  const rows = entries.map((entry): AccessRow => {
    const key = `${entry.principal} ${entry.through}`;
    const grant = entry.through === 'grant' ? left.get(entry.principal) : undefined;
    if (grant === undefined) return { ...entry, key };
    left.delete(entry.principal);
    return { ...entry, key, grant };
  });
  const waiting = [...left].map(
    ([holder, grant]): AccessRow => ({
      key: `${holder} waiting`,
      principal: holder,
      name: holder.replace(/^(user|token):/, ''),
      kind: holder.startsWith('token:') ? 'service' : 'person',
      cluster: grant.cluster,
      role: grant.role,
      through: 'waiting',
      credentials: 0,
      grant,
    }),
  );
  return [...rows, ...waiting];
}
