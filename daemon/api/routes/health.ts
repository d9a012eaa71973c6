import { z } from 'zod';
import { noSuch, unreadable } from '../failure.ts';
import { keyFrom, lostCursor, pageOfFound } from '../paging.ts';
import { defineRoute } from '../route.ts';
import {
  alertReceiverRequestSchema,
  alertReceiverViewSchema,
  alertSchema,
  clusterHealthSchema,
  deliveryTestSchema,
  transitionSchema,
} from '../schemas/health.ts';
import { pageOf, pageQuerySchema } from '../schemas/requests.ts';

const unknown = (name: string): Error => noSuch('receiver', name, 'See `remuda alert receiver list`.');
const namePattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Alerts answered at once: the firing ones and some months of others. */
const alertsShown = 1000;

/** Number of the last transition of the page before. @throws Failure 400 when the cursor is not one of ours */
function numberFrom(query: { readonly cursor?: string }): number | undefined {
  const key = keyFrom(query);
  if (key === undefined) return undefined;
  if (!/^\d{1,15}$/.test(key)) throw lostCursor();
  return Number(key);
}

/** How clusters are, and who is told when they are not well. */
export const healthRoutes = [
  defineRoute({
    id: 'cluster.health',
    method: 'get',
    path: '/api/v1/clusters/{cluster}/health',
    summary: 'Conditions of a cluster as its agent saw them last; unknown while nobody looks.',
    access: { verb: 'read', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: false,
    status: 200,
    answer: clusterHealthSchema,
    handle: ({ engine }, { parameters }) => ({
      body: engine.clusterHealth.get(parameters['cluster'] ?? ''),
    }),
  }),
  defineRoute({
    id: 'cluster.health-history',
    method: 'get',
    path: '/api/v1/clusters/{cluster}/health/history',
    summary: 'When conditions changed, newest first: 90 days, or the last 2000.',
    access: { verb: 'read', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: false,
    status: 200,
    query: pageQuerySchema,
    answer: pageOf(transitionSchema),
    handle({ engine }, { parameters, query }) {
      const { limit } = query;
      const name = parameters['cluster'] ?? '';
      const found = engine.clusterHealth.history(name, limit + 1, numberFrom(query));
      return { body: pageOfFound(found, ({ number }) => `${number}`, limit) };
    },
  }),
  defineRoute({
    id: 'alert.list',
    method: 'get',
    path: '/api/v1/alerts',
    summary: 'Conditions that stayed bad, newest first; those that are over too.',
    access: { verb: 'read', object: 'cluster', cluster: 'each' },
    mutates: false,
    status: 200,
    answer: z.object({ items: z.array(alertSchema).readonly() }),
    handle: ({ engine }, { may }) => ({
      body: {
        items: engine.clusterHealth
          .alerts(alertsShown)
          .filter(({ name }) => may('read', { kind: 'cluster', name, cluster: name }))
          .map(({ id, name, condition, firedAt, resolvedAt }) => ({
            id,
            cluster: name,
            state: resolvedAt === undefined ? ('firing' as const) : ('resolved' as const),
            condition,
            firedAt,
            ...(resolvedAt === undefined ? {} : { resolvedAt }),
          })),
      },
    }),
  }),
  defineRoute({
    id: 'alert.receivers',
    method: 'get',
    path: '/api/v1/alerts/receivers',
    summary: 'Where alerts go, and how far each receiver is.',
    access: { verb: 'read', object: 'alert' },
    mutates: false,
    status: 200,
    answer: z.object({ items: z.array(alertReceiverViewSchema).readonly() }),
    handle: ({ engine }) => ({ body: { items: engine.clusterHealth.receivers.list() } }),
  }),
  defineRoute({
    id: 'alert.set-receiver',
    method: 'put',
    path: '/api/v1/alerts/receivers/{receiver}',
    summary: 'Makes or changes a receiver; a new one gets what comes from now on.',
    access: { verb: 'administer', object: 'alert', named: 'receiver' },
    mutates: true,
    status: 200,
    body: alertReceiverRequestSchema,
    answer: alertReceiverViewSchema,
    handle({ engine }, { parameters, body, by }) {
      const name = parameters['receiver'] ?? '';
      if (!namePattern.test(name))
        throw unreadable('the name of a receiver is lower-case letters, digits and dashes');
      return { body: engine.clusterHealth.receivers.set(name, body, by) };
    },
  }),
  defineRoute({
    id: 'alert.test-receiver',
    method: 'post',
    path: '/api/v1/alerts/receivers/{receiver}/test',
    summary: 'Sends a message that says it is a test, and answers whether it arrived.',
    access: { verb: 'administer', object: 'alert', named: 'receiver' },
    mutates: true,
    status: 200,
    answer: deliveryTestSchema,
    async handle({ engine }, { id, parameters }) {
      const name = parameters['receiver'] ?? '';
      const outcome = await engine.clusterHealth.receivers.test(name, id);
      if (outcome === undefined) throw unknown(name);
      return { body: outcome };
    },
  }),
  defineRoute({
    id: 'alert.remove-receiver',
    method: 'delete',
    path: '/api/v1/alerts/receivers/{receiver}',
    summary: 'Nothing more goes there; its position is forgotten.',
    access: { verb: 'administer', object: 'alert', named: 'receiver' },
    mutates: true,
    status: 204,
    answer: 'nothing',
    handle({ engine }, { parameters }) {
      const name = parameters['receiver'] ?? '';
      if (!engine.clusterHealth.receivers.remove(name)) throw unknown(name);
      return { body: undefined };
    },
  }),
];
