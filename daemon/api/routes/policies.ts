import { z } from 'zod';
import { parseStream } from '../../spec/stream.ts';
import { noSuch } from '../failure.ts';
import { defineRoute } from '../route.ts';
import { policyTestRequestSchema, policyTestSchema, policyViewSchema } from '../schemas/policies.ts';

/** What clusters may be like. Policies are applied with `apply`, as documents of an answer file. */
export const policyRoutes = [
  defineRoute({
    id: 'policy.list',
    method: 'get',
    path: '/api/v1/policies',
    summary: 'Policies in force, by name.',
    access: { verb: 'read', object: 'policy' },
    mutates: false,
    status: 200,
    answer: z.object({ items: z.array(policyViewSchema).readonly() }),
    handle: ({ engine }) => ({ body: { items: engine.policies.list() } }),
  }),
  defineRoute({
    id: 'policy.get',
    method: 'get',
    path: '/api/v1/policies/{policy}',
    summary: 'One policy.',
    access: { verb: 'read', object: 'policy', named: 'policy' },
    mutates: false,
    status: 200,
    answer: policyViewSchema,
    handle({ engine }, { parameters }) {
      const name = parameters['policy'] ?? '';
      const found = engine.policies.list().find((policy) => policy.name === name);
      if (found === undefined) throw noSuch('policy', name, 'See `remuda policy list`.');
      return { body: found };
    },
  }),
  defineRoute({
    id: 'policy.remove',
    method: 'delete',
    path: '/api/v1/policies/{policy}',
    summary: 'Takes a policy out of force; one that came with Remuda does not come back.',
    access: { verb: 'administer', object: 'policy', named: 'policy' },
    mutates: true,
    status: 204,
    answer: 'nothing',
    async handle({ engine }, { parameters, by }) {
      await engine.policies.remove(parameters['policy'] ?? '', by);
      return { body: undefined };
    },
  }),
  defineRoute({
    id: 'policy.test',
    method: 'post',
    path: '/api/v1/policies/test',
    summary: 'What the policies of a file (or those in force) say of every cluster. Changes nothing.',
    // It speaks of every cluster: whoever sees only some may not ask.
    access: { verb: 'read', object: 'policy' },
    mutates: false,
    status: 200,
    body: policyTestRequestSchema,
    answer: policyTestSchema,
    handle({ engine }, { body, by }) {
      if (body.text === '') return { body: { problems: [], verdicts: engine.policies.test([], by) } };
      const { problems, policies } = parseStream(body.text, { file: body.file });
      return {
        body: { problems, verdicts: problems.length > 0 ? [] : engine.policies.test(policies, by) },
      };
    },
  }),
];
