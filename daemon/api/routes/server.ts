import { z } from 'zod';
import { serverSchema } from '../schemas/access.ts';
import { probeSchema } from '../schemas/problem.ts';
import { defineRoute } from '../route.ts';

/** The server itself: probes, metrics, who am I. The description of the API is added where all routes are known. */
export const serverRoutes = [
  defineRoute({
    id: 'server.health',
    method: 'get',
    path: '/healthz',
    summary: 'Whether the process lives.',
    access: 'anyone',
    mutates: false,
    status: 200,
    answer: probeSchema,
    handle: () => ({ body: { status: 'ok' as const } }),
  }),
  defineRoute({
    id: 'server.ready',
    method: 'get',
    path: '/readyz',
    summary: 'Whether it takes on work; 503 when not.',
    access: 'anyone',
    mutates: false,
    status: 200,
    answer: probeSchema,
    // Strangers learn yes or no; why it is not ready is for the log and for `remuda get`.
    handle: ({ engine }) =>
      engine.health().isReady
        ? { body: { status: 'ok' as const } }
        : { status: 503, body: { status: 'not ready' as const } },
  }),
  defineRoute({
    id: 'server.metrics',
    method: 'get',
    path: '/metrics',
    summary: 'Metrics in the Prometheus text format.',
    access: { verb: 'read', object: 'metrics' },
    mutates: false,
    status: 200,
    answer: 'text',
    handle: async ({ metrics }) => ({ body: await metrics.text() }),
  }),
  defineRoute({
    id: 'server.get',
    method: 'get',
    path: '/api/v1/server',
    summary: 'Release of the server, and who the token stands for.',
    access: { verb: 'read', object: 'server' },
    mutates: false,
    status: 200,
    answer: serverSchema,
    handle: ({ release, startedAt, authority, engine }, { principal, by }) => {
      const { problem } = engine.health();
      return {
        body: {
          release,
          startedAt,
          authorityHash: authority.hash,
          principal: by,
          role: principal?.role ?? 'user',
          ...(principal?.token === undefined ? {} : { token: principal.token }),
          ...(problem === undefined ? {} : { problem }),
        },
      };
    },
  }),
];

/** Path of the description that {@link ../openapi.ts} makes of the whole table. */
export const descriptionRoute = (describe: () => z.input<typeof descriptionSchema>) =>
  defineRoute({
    id: 'server.description',
    method: 'get',
    path: '/api/v1/openapi.json',
    summary: 'This description (OpenAPI 3.1).',
    access: { verb: 'read', object: 'server' },
    mutates: false,
    status: 200,
    answer: descriptionSchema,
    handle: () => ({ body: describe() }),
  });

const descriptionSchema = z.record(z.string(), z.unknown());
