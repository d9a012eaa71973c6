import type { Socket } from 'socket.io';
import { authorize } from '../access/authorize.ts';
import type { Principal } from '../access/principals.ts';
import { authenticate } from './caller.ts';
import type { Services } from './route.ts';

/** What an event or a log line is about, as far as rights go. */
export interface LiveSubject {
  readonly kind: 'event' | 'log';
  readonly cluster?: string;
  readonly operation?: string;
}

/** The rights of one client while one batch is made for it. */
export interface Viewer {
  isAllowed(item: LiveSubject): boolean;
}

/** Who is at the other end as of now: by the token of the handshake, else by the session's cookie. */
export function principalOf(services: Services, socket: Socket): Principal | undefined {
  const { auth, headers } = socket.handshake;
  const { token } = auth as { readonly token?: unknown };
  if (token !== undefined)
    return typeof token === 'string' ? services.door.tokens.authenticate(token) : undefined;
  // A page that only listens does not keep its session alive.
  return authenticate(services, { ...headers, 'x-remuda-background': '1' }).principal;
}

/** Who looks, as of now, and what of all that happens is for her eyes; undefined = nobody any more. */
export function viewerOf(services: Services, socket: Socket): Viewer | undefined {
  const principal = principalOf(services, socket);
  if (!principal) return undefined;
  const clusters = new Map<string, string | undefined>();
  return {
    isAllowed({ kind, cluster: named, operation }) {
      if (named === undefined && operation !== undefined && !clusters.has(operation))
        clusters.set(operation, services.clusterOfOperation(operation));
      const cluster = named ?? (operation === undefined ? undefined : clusters.get(operation));
      return authorize(principal, 'read', { kind, ...(cluster === undefined ? {} : { cluster }) });
    },
  };
}
