import { refuseForeignDocuments } from '../documents.ts';
import { requireHookRights } from '../hook-rights.ts';
import { planAnswerSchema, preflightAnswerSchema } from '../schemas/plan.ts';
import { applyAnswerSchema } from '../schemas/operation.ts';
import {
  applyRequestSchema,
  fileRequestSchema,
  planRequestSchema,
  preflightRequestSchema,
} from '../schemas/requests.ts';
import { validationSchema } from '../schemas/problem.ts';
import { defineRoute } from '../route.ts';

/** What can be asked about an answer file. */
export const fileRoutes = [
  defineRoute({
    id: 'file.validate',
    method: 'post',
    path: '/api/v1/validate',
    summary: 'Every problem of a file, looked at with what the store knows.',
    access: { verb: 'read', object: 'file' },
    mutates: false,
    status: 200,
    body: fileRequestSchema,
    answer: validationSchema,
    handle(services, { body, ...asked }) {
      refuseForeignDocuments(services, asked, 'plan', body);
      return { body: services.engine.validate(body.text, body.file) };
    },
  }),
  defineRoute({
    id: 'file.plan',
    method: 'post',
    path: '/api/v1/plans',
    summary: 'What apply would do, from a fresh look. Starts nothing.',
    access: { verb: 'plan', object: 'file' },
    mutates: false,
    status: 200,
    body: planRequestSchema,
    answer: planAnswerSchema,
    async handle(services, { body, ...asked }) {
      refuseForeignDocuments(services, asked, 'plan', body);
      return { body: await services.engine.plan({ ...body, principal: asked.by }) };
    },
  }),
  defineRoute({
    id: 'file.preflight',
    method: 'post',
    path: '/api/v1/preflight',
    summary: 'Every finding of the checks that can be made now. Makes and changes nothing.',
    access: { verb: 'plan', object: 'file' },
    mutates: false,
    status: 200,
    body: preflightRequestSchema,
    answer: preflightAnswerSchema,
    async handle(services, { body, ...asked }) {
      refuseForeignDocuments(services, asked, 'plan', body);
      return { body: await services.engine.preflight({ ...body, principal: asked.by }) };
    },
  }),
  defineRoute({
    id: 'file.apply',
    method: 'post',
    path: '/api/v1/apply',
    summary: 'Makes the file the desired state and starts the operations that this needs.',
    access: { verb: 'apply', object: 'file' },
    mutates: true,
    status: 202,
    body: applyRequestSchema,
    answer: applyAnswerSchema,
    async handle(services, { body, ifRevision, idempotencyKey, ...asked }) {
      refuseForeignDocuments(services, asked, 'apply', body);
      requireHookRights(services, asked, body);
      const answer = await services.engine.apply({
        ...body,
        principal: asked.by,
        ...(ifRevision === undefined ? {} : { ifRevision }),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      });
      const [first] = answer.operations;
      if (!first) return { body: answer, status: 200 };
      return { body: answer, location: `/api/v1/operations/${first.id}` };
    },
  }),
];
