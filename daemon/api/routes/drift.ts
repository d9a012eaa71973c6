import { defineRoute } from '../route.ts';
import { driftSchema, lastDriftSchema } from '../schemas/drift.ts';

const ofCluster = { object: 'cluster', named: 'cluster', cluster: 'cluster' } as const;
const path = '/api/v1/clusters/{cluster}/drift';

/** What of a cluster is not as its document asks. */
export const driftRoutes = [
  defineRoute({
    id: 'cluster.look-for-drift',
    method: 'post',
    path,
    summary: 'Looks at everything that the document asks for, machine by machine. Changes nothing.',
    access: { verb: 'plan', ...ofCluster },
    mutates: false,
    status: 200,
    answer: driftSchema,
    handle: async ({ engine }, { parameters }) => ({
      body: await engine.drift.look(parameters['cluster'] ?? ''),
    }),
  }),
  defineRoute({
    id: 'cluster.drift',
    method: 'get',
    path,
    summary: 'What the last look found; nothing when nobody has looked since something was done.',
    access: { verb: 'read', ...ofCluster },
    mutates: false,
    status: 200,
    answer: lastDriftSchema,
    handle({ engine }, { parameters }) {
      const cluster = parameters['cluster'] ?? '';
      const drift = engine.drift.last(cluster);
      return { body: drift === undefined ? {} : { drift: { cluster, ...drift } } };
    },
  }),
];
