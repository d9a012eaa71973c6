import { z } from 'zod';
import { rolesAllowed } from '../access/authorize.ts';
import { cookieNames } from './cookies.ts';
import type { Route } from './route.ts';
import { problemDetailsSchema } from './schemas/problem.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

/** Collects named schemas under `#/components/schemas`, so that each stands there once. */
class Components {
  readonly schemas: Record<string, unknown> = {};

  /** The schema, with references to the collected ones in place of zod's local definitions. */
  of(schema: z.ZodType): JsonSchema {
    const {
      $schema: _,
      $defs,
      ...root
    } = z.toJSONSchema(schema, {
      target: 'draft-2020-12', // the dialect of OpenAPI 3.1
      io: 'input',
      unrepresentable: 'any',
    });
    for (const [name, definition] of Object.entries($defs ?? {})) this.schemas[name] = repoint(definition);
    const name = schema.meta()?.['id'];
    if (typeof name !== 'string') return repoint(root) as JsonSchema;
    this.schemas[name] = repoint(root);
    return { $ref: `#/components/schemas/${name}` };
  }
}

function repoint(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(repoint);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
      if (key === 'id' && typeof inner === 'string') return []; // zod's registry name is no JSON Schema keyword
      if (key === '$ref' && typeof inner === 'string')
        return [[key, inner.replace('#/$defs/', '#/components/schemas/')]];
      return [[key, repoint(inner)]];
    }),
  );
}

const securityOf = (route: Route): readonly Readonly<Record<string, readonly string[]>>[] => {
  if (typeof route.access !== 'string') return [{ token: [] }, { session: [] }];
  return route.access === 'agent-certificate' ? [{ agentCertificate: [] }] : [];
};

function parametersOf(route: Route, components: Components): readonly JsonSchema[] {
  const inPath = [...route.path.matchAll(/\{([a-z]+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', pattern: parameterPatternOf(name ?? '').source },
  }));
  const query = route.query ? components.of(route.query) : undefined;
  const required = (query?.['required'] ?? []) as readonly string[];
  const inQuery = Object.entries((query?.['properties'] ?? {}) as Record<string, JsonSchema>).map(
    ([name, schema]) => ({ name, in: 'query', required: required.includes(name), schema }),
  );
  const headers = route.mutates
    ? [
        {
          name: 'Idempotency-Key',
          in: 'header',
          required: false,
          schema: { type: 'string', maxLength: 200 },
        },
        { name: 'If-Match', in: 'header', required: false, schema: { type: 'string' } },
      ]
    : [];
  return [...inPath, ...inQuery, ...headers];
}

/** What a path parameter may look like: names and ids of ours, never a dot or a slash. */
const parameterPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;
/** Names of people have dots, and those of a directory an at sign. They are looked up and never made a path of. */
const userPattern = /^[a-z0-9_][a-z0-9._%@+-]{0,255}$/;

/** The pattern of the path parameter with this name. */
export const parameterPatternOf = (name: string): RegExp =>
  name === 'user' ? userPattern : parameterPattern;

function operationOf(route: Route, components: Components): JsonSchema {
  const problem = {
    description: 'Refused; the body says what, why and what to do.',
    content: { 'application/problem+json': { schema: components.of(problemDetailsSchema) } },
  };
  const content = (): JsonSchema => {
    if (route.answer === 'nothing') return {};
    if (route.answer === 'text') return { content: { 'text/plain': { schema: { type: 'string' } } } };
    return { content: { 'application/json': { schema: components.of(route.answer) } } };
  };
  const roles =
    typeof route.access === 'string' ? route.access : rolesAllowed(route.access.verb, route.access.object);
  return {
    operationId: route.id,
    summary: route.summary,
    security: securityOf(route),
    'x-roles': roles,
    parameters: parametersOf(route, components),
    ...(route.body
      ? {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: components.of(route.body) } },
          },
        }
      : {}),
    responses: { [String(route.status)]: { description: route.summary, ...content() }, default: problem },
  };
}

/** OpenAPI 3.1 of the table of routes. */
export function describeApi(routes: readonly Route[], release: string): Record<string, unknown> {
  const components = new Components();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const methods = (paths[route.path] ??= {});
    methods[route.method] = operationOf(route, components);
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Remuda',
      version: release,
      description: 'Long work is asynchronous: 202 and an operation to follow, by polling or by live events.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: components.schemas,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: cookieNames.session,
          description: 'Of a browser. What changes something needs the header X-Remuda-Csrf too.',
        },
        agentCertificate: { type: 'mutualTLS' },
      },
    },
  };
}
