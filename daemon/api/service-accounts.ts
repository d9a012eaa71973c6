import type { Door } from '../access/door.ts';
import { roleFrom } from '../access/principals.ts';
import type { Principal } from '../state/principals.ts';
import type { ServiceAccountView } from './schemas/people.ts';

/** A service account as it may be shown. */
export function viewAccount(door: Door, record: Principal): ServiceAccountView {
  const tokens = door.tokens.list(record.id);
  const lastUsedAt = tokens
    .flatMap((token) => token.lastUsedAt ?? [])
    .sort()
    .at(-1);
  return {
    id: record.id,
    name: record.name,
    role: roleFrom(record.roles),
    grants: door.identities.find(record.id)?.grants ?? {},
    createdAt: record.createdAt,
    tokens: tokens.length,
    ...(lastUsedAt === undefined ? {} : { lastUsedAt }),
  };
}
