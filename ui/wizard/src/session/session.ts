import { createContext, useContext } from 'react';
import type { Role, SessionView } from '../../../../daemon/api/types.ts';

/** Roles from least to most. `user` sees only the clusters given to her. */
const roles: readonly Role[] = ['user', 'viewer', 'operator', 'admin'];

/** The signed-in person and the way out. */
export interface SessionValue {
  readonly session: SessionView;
  readonly signOut: () => void;
}

/** Set by the gate; read by {@link useSession}. */
export const SessionContext = createContext<SessionValue | undefined>(undefined);

/** The session of the signed-in person. @throws Error outside the signed-in part: our own mistake. */
export function useSession(): SessionValue {
  const value = useContext(SessionContext);
  if (value === undefined) throw new Error('this part is shown only to people who are signed in');
  return value;
}

/** The greater of a person's global role and her role in one cluster. */
export function roleIn(session: SessionView, cluster?: string): Role {
  const { role, grants } = session.principal;
  const granted = cluster === undefined ? undefined : grants[cluster];
  return granted !== undefined && roles.indexOf(granted) > roles.indexOf(role) ? granted : role;
}

/** Whether the person has at least this role, globally or in the cluster. The daemon decides; this only explains. */
export function useHasRole(needed: Role, cluster?: string): boolean {
  const { session } = useSession();
  return roles.indexOf(roleIn(session, cluster)) >= roles.indexOf(needed);
}
