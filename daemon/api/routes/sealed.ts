import { resealAnswerSchema, resealRequestSchema, sealedStoreSchema } from '../schemas/sealed.ts';
import { defineRoute } from '../route.ts';

/** The longest sealed text, with room for its JSON escapes. */
const sealedBodyLimit = 16 * 1024 * 1024;

/** What is kept sealed, for those who hold the recovery key: the daemon opens nothing. */
export const sealedRoutes = [
  defineRoute({
    id: 'agent.sealed',
    method: 'get',
    path: '/api/v1/agents/{site}/sealed',
    summary: "What a site's agent must be able to open, sealed as it is kept.",
    access: { verb: 'administer', object: 'agent', named: 'site' },
    // It changes nothing; that somebody took everything along is worth a row of the audit all the same.
    mutates: true,
    status: 200,
    answer: sealedStoreSchema,
    handle: ({ engine }, { parameters }) => ({ body: engine.resealing.list(parameters['site'] ?? '') }),
  }),
  defineRoute({
    id: 'agent.reseal',
    method: 'put',
    path: '/api/v1/agents/{site}/sealed',
    summary: 'The same, sealed to the new agent and the recovery key by who holds that key.',
    access: { verb: 'administer', object: 'agent', named: 'site' },
    mutates: true,
    status: 200,
    bodyLimit: sealedBodyLimit,
    body: resealRequestSchema,
    answer: resealAnswerSchema,
    handle: async ({ engine }, { parameters, body, by }) => ({
      body: await engine.resealing.put(parameters['site'] ?? '', body.items, by),
    }),
  }),
];
