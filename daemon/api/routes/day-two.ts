import { intentAnswerSchema } from '../schemas/operation.ts';
import { planAnswerSchema } from '../schemas/plan.ts';
import { intentRequestSchema } from '../schemas/requests.ts';
import { begun, planning, starting } from '../beginning.ts';
import { defineRoute } from '../route.ts';

/** What is wanted once of a cluster that is there: shown first, then begun. */
export const dayTwoRoutes = [
  defineRoute({
    id: 'operation.plan',
    method: 'post',
    path: '/api/v1/clusters/{cluster}/operation-plan',
    summary: 'What an operation would do, from a fresh look. Starts nothing.',
    access: { verb: 'plan', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: false,
    status: 200,
    body: intentRequestSchema,
    answer: planAnswerSchema,
    handle: async ({ engine }, request) => ({
      body: await engine.dayTwo.plan({ ...request.body, ...planning(request) }),
    }),
  }),
  defineRoute({
    id: 'operation.start',
    method: 'post',
    path: '/api/v1/clusters/{cluster}/operations',
    summary: 'Begins an operation; no operation in the answer when there is nothing to do.',
    access: { verb: 'apply', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: true,
    status: 202,
    body: intentRequestSchema,
    answer: intentAnswerSchema,
    handle: async ({ engine }, request) =>
      begun(await engine.dayTwo.start({ ...request.body, ...planning(request), ...starting(request) })),
  }),
];
