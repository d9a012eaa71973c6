import { leftoverSchema } from '../schemas/leftovers.ts';
import { pageOf } from '../schemas/requests.ts';
import { defineRoute } from '../route.ts';

/** What deleted clusters have left behind. */
export const leftoverRoutes = [
  defineRoute({
    id: 'leftover.list',
    method: 'get',
    path: '/api/v1/leftovers',
    summary: 'What clusters that are deleted have left behind: kept by policy, or left and why.',
    access: { verb: 'read', object: 'operation', cluster: 'each' },
    mutates: false,
    status: 200,
    answer: pageOf(leftoverSchema),
    handle: ({ state }, { may }) => ({
      body: {
        items: state.leftovers.list().filter(({ cluster }) => may('read', { kind: 'operation', cluster })),
      },
    }),
  }),
];
