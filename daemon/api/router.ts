import { randomUUID } from 'node:crypto';
import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import type { TLSSocket } from 'node:tls';
import { authorize, rolesAllowed } from '../access/authorize.ts';
import type { Principal } from '../access/principals.ts';
import {
  detailsOf,
  Failure,
  forbidden,
  malformed,
  noSuchRoute,
  tooLarge,
  unauthenticated,
  unreadable,
  wrongMethod,
} from './failure.ts';
import { parameterPattern } from './openapi.ts';
import { defaultBodyLimit, type Reply, type Route, type RouteRequest, type Services } from './route.ts';

/** The token of an `Authorization: Bearer` header. */
const bearerOf = (header: string | undefined): string | undefined =>
  /^Bearer ([\w.-]{1,300})$/i.exec(header ?? '')?.[1];

/** An express router made of the table: nothing answers that has no row. */
export function routerOf(routes: readonly Route[], services: Services): Router {
  const router = express.Router({ caseSensitive: true, strict: true });
  const methodsOf = new Map<string, string[]>();
  for (const route of routes) {
    const path = route.path.replaceAll(/\{([a-z]+)\}/g, ':$1');
    methodsOf.set(path, [...(methodsOf.get(path) ?? []), route.method]);
    router[route.method](path, (request, response) => serve(route, services, request, response));
  }
  for (const [path, methods] of methodsOf) {
    router.all(path, (request, response) => {
      response.setHeader('Allow', methods.join(', ').toUpperCase());
      sendProblem(services, request, response, wrongMethod(methods), randomUUID());
    });
  }
  router.use((request, response) => sendProblem(services, request, response, noSuchRoute(), randomUUID()));
  // Express calls this for paths it cannot decode; its own answer would show where the source lies. Four parameters are
  // how it knows an error handler.
  router.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const isUndecodable = error instanceof URIError;
    sendProblem(services, request, response, isUndecodable ? noSuchRoute() : error, randomUUID());
  });
  return router;
}

async function serve(route: Route, services: Services, request: Request, response: Response): Promise<void> {
  const id = randomUUID();
  const started = performance.now();
  try {
    const caller = identify(route, services, request);
    const asked = await readRequest(route, request, response, caller, id);
    const reply = route.mutates
      ? await auditedly(route, services, asked)
      : await route.handle(services, asked);
    send(route, response, reply);
  } catch (error) {
    sendProblem(services, request, response, error, id);
  } finally {
    services.metrics.countRequest(route.id, response.statusCode, (performance.now() - started) / 1000);
  }
}

interface Caller {
  readonly principal: Principal | undefined;
  readonly certificateName?: string;
}

/** Who asks, and whether they may; before a byte of the body is read. */
function identify(route: Route, services: Services, request: Request): Caller {
  if (route.access === 'agent-certificate') {
    const socket = request.socket as TLSSocket;
    const name = socket.authorized ? socket.getPeerCertificate().subject?.CN : undefined;
    if (typeof name !== 'string') throw unauthenticated();
    return { principal: undefined, certificateName: name };
  }
  if (typeof route.access === 'string') return { principal: undefined };
  const token = bearerOf(request.headers.authorization);
  const principal = token === undefined ? undefined : services.tokens.authenticate(token);
  if (!principal) throw unauthenticated();
  const { verb, object, named } = route.access;
  const name = named === undefined ? undefined : parameter(request, named);
  if (!authorize(principal, verb, { kind: object, ...(name === undefined ? {} : { name }) })) {
    const what = name === undefined ? object : `${object}/${name}`;
    if (route.mutates)
      record(services, { principal: principal.id, verb: route.id, object: what, outcome: 'refused' });
    throw forbidden(principal.id, verb, what, rolesAllowed(verb, object));
  }
  return { principal };
}

function parameter(request: Request, name: string): string {
  const value = request.params[name];
  if (typeof value !== 'string' || !parameterPattern.test(value)) throw noSuchRoute();
  return value;
}

