import { setImmediate as immediate } from 'node:timers/promises';
import { z } from 'zod';
import { labelSchema } from '../schemas/access.ts';
import type { AccessObject } from '../../access/authorize.ts';
import {
  type EngineEvent,
  eventSchema,
  logPageSchema,
  operationDetailSchema,
  type OperationView,
  operationViewSchema,
} from '../schemas/operation.ts';
import {
  afterQuery,
  approveRequestSchema,
  overrideRequestSchema,
  pageOf,
  pageQuerySchema,
} from '../schemas/requests.ts';
import { keyFrom, lostCursor, pageOfFound } from '../paging.ts';
import { defineRoute } from '../route.ts';

const operationIdSchema = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

/** Operations, their logs, and what happened. */
export const operationRoutes = [
  defineRoute({
    id: 'operation.list',
    method: 'get',
    path: '/api/v1/operations',
    summary: 'Operations, newest first.',
    access: { verb: 'read', object: 'operation', cluster: 'each' },
    mutates: false,
    status: 200,
    query: pageQuerySchema.extend({ cluster: labelSchema.exactOptional() }),
    answer: pageOf(operationViewSchema),
    async handle({ engine, clusterOfOperation }, { query, may }) {
      const { limit, cluster } = query;
      const filter = { limit: limit + 1, ...(cluster === undefined ? {} : { cluster }) };
      let before = keyFrom(query);
      const origin = before === undefined ? undefined : clusterOfOperation(before);
      const isOurs = origin !== undefined && may('read', { kind: 'operation', cluster: origin });
      if (before !== undefined && !isOurs) throw lostCursor();
      const found: OperationView[] = [];
      // Pages are filled with what the caller may see, so that a short page is the last one.
      while (found.length <= limit) {
        const seen = engine.listOperations({ ...filter, ...(before === undefined ? {} : { before }) });
        found.push(...seen.filter((one) => may('read', { kind: 'operation', cluster: one.cluster.name })));
        before = seen.at(-1)?.id;
        if (seen.length < filter.limit) break;
        // Thousands of operations of other clusters may be looked through: others get their turn.
        await immediate();
      }
      return { body: pageOfFound(found, (operation) => operation.id, limit) };
    },
  }),
  defineRoute({
    id: 'operation.get',
    method: 'get',
    path: '/api/v1/operations/{operation}',
    summary: 'One operation with its plan and steps.',
    access: { verb: 'read', object: 'operation', named: 'operation', cluster: 'operation' },
    mutates: false,
    status: 200,
    answer: operationDetailSchema,
    handle: ({ engine }, { parameters }) => ({ body: engine.getOperation(parameters['operation'] ?? '') }),
  }),
  defineRoute({
    id: 'operation.resume',
    method: 'post',
    path: '/api/v1/operations/{operation}/resume',
    summary: 'Plans again on a fresh look and goes on.',
    access: { verb: 'operate', object: 'operation', named: 'operation', cluster: 'operation' },
    mutates: true,
    status: 202,
    answer: operationViewSchema,
    handle: async ({ engine }, { parameters, by }) => ({
      body: await engine.resumeOperation(parameters['operation'] ?? '', by),
    }),
  }),
  defineRoute({
    id: 'operation.cancel',
    method: 'post',
    path: '/api/v1/operations/{operation}/cancel',
    summary: 'Waits end at once, a running step finishes; then the operation is cancelled.',
    access: { verb: 'operate', object: 'operation', named: 'operation', cluster: 'operation' },
    mutates: true,
    status: 202,
    answer: operationViewSchema,
    handle: async ({ engine }, { parameters, by }) => ({
      body: await engine.cancelOperation(parameters['operation'] ?? '', by),
    }),
  }),
  defineRoute({
    id: 'operation.approve',
    method: 'post',
    path: '/api/v1/operations/{operation}/approve',
    summary: "Agrees to the plan that waits, by the cluster's name; it goes on when as many agreed as must.",
    access: { verb: 'approve', object: 'operation', named: 'operation', cluster: 'operation' },
    mutates: true,
    status: 202,
    body: approveRequestSchema,
    answer: operationViewSchema,
    handle: async ({ engine }, { parameters, body, by }) => ({
      body: await engine.approveOperation(parameters['operation'] ?? '', {
        principal: by,
        ...body,
      }),
    }),
  }),
  defineRoute({
    id: 'operation.override-window',
    method: 'post',
    path: '/api/v1/operations/{operation}/override-window',
    summary: "Lets the operation work outside the cluster's maintenance windows, to its end.",
    access: { verb: 'override', object: 'operation', named: 'operation', cluster: 'operation' },
    mutates: true,
    status: 202,
    body: overrideRequestSchema,
    answer: operationViewSchema,
    handle: async ({ engine }, { parameters, body, by }) => ({
      body: await engine.overrideWindow(parameters['operation'] ?? '', { principal: by, ...body }),
    }),
  }),
  defineRoute({
    id: 'operation.log',
    method: 'get',
    path: '/api/v1/operations/{operation}/log',
    summary: 'Log lines after a number.',
    access: { verb: 'read', object: 'log', named: 'operation', cluster: 'operation' },
    mutates: false,
    status: 200,
    query: z.object(afterQuery),
    answer: logPageSchema,
    handle: async ({ engine }, { parameters, query }) => ({
      body: await engine.logLines(parameters['operation'] ?? '', query.after, query.limit),
    }),
  }),
  defineRoute({
    id: 'event.list',
    method: 'get',
    path: '/api/v1/events',
    summary: 'What happened after a number, oldest first; or the newest, newest first.',
    access: { verb: 'read', object: 'event', cluster: 'each' },
    mutates: false,
    status: 200,
    query: z.object({
      ...afterQuery,
      cluster: labelSchema.exactOptional(),
      operation: operationIdSchema.exactOptional(),
      before: z.coerce
        .number()
        .int()
        .min(1)
        .exactOptional()
        .describe('Newest first, from before this number back; `after` counts no more.'),
    }),
    answer: z.object({
      items: z.array(eventSchema).readonly(),
      last: z.int().describe('Number of the newest event there is: to follow from now on.'),
    }),
    async handle({ engine, state }, { query: { after, before, limit, ...filter }, may }) {
      const items: EngineEvent[] = [];
      // Pages are filled with what the caller may see, so that a short page is the last one.
      for (let position = before ?? after; items.length < limit; ) {
        const wanted = { ...filter, limit };
        const seen =
          before === undefined ? engine.events(position, wanted) : engine.eventsBack(position, wanted);
        for (const event of seen)
          if (items.length < limit && may('read', subjectOf(event))) items.push(event);
        position = seen.at(-1)?.number ?? position;
        if (seen.length < limit) break;
        // Thousands of events of other clusters may be looked through: others get their turn.
        await immediate();
      }
      return { body: { items, last: state.events.last() } };
    },
  }),
];

const subjectOf = ({ cluster }: EngineEvent): AccessObject => ({
  kind: 'event',
  ...(cluster === undefined ? {} : { cluster }),
});
