import type { Request } from 'express';
import type { IncomingHttpHeaders } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { authorize, mayKnowOf, rolesAllowed } from '../access/authorize.ts';
import { type BrowserSession, isCsrf } from '../access/browser-sessions.ts';
import type { Principal } from '../access/principals.ts';
import type { Knocking } from '../access/sign-in.ts';
import { cookieNames, cookieOf } from './cookies.ts';
import { forbidden, forged, hidden, noSuchRoute, unauthenticated } from './failure.ts';
import { parameterPatternOf } from './openapi.ts';
import type { Route, RouteAccess, Services } from './route.ts';

/** Who sent a request. */
export interface Caller {
  readonly principal: Principal | undefined;
  /** When it came with a cookie. */
  readonly session?: BrowserSession;
  /** Common name of a verified client certificate. */
  readonly certificateName?: string;
  readonly from: Knocking;
}

/** What is told of a mutating request that was refused before its handler. */
export type NoteRefusal = (principal: string, object: string) => void;

/** The token of an `Authorization: Bearer` header. */
const bearerOf = (header: string | undefined): string | undefined =>
  /^Bearer ([\w.-]{1,300})$/i.exec(header ?? '')?.[1];

/**
 * Who asks, and whether they may; before a byte of the body is read.
 * @throws Failure 401, 403, or 404 for what is hidden from the caller.
 */
export function identify(route: Route, services: Services, request: Request, note: NoteRefusal): Caller {
  const from = knockingOf(request.headers, request.socket.remoteAddress);
  if (route.access === 'agent-certificate') return agentOf(request, from);
  if (typeof route.access === 'string') {
    if (route.method !== 'get') refuseOtherOrigins(request.headers);
    const { session } = authenticate(services, request.headers);
    return { principal: undefined, from, ...(session ? { session } : {}) };
  }
  const { session, principal } = authenticate(services, request.headers);
  if (!principal) throw unauthenticated();
  if (session && route.method !== 'get') refuseForged(session, request.headers);
  decide(route.access, { services, request, principal, note });
  return { principal, from, ...(session ? { session } : {}) };
}

/** Whom the headers of a request stand for: a token, else a session's cookie. Nobody's token is taken for a cookie. */
export function authenticate(
  services: Pick<Services, 'door'>,
  headers: IncomingHttpHeaders,
): { readonly principal?: Principal; readonly session?: BrowserSession } {
  const { tokens, sessions } = services.door;
  if (headers.authorization !== undefined) {
    const token = bearerOf(headers.authorization);
    const principal = token === undefined ? undefined : tokens.authenticate(token);
    return principal ? { principal } : {};
  }
  const secret = cookieOf(headers.cookie, cookieNames.session);
  const isBackground = headers['x-remuda-background'] !== undefined;
  const session = secret === undefined ? undefined : sessions.authenticate(secret, isBackground);
  return session ? { session, principal: session.principal } : {};
}

/** A path parameter, when it looks as one may. */
export function parameter(request: Request, name: string): string {
  const value = request.params[name];
  if (typeof value !== 'string' || !parameterPatternOf(name).test(value)) throw noSuchRoute();
  return value;
}

function agentOf(request: Request, from: Knocking): Caller {
  const socket = request.socket as TLSSocket;
  const name = socket.authorized ? socket.getPeerCertificate().subject?.CN : undefined;
  if (typeof name !== 'string') throw unauthenticated();
  return { principal: undefined, certificateName: name, from };
}

function knockingOf(headers: IncomingHttpHeaders, address: string | undefined): Knocking {
  return {
    address: (address ?? 'unknown').replace(/^::ffff:/, ''),
    browser: headers['user-agent'] ?? '',
    device: cookieOf(headers.cookie, cookieNames.device),
  };
}

/** A page elsewhere can make a browser send its cookies, but not the header, and not our origin. */
function refuseForged(session: BrowserSession, headers: IncomingHttpHeaders): void {
  refuseOtherOrigins(headers);
  const hasOrigin = headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
  const given = headers['x-remuda-csrf'];
  if (!hasOrigin || !isCsrf(session.csrf, typeof given === 'string' ? given : undefined)) throw forged();
}

/** Programs send neither header; what a browser sends must name the page that we served. */
function refuseOtherOrigins(headers: IncomingHttpHeaders): void {
  const site = headers['sec-fetch-site'];
  if (!isSameOrigin(headers) || (site !== undefined && site !== 'same-origin')) throw forged();
}

/** Whether the origin, when there is one, is that of this server as the client itself calls it. */
export const isSameOrigin = (headers: IncomingHttpHeaders): boolean =>
  headers.origin === undefined || headers.origin === `https://${headers.host ?? ''}`;

interface Asked {
  readonly services: Services;
  readonly request: Request;
  readonly principal: Principal;
  readonly note: NoteRefusal;
}

function decide(access: RouteAccess, { services, request, principal, note }: Asked): void {
  const { verb, object, named, cluster: where } = access;
  // Lists are for everybody who is somebody: their handlers leave out what is not for the caller's eyes.
  if (where === 'each') return;
  const name = named === undefined ? undefined : parameter(request, named);
  const cluster = where === undefined ? undefined : clusterOf(where, services, request);
  const what = name === undefined ? object : `${object}/${name}`;
  if (where !== undefined && !mayKnowOf(principal, cluster ?? '')) {
    note(principal.id, what);
    throw hidden(where, parameter(request, where));
  }
  const subject = {
    kind: object,
    ...(name === undefined ? {} : { name }),
    ...(cluster === undefined ? {} : { cluster }),
  };
  if (authorize(principal, verb, subject)) return;
  note(principal.id, what);
  throw forbidden(principal.id, verb, what, rolesAllowed(verb, object));
}

/** Name of the cluster that a request is about; undefined for an operation that there is none of. */
function clusterOf(where: 'cluster' | 'operation', services: Services, request: Request): string | undefined {
  const name = parameter(request, where);
  return where === 'cluster' ? name : services.clusterOfOperation(name);
}
