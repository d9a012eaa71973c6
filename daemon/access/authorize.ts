import type { Principal, Role } from './principals.ts';

/** What can be done. `read` covers lists, details, events and logs. */
export type Verb = 'read' | 'plan' | 'apply' | 'delete' | 'operate' | 'approve' | 'issue' | 'administer';

/** What it can be done to. */
export type ObjectKind =
  | 'server'
  | 'file'
  | 'cluster'
  | 'machine'
  | 'provider'
  | 'operation'
  | 'event'
  | 'secret'
  | 'payload'
  | 'agent'
  | 'token'
  | 'audit'
  | 'metrics';

/** One object, or all of a kind when no name is given. */
export interface AccessObject {
  readonly kind: ObjectKind;
  readonly name?: string;
}

const everyRole: readonly Role[] = ['admin', 'operator', 'viewer'];
const operators: readonly Role[] = ['admin', 'operator'];
const admins: readonly Role[] = ['admin'];

/**
 * The whole policy: what is not in it is refused. Every row of the API's route table names one cell, and a test walks
 * them all.
 */
const policy: Readonly<Partial<Record<ObjectKind, Readonly<Partial<Record<Verb, readonly Role[]>>>>>> = {
  server: { read: everyRole },
  file: { read: everyRole, plan: everyRole, apply: operators },
  cluster: { read: everyRole, plan: everyRole, operate: operators, delete: operators, issue: operators },
  machine: { read: everyRole },
  provider: { read: everyRole },
  operation: { read: everyRole, operate: operators, approve: operators },
  event: { read: everyRole },
  secret: { read: operators, apply: operators, delete: operators },
  payload: { read: everyRole },
  agent: { read: everyRole, administer: admins },
  token: { read: admins, administer: admins },
  audit: { read: admins },
  metrics: { read: everyRole },
};

/** Roles that may do it, in the order of {@link everyRole}; empty when nobody may. */
export function rolesAllowed(verb: Verb, kind: ObjectKind): readonly Role[] {
  return policy[kind]?.[verb] ?? [];
}

/** The one decision, for HTTP and for events alike. */
export function authorize(principal: Principal, verb: Verb, object: AccessObject): boolean {
  return rolesAllowed(verb, object.kind).includes(principal.role);
}
