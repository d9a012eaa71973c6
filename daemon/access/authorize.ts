import { greaterRole, isAtLeast, type Principal, type Role, roles } from './principals.ts';

/** What can be done. `read` covers lists, details, events and logs. */
export const verbs = [
  'read',
  'plan',
  'apply',
  'delete',
  'operate',
  'approve',
  'override',
  'eject',
  'adopt',
  'sweep',
  'hook',
  'issue',
  'grant',
  'administer',
] as const;
export type Verb = (typeof verbs)[number];

/** What it can be done to. */
export type ObjectKind =
  | 'server'
  | 'file'
  | 'cluster'
  | 'machine'
  | 'provider'
  | 'operation'
  | 'event'
  | 'log'
  | 'credential'
  | 'grant'
  | 'secret'
  | 'payload'
  | 'agent'
  | 'token'
  | 'session'
  | 'user'
  | 'setup'
  | 'draft'
  | 'directory'
  | 'policy'
  | 'audit'
  | 'alert'
  | 'metrics';

/** One object, or all of a kind when no name is given. */
export interface AccessObject {
  readonly kind: ObjectKind;
  readonly name?: string;
  /** Name of the cluster that it belongs to: roles given there count too. */
  readonly cluster?: string;
}

/** What belongs to a cluster. It is hidden from those who may not read it there. */
const clusterBound: ReadonlySet<ObjectKind> = new Set([
  'cluster',
  'machine',
  'operation',
  'event',
  'log',
  'credential',
  'grant',
]);

type PolicyRow = Readonly<Partial<Record<Verb, Role>>>;

/**
 * The whole policy: kind → verb → least role. What is not in it is refused. Every row of the API's route table names
 * one cell, and a test walks them all.
 */
const policy: Readonly<Record<ObjectKind, PolicyRow>> = {
  server: { read: 'user' },
  // Who may do what with a file is decided document by document: see ./documents.ts of the API.
  file: { read: 'user', plan: 'user', apply: 'user' },
  cluster: {
    read: 'user',
    plan: 'viewer',
    apply: 'operator',
    operate: 'operator',
    delete: 'operator',
    // Hooks run as root on machines: see ../api/hook-rights.ts.
    hook: 'admin',
    // The keys of the whole cluster leave, or somebody else's cluster comes in: break-glass.
    eject: 'admin',
    adopt: 'admin',
  },
  machine: { read: 'user' },
  // `override`: work outside the maintenance windows. Who may not change policies may not go around them either.
  operation: { read: 'user', operate: 'operator', approve: 'operator', override: 'admin' },
  event: { read: 'user' },
  log: { read: 'viewer' },
  // `read` and `issue`: one's own. `administer`: everybody's of that cluster.
  credential: { read: 'user', issue: 'user', administer: 'admin' },
  grant: { read: 'viewer', grant: 'admin' },
  // `sweep`: what is there belongs to no cluster, so that only a role everywhere counts; it destroys machines.
  provider: { read: 'viewer', apply: 'operator', sweep: 'admin' },
  secret: { read: 'operator', apply: 'operator', delete: 'operator' },
  payload: { read: 'viewer' },
  agent: { read: 'viewer', administer: 'admin' },
  token: { read: 'admin', administer: 'admin' },
  // One's own session and tokens; `administer`: everybody's.
  session: { read: 'user', operate: 'user', administer: 'admin' },
  user: { read: 'admin', administer: 'admin' },
  setup: { administer: 'admin' },
  // One's own; shared ones are for those who may plan everything: see ../api/drafts.ts.
  draft: { read: 'user', apply: 'user', delete: 'user' },
  directory: { read: 'admin', administer: 'admin' },
  policy: { read: 'viewer', apply: 'admin', administer: 'admin' },
  audit: { read: 'admin', administer: 'admin' },
  // Receivers; alerts themselves are read with the cluster they are of.
  alert: { read: 'operator', administer: 'admin' },
  metrics: { read: 'viewer' },
};

/** Global roles that may do it, from the most to the least; empty when nobody may. */
export function rolesAllowed(verb: Verb, kind: ObjectKind): readonly Role[] {
  const least = policy[kind][verb];
  return least === undefined ? [] : roles.filter((role) => isAtLeast(role, least));
}

/** Every cell of the policy, for the manual and for tests. */
export function policyCells(): readonly {
  readonly kind: ObjectKind;
  readonly verb: Verb;
  readonly least: Role;
}[] {
  return Object.entries(policy).flatMap(([kind, row]) =>
    Object.entries(row).map(([verb, least]) => ({
      kind: kind as ObjectKind,
      verb: verb as Verb,
      least,
    })),
  );
}

/** Whether roles inside a cluster count for this kind. */
export const isClusterBound = (kind: ObjectKind): boolean => clusterBound.has(kind);

/** The role that counts for an object: the greater of the global one and that in the object's cluster. */
function effectiveRole(principal: Principal, object: AccessObject): Role {
  const granted =
    object.cluster !== undefined && isClusterBound(object.kind)
      ? principal.grants[object.cluster]
      : undefined;
  return granted === undefined ? principal.role : greaterRole(principal.role, granted);
}

/** The one decision, for HTTP and for events alike. */
export function authorize(principal: Principal, verb: Verb, object: AccessObject): boolean {
  const least = policy[object.kind][verb];
  if (least === undefined || !isInScope(principal, verb, object)) return false;
  if (!isAtLeast(effectiveRole(principal, object), least)) return false;
  // Mere users see what a grant gave them; without one, or without a cluster, there is nothing of a cluster to see.
  if (!isClusterBound(object.kind) || principal.role !== 'user') return true;
  return object.cluster !== undefined && Object.hasOwn(principal.grants, object.cluster);
}

/** Whether anything of that cluster is for this principal's eyes; what is not must answer as if it were not there. */
export function mayKnowOf(principal: Principal, cluster: string): boolean {
  const { scope, role, grants } = principal;
  if (scope?.clusters !== undefined && !scope.clusters.includes(cluster)) return false;
  return role !== 'user' || Object.hasOwn(grants, cluster);
}

/** A token can be cut down to some verbs and clusters; one of some clusters does nothing outside of them. */
function isInScope({ scope }: Principal, verb: Verb, object: AccessObject): boolean {
  if (scope === undefined) return true;
  if (scope.verbs !== undefined && !scope.verbs.includes(verb)) return false;
  if (scope.clusters === undefined) return true;
  if (object.cluster !== undefined) return scope.clusters.includes(object.cluster);
  return verb === 'read' || object.kind === 'file' ? !isClusterBound(object.kind) : false;
}
