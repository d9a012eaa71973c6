import { applyAnswerSchema } from '../schemas/operation.ts';
import { planAnswerSchema } from '../schemas/plan.ts';
import { machineChangeSchema, machineFencedSchema } from '../schemas/requests.ts';
import { defineRoute } from '../route.ts';

/** Single machines of a cluster: more of them, some less, or others in their place. */
export const machineChangeRoutes = [
  defineRoute({
    id: 'machine.plan-change',
    method: 'post',
    path: '/api/v1/clusters/{cluster}/machine-plan',
    summary: 'What a change of machines would do, from a fresh look. Starts nothing.',
    access: { verb: 'plan', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: false,
    status: 200,
    body: machineChangeSchema,
    answer: planAnswerSchema,
    handle: async ({ engine }, { parameters, body, by }) => ({
      body: await engine.machines.plan({ ...body, cluster: parameters['cluster'] ?? '', principal: by }),
    }),
  }),
  defineRoute({
    id: 'machine.change',
    method: 'post',
    path: '/api/v1/clusters/{cluster}/machines',
    summary: 'Adds, removes or replaces machines: another document is asked for from then on.',
    access: { verb: 'apply', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: true,
    status: 202,
    body: machineChangeSchema,
    answer: applyAnswerSchema,
    async handle({ engine }, { parameters, body, by, idempotencyKey }) {
      const answer = await engine.machines.change({
        ...body,
        cluster: parameters['cluster'] ?? '',
        principal: by,
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      });
      const [first] = answer.operations;
      if (!first) return { body: answer, status: 200 };
      return { body: answer, location: `/api/v1/operations/${first.id}` };
    },
  }),
  defineRoute({
    id: 'machine.state-fenced',
    method: 'post',
    path: '/api/v1/clusters/{cluster}/machines/{machine}/fenced',
    summary: 'Says, for the record, that a machine that could not be fenced is switched off and stays so.',
    access: { verb: 'apply', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: true,
    status: 204,
    body: machineFencedSchema,
    answer: 'nothing',
    async handle({ engine }, { parameters, body, by }) {
      const { cluster = '', machine = '' } = parameters;
      await engine.machines.stateFenced({ ...body, cluster, machine, principal: by });
      return { body: undefined };
    },
  }),
];
