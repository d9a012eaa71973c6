import { randomBytes } from 'node:crypto';
import type { ClusterRecord } from '../state/clusters.ts';
import type { CredentialRecord } from '../state/credentials.ts';
import type { Principal, Role } from '../access/principals.ts';
import { greaterRole } from '../access/principals.ts';
import { AccessRefusal } from '../access/refusal.ts';
import type { Services } from './route.ts';
import type { ClusterCredential } from './schemas/credentials.ts';

const idBytes = 8;

/** Groups inside a cluster, by the role that somebody has there. RBAC binds the first one in every cluster of ours. */
const groupOf: Readonly<Record<Role, string>> = {
  admin: 'remuda:cluster-admins',
  operator: 'remuda:cluster-admins',
  viewer: 'remuda:viewers',
  user: 'remuda:users',
};

/** Group that a certificate of somebody is for: by the greater of the global role and that in the cluster. */
export const groupFor = ({ role, grants }: Principal, cluster: string): string =>
  groupOf[greaterRole(role, grants[cluster] ?? 'user')];

/**
 * The kubeconfig credential that a principal holds for a cluster, made when there was none yet.
 * @throws AccessRefusal ACCESS-018 when the last one was revoked.
 */
export function heldCredential(
  { state }: Pick<Services, 'state'>,
  cluster: ClusterRecord,
  principal: string,
): CredentialRecord {
  const held = state.credentials.list(cluster.uid, principal).filter(({ kind }) => kind === 'kubeconfig');
  const active = held.find(({ revokedAt }) => revokedAt === undefined);
  if (active) return active;
  const [revoked] = held;
  if (revoked) throw revokedBefore(revoked);
  return addCredential({ state }, cluster, principal);
}

/**
 * A kubeconfig credential for somebody who asks for one by name. What she revoked herself she may have anew; what
 * somebody else revoked, only from who may administer.
 * @throws AccessRefusal ACCESS-018
 */
export function takeCredential(
  services: Pick<Services, 'state'>,
  cluster: ClusterRecord,
  principal: string,
  mayAdminister: boolean,
): CredentialRecord {
  const held = services.state.credentials
    .list(cluster.uid, principal)
    .filter(({ kind }) => kind === 'kubeconfig');
  const active = held.find(({ revokedAt }) => revokedAt === undefined);
  if (active) return active;
  const [revoked] = held;
  if (revoked && revoked.revokedBy !== principal && !mayAdminister) throw revokedBefore(revoked);
  return addCredential(services, cluster, principal);
}

/** A credential as it may be shown. `now` in milliseconds since the epoch. */
export function viewCredential(record: CredentialRecord, now: number): ClusterCredential {
  const { clusterName, cluster: _, ...rest } = record;
  return { ...rest, cluster: clusterName, state: stateOf(record, now) };
}

function stateOf({ revokedAt, expiresAt }: CredentialRecord, now: number): ClusterCredential['state'] {
  if (revokedAt !== undefined) return 'revoked';
  return expiresAt !== undefined && Date.parse(expiresAt) <= now ? 'expired' : 'active';
}

function addCredential(
  { state }: Pick<Services, 'state'>,
  cluster: ClusterRecord,
  principal: string,
): CredentialRecord {
  const record = {
    id: randomBytes(idBytes).toString('hex'),
    cluster: cluster.uid,
    principal,
    kind: 'kubeconfig',
    issuedAt: new Date().toISOString(),
  } as const;
  state.credentials.add(record);
  return { ...record, clusterName: cluster.name };
}

const revokedBefore = ({ revokedAt = '', revokedBy = '' }: CredentialRecord): AccessRefusal =>
  new AccessRefusal(
    'forbidden',
    'ACCESS-018',
    `your credential was revoked at ${revokedAt} by ${revokedBy}`,
    {
      remedy: 'Take a new one on the page of the cluster; if somebody else revoked it, ask her.',
    },
  );
