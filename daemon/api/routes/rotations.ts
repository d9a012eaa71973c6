import { intentAnswerSchema } from '../schemas/operation.ts';
import { planAnswerSchema } from '../schemas/plan.ts';
import { rotationRequestSchema } from '../schemas/rotations.ts';
import { begun, planning, starting } from '../beginning.ts';
import { defineRoute } from '../route.ts';

/** The authorities of a cluster, exchanged in three stages. */
export const rotationRoutes = [
  defineRoute({
    id: 'rotation.plan',
    method: 'post',
    path: '/api/v1/clusters/{cluster}/rotation-plan',
    summary:
      "What a stage of a rotation of the cluster's authorities would do, and who holds it. Starts nothing, draws nothing.",
    access: { verb: 'plan', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: false,
    status: 200,
    body: rotationRequestSchema,
    answer: planAnswerSchema,
    handle: async ({ engine }, request) => ({
      body: await engine.rotating.plan({ ...request.body, ...planning(request) }),
    }),
  }),
  defineRoute({
    id: 'rotation.start',
    method: 'post',
    path: '/api/v1/clusters/{cluster}/rotations',
    summary:
      'Begins a stage of a rotation, or goes on with it; refused while it would leave somebody behind.',
    access: { verb: 'apply', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: true,
    status: 202,
    body: rotationRequestSchema,
    answer: intentAnswerSchema,
    handle: async ({ engine }, request) =>
      begun(await engine.rotating.start({ ...request.body, ...planning(request), ...starting(request) })),
  }),
];
