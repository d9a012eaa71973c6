import { randomUUID } from 'node:crypto';
import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import { authorize } from '../access/authorize.ts';
import { AccessRefusal } from '../access/refusal.ts';
import { type Caller, identify, parameter } from './caller.ts';
import { detailsOf, Failure, malformed, noSuchRoute, tooLarge, unreadable, wrongMethod } from './failure.ts';
import {
  type AuditNote,
  defaultBodyLimit,
  type Reply,
  type Route,
  type RouteRequest,
  type Services,
} from './route.ts';

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
    const caller = identify(route, services, request, (principal, object) => {
      if (route.mutates) record(services, { principal, verb: route.id, object, outcome: 'refused' });
    });
    const asked = await readRequest(route, services, { request, response, caller, id });
    const reply =
      route.mutates && route.notesItself === undefined
        ? await auditedly(route, services, asked)
        : await route.handle(services, asked);
    send(route, response, reply);
  } catch (error) {
    sendProblem(services, request, response, error, id);
  } finally {
    services.metrics.countRequest(route.id, response.statusCode, (performance.now() - started) / 1000);
  }
}

interface Arrived {
  readonly request: Request;
  readonly response: Response;
  readonly caller: Caller;
  readonly id: string;
}

async function readRequest(
  route: Route,
  services: Services,
  { request, response, caller, id }: Arrived,
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
  const { principal } = caller;
  return {
    id,
    ...caller,
    by: principal?.id ?? caller.certificateName ?? 'anonymous',
    origin: originOf(request.headers.host),
    may: (verb, object) => principal !== undefined && authorize(principal, verb, object),
    note: (row: AuditNote) => record(services, { ...row, verb: route.id, request: id }),
    parameters,
    query: query?.data,
    body: body?.data,
    ...(revision === undefined ? {} : { ifRevision: revision }),
    ...(key === undefined ? {} : { idempotencyKey: key }),
  };
}

const originOf = (host: string | undefined): string =>
  /^[A-Za-z0-9.[\]:_-]{1,255}$/.test(host ?? '') ? `https://${host}` : '';

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
  if (reply.cookies !== undefined) response.setHeader('Set-Cookie', reply.cookies);
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
  if (error instanceof AccessRefusal && error.retryAfter !== undefined)
    response.setHeader('Retry-After', String(error.retryAfter));
  if (details.status === 503) response.setHeader('Retry-After', '5');
  if (error instanceof Failure && request.readableEnded === false) response.setHeader('Connection', 'close');
  response.status(details.status).type('application/problem+json').send(JSON.stringify(details));
}
