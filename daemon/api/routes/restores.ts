import { intentAnswerSchema } from '../schemas/operation.ts';
import { restorePlanAnswerSchema, restoreRequestSchema } from '../schemas/restores.ts';
import { begun, planning, starting } from '../beginning.ts';
import { defineRoute } from '../route.ts';

/** A cluster's data back from a backup, or on with that of a master that is left. */
export const restoreRoutes = [
  defineRoute({
    id: 'restore.plan',
    method: 'post',
    path: '/api/v1/clusters/{cluster}/restore-plan',
    summary: 'What a restore would do and what would be lost, from a fresh look. Starts nothing.',
    access: { verb: 'plan', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: false,
    status: 200,
    body: restoreRequestSchema,
    answer: restorePlanAnswerSchema,
    handle: async ({ engine }, request) => ({
      body: await engine.restoring.plan({ ...request.body, ...planning(request) }),
    }),
  }),
  defineRoute({
    id: 'restore.start',
    method: 'post',
    path: '/api/v1/clusters/{cluster}/restores',
    summary: "Begins a restore. Needs the cluster's name: what was written since is lost.",
    // As a deletion: both take away what nobody can bring back.
    access: { verb: 'delete', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: true,
    status: 202,
    body: restoreRequestSchema,
    answer: intentAnswerSchema,
    handle: async ({ engine }, request) =>
      begun(await engine.restoring.start({ ...request.body, ...planning(request), ...starting(request) })),
  }),
];
