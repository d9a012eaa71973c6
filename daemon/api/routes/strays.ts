import { planAnswerSchema } from '../schemas/plan.ts';
import { intentAnswerSchema } from '../schemas/operation.ts';
import { strayListSchema, strayQuerySchema, sweepRequestSchema } from '../schemas/strays.ts';
import { defineRoute } from '../route.ts';

/** What is at providers and belongs to no cluster of this Remuda. Whoever may sweep may delete everywhere. */
export const strayRoutes = [
  defineRoute({
    id: 'stray.list',
    method: 'get',
    path: '/api/v1/strays',
    summary: 'What bears our tags at the providers and belongs to no cluster of this Remuda; a fresh look.',
    access: { verb: 'sweep', object: 'provider' },
    mutates: false,
    status: 200,
    query: strayQuerySchema,
    answer: strayListSchema,
    handle: async ({ engine }, { query }) => ({ body: await engine.sweeping.list(query.provider) }),
  }),
  defineRoute({
    id: 'stray.plan',
    method: 'post',
    path: '/api/v1/strays/{stray}/sweep-plan',
    summary: 'What sweeping it would remove, from a fresh look. Starts nothing.',
    access: { verb: 'sweep', object: 'provider' },
    mutates: false,
    status: 200,
    body: sweepRequestSchema,
    answer: planAnswerSchema,
    handle: async ({ engine }, { parameters, body, by }) => ({
      body: await engine.sweeping.plan({ ...body, uid: parameters['stray'] ?? '', principal: by }),
    }),
  }),
  defineRoute({
    id: 'stray.sweep',
    method: 'post',
    path: '/api/v1/strays/{stray}/sweep',
    summary: 'Removes it and proves it gone; needs the name of its cluster once more.',
    access: { verb: 'sweep', object: 'provider' },
    mutates: true,
    status: 202,
    body: sweepRequestSchema,
    answer: intentAnswerSchema,
    async handle({ engine }, { parameters, body, by, idempotencyKey }) {
      const { bypass: _bypass, ...wish } = body;
      const key = idempotencyKey === undefined ? {} : { idempotencyKey };
      const uid = parameters['stray'] ?? '';
      const answer = await engine.sweeping.start({ ...wish, uid, principal: by, ...key });
      if (answer.operation === undefined) return { body: answer, status: 200 };
      return { body: answer, location: `/api/v1/operations/${answer.operation.id}` };
    },
  }),
];
