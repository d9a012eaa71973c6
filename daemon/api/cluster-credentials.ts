import { randomBytes } from 'node:crypto';
import type { ClusterRecord } from '../state/clusters.ts';
import type { CredentialRecord } from '../state/credentials.ts';
import type { Principal, Role } from '../access/principals.ts';
import { greaterRole } from '../access/principals.ts';
import { AccessRefusal } from '../access/refusal.ts';
import type { Services } from './route.ts';
import type { ClusterCredential } from './schemas/credentials.ts';

const idBytes = 8;

/** Group of those who may do everything in a cluster. */
export const administrators = 'remuda:cluster-admins';

/** Groups inside a cluster, by the role that somebody has there. RBAC binds the first one in every cluster of ours. */
const groupOf: Readonly<Record<Role, string>> = {
  admin: administrators,
  operator: administrators,
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

/** Life of a token for a cluster when nothing is said, days. */
const usualDays = 30;
const secondsADay = 24 * 60 * 60;

/**
 * Makes a token of somebody for a cluster: noted before it is made, so that none is there of which nobody knows.
 * @throws Refusal when the agent or the cluster is away; then the credential is noted as revoked
 */
export async function takeToken(
  { state, engine }: Pick<Services, 'state' | 'engine'>,
  cluster: ClusterRecord,
  principal: Principal,
  days: number = usualDays,
): Promise<{ readonly record: CredentialRecord; readonly token: string; readonly server: string }> {
  const id = randomBytes(idBytes).toString('hex');
  const now = Date.now();
  const group = groupFor(principal, cluster.name);
  const record = {
    id,
    group,
    cluster: cluster.uid,
    principal: principal.id,
    kind: 'token',
    issuedAt: new Date(now).toISOString(),
    expiresAt: new Date(now + days * secondsADay * 1000).toISOString(),
  } as const;
  state.credentials.add(record);
  try {
    const issued = await engine.credentials.issueToken({
      cluster: cluster.name,
      id,
      principal: principal.id,
      group,
      seconds: days * secondsADay,
    });
    return { record: { ...record, clusterName: cluster.name }, token: issued.token, server: issued.server };
  } catch (error) {
    state.credentials.revoke(id, new Date().toISOString(), principal.id);
    throw error;
  }
}

/** A credential as it may be shown. `now` in milliseconds since the epoch. */
export function viewCredential(record: CredentialRecord, now: number): ClusterCredential {
  const { clusterName, cluster: _, group: __, ...rest } = record;
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
