import { defineRoute } from '../route.ts';
import { backupListSchema, backupRemovalSchema } from '../schemas/backups.ts';

/** Backups of a cluster. They are made like everything that is wanted once, by an operation, and removed by hand. */
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
  defineRoute({
    id: 'backup.remove',
    method: 'post',
    path: '/api/v1/clusters/{cluster}/backups/{backup}/removal',
    summary: 'Removes a backup by hand; needs its id once more. May be repeated.',
    access: { verb: 'delete', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: true,
    status: 204,
    body: backupRemovalSchema,
    answer: 'nothing',
    async handle({ engine }, { parameters, body, by }) {
      const { cluster = '', backup: id = '' } = parameters;
      await engine.backups.remove({ ...body, cluster, id, principal: by });
      return { body: undefined };
    },
  }),
];
