import { defineRoute } from '../route.ts';
import { backupListSchema } from '../schemas/backups.ts';

/** Backups of a cluster. They are made like everything that is wanted once: by an operation. */
export const backupRoutes = [
  defineRoute({
    id: 'backup.list',
    method: 'get',
    path: '/api/v1/clusters/{cluster}/backups',
    summary: 'What lies where backups go, asked just now, beside what the journal knows of it.',
    access: { verb: 'read', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: false,
    status: 200,
    answer: backupListSchema,
    handle: async ({ engine }, { parameters }) => ({
      body: await engine.backups.list(parameters['cluster'] ?? ''),
    }),
  }),
];
