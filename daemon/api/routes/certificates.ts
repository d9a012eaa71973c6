import { defineRoute } from '../route.ts';
import { certificateListSchema } from '../schemas/certificates.ts';

/** Certificates of a cluster. They are renewed like everything that is wanted once: by an operation. */
export const certificateRoutes = [
  defineRoute({
    id: 'certificate.list',
    method: 'get',
    path: '/api/v1/clusters/{cluster}/certificates',
    summary: 'Certificates of the masters as last seen, the first to end first.',
    access: { verb: 'read', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: false,
    status: 200,
    answer: certificateListSchema,
    handle: ({ engine }, { parameters }) => ({
      body: engine.certificates.list(parameters['cluster'] ?? ''),
    }),
  }),
];
