import {
  clusterDetailSchema,
  clusterViewSchema,
  machineViewSchema,
  observedSchema,
} from '../schemas/inventory.ts';
import { operationViewSchema } from '../schemas/operation.ts';
import { planAnswerSchema } from '../schemas/plan.ts';
import { deleteRequestSchema, pageOf, pageQuerySchema } from '../schemas/requests.ts';
import { pageOfMachines } from '../machines.ts';
import { pageOfItems } from '../paging.ts';
import { defineRoute } from '../route.ts';

/** Clusters: to look at, to get into, to delete. */
export const clusterRoutes = [
  defineRoute({
    id: 'cluster.list',
    method: 'get',
    path: '/api/v1/clusters',
    summary: 'Clusters by name.',
    access: { verb: 'read', object: 'cluster', cluster: 'each' },
    mutates: false,
    status: 200,
    query: pageQuerySchema,
    answer: pageOf(clusterViewSchema),
    handle: ({ engine }, { query, may }) => ({
      body: pageOfItems(
        engine.listClusters().filter(({ name }) => may('read', { kind: 'cluster', name, cluster: name })),
        (cluster) => cluster.uid,
        query,
      ),
    }),
  }),
  defineRoute({
    id: 'cluster.get',
    method: 'get',
    path: '/api/v1/clusters/{cluster}',
    summary: 'One cluster: what is asked and what was last seen. The ETag is its revision.',
    access: { verb: 'read', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: false,
    status: 200,
    answer: clusterDetailSchema,
    handle({ engine }, { parameters }) {
      const cluster = engine.getCluster(parameters['cluster'] ?? '');
      return { body: cluster, revision: cluster.revision };
    },
  }),
  defineRoute({
    id: 'cluster.observe',
    method: 'post',
    path: '/api/v1/clusters/{cluster}/observe',
    summary: 'Looks afresh through the agent and keeps what was seen.',
    access: { verb: 'plan', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: false,
    status: 200,
    answer: observedSchema,
    handle: async ({ engine }, { parameters }) => ({
      body: await engine.observe(parameters['cluster'] ?? ''),
    }),
  }),
  defineRoute({
    id: 'cluster.plan-deletion',
    method: 'post',
    path: '/api/v1/clusters/{cluster}/deletion-plan',
    summary: 'What delete would do, from a fresh look. Starts nothing.',
    access: { verb: 'plan', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: false,
    status: 200,
    body: deleteRequestSchema,
    answer: planAnswerSchema,
    handle: async ({ engine }, { parameters, body, by }) => ({
      body: await engine.planDelete({ ...body, name: parameters['cluster'] ?? '', principal: by }),
    }),
  }),
  defineRoute({
    id: 'cluster.delete',
    method: 'post',
    path: '/api/v1/clusters/{cluster}/delete',
    summary: 'Removes the cluster and everything that was made for it; needs its name once more.',
    access: { verb: 'delete', object: 'cluster', named: 'cluster', cluster: 'cluster' },
    mutates: true,
    status: 202,
    body: deleteRequestSchema,
    answer: operationViewSchema,
    async handle({ engine }, { parameters, body, by, idempotencyKey }) {
      const operation = await engine.deleteCluster({
        ...body,
        name: parameters['cluster'] ?? '',
        principal: by,
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      });
      return { body: operation, location: `/api/v1/operations/${operation.id}` };
    },
  }),
  defineRoute({
    id: 'machine.list',
    method: 'get',
    path: '/api/v1/machines',
    summary: 'Machines of all clusters as last seen.',
    access: { verb: 'read', object: 'machine', cluster: 'each' },
    mutates: false,
    status: 200,
    query: pageQuerySchema,
    answer: pageOf(machineViewSchema),
    handle: ({ engine }, { query, may }) => {
      const names = engine
        .listClusters()
        .map(({ name }) => name)
        .filter((name) => may('read', { kind: 'machine', cluster: name }));
      return { body: pageOfMachines(names, (name) => engine.getCluster(name), query) };
    },
  }),
];