async function readRequest(
  route: Route,
  request: Request,
  response: Response,
  caller: Caller,
  id: string,
): Promise<RouteRequest<unknown, unknown>> {
  const parameters = Object.fromEntries(
    Object.keys(request.params).map((name) => [name, parameter(request, name)]),
  );
  const query = route.query?.safeParse(request.query);
  if (query && !query.success) throw malformed('query', query.error);
  const body = route.body?.safeParse(await readBody(request, response, route.bodyLimit ?? defaultBodyLimit));
  if (body && !body.success) throw malformed('body', body.error);
  const revision = revisionOf(request.headers['if-match']);
  const key = keyOf(request.headers['idempotency-key']);
  return {
    id,
    principal: caller.principal,
    by: caller.principal?.id ?? caller.certificateName ?? 'anonymous',
    parameters,
    query: query?.data,
    body: body?.data,
    ...(revision === undefined ? {} : { ifRevision: revision }),
    ...(key === undefined ? {} : { idempotencyKey: key }),
    ...(caller.certificateName === undefined ? {} : { certificateName: caller.certificateName }),
  };
}

/** The body as JSON. Parsers quote what they could not read: their messages are not passed on. */
function readBody(request: Request, response: Response, limit: number): Promise<unknown> {
  if (request.headers['content-encoding'] !== undefined) throw unreadable('compressed bodies are not taken');
  return new Promise((resolve, reject) => {
    express.json({ limit, strict: true, inflate: false })(request, response, (error?: unknown) => {
      if (error === undefined) return resolve(request.body);
      const { type } = error as { readonly type?: string };
      // The rest of a refused body must not be taken for the next request on this connection.
      response.setHeader('Connection', 'close');
      return reject(type === 'entity.too.large' ? tooLarge(limit) : unreadable('the body is not JSON'));
    });
  });
}

function revisionOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const digits = /^"?(\d{1,12})"?$/.exec(header)?.[1];
  if (digits === undefined) throw unreadable('If-Match is not a revision number in quotes');
  return Number(digits);
}

function keyOf(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !/^[\w.:-]{1,200}$/.test(header))
    throw unreadable('Idempotency-Key is not 1 to 200 letters, digits, dots, dashes, colons or underscores');
  return header;
}

/** A row before the change, so that none happens unrecorded; another when it did not come about. */
async function auditedly(
  route: Route,
  services: Services,
  request: RouteRequest<unknown, unknown>,
): Promise<Reply<unknown>> {
  const entry = { principal: request.by, verb: route.id, object: objectOf(route, request) };
  record(services, { ...entry, outcome: 'allowed', request: request.id });
  try {
    return await route.handle(services, request);
  } catch (error) {
    const { details, isOurs } = detailsOf(error, {
      id: request.id,
      hasRevision: request.ifRevision !== undefined,
    });
    record(services, {
      ...entry,
      outcome: isOurs ? 'failed' : 'refused',
      request: request.id,
      problem: details.type,
    });
    throw error;
  }
}

function objectOf(route: Route, request: RouteRequest<unknown, unknown>): string {
  const names = Object.values(request.parameters);
  const kind = typeof route.access === 'string' ? 'agent' : route.access.object;
  return [kind, ...names].join('/');
}

function record(
  services: Services,
  row: {
    readonly principal: string;
    readonly verb: string;
    readonly object: string;
    readonly outcome: 'allowed' | 'refused' | 'failed';
    readonly request?: string;
    readonly problem?: string;
  },
): void {
  const { request, problem, ...entry } = row;
  services.audit.append({
    ...entry,
    at: new Date().toISOString(),
    detail: { ...(request === undefined ? {} : { request }), ...(problem === undefined ? {} : { problem }) },
  });
}

function send(route: Route, response: Response, reply: Reply<unknown>): void {
  response.status(reply.status ?? route.status);
  if (reply.location !== undefined) response.setHeader('Location', reply.location);
  if (reply.revision !== undefined) response.setHeader('ETag', `"${reply.revision}"`);
  if (route.answer === 'nothing') response.end();
  else if (route.answer === 'text') response.type('text/plain; version=0.0.4').send(reply.body);
  else response.json(reply.body);
}

function sendProblem(
  services: Services,
  request: Request,
  response: Response,
  error: unknown,
  id: string,
): void {
  const hasRevision = request.headers['if-match'] !== undefined;
  const { details, isOurs } = detailsOf(error, { id, hasRevision });
  if (isOurs)
    services.logger.error(
      { request: id, path: request.path, err: error },
      'a request failed by our own mistake',
    );
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (details.status === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="remuda"');
  if (details.status === 503) response.setHeader('Retry-After', '5');
  if (error instanceof Failure && request.readableEnded === false) response.setHeader('Connection', 'close');
  response.status(details.status).type('application/problem+json').send(JSON.stringify(details));
}
