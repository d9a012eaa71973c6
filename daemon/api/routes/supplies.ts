import { z } from 'zod';
import { labelSchema, secretViewSchema } from '../schemas/access.ts';
import { payloadSchema, providerViewSchema } from '../schemas/inventory.ts';
import { pageOf, pageQuerySchema, secretRequestSchema } from '../schemas/requests.ts';
import { suppliesSchema } from '../schemas/supplies.ts';
import { answerFileSchema } from '../../spec/json-schema.ts';
import { pageOfItems } from '../paging.ts';
import { takeStock } from '../stock.ts';
import { defineRoute } from '../route.ts';

/** What clusters are made from: providers, secrets, payloads. */
export const supplyRoutes = [
  defineRoute({
    id: 'provider.list',
    method: 'get',
    path: '/api/v1/providers',
    summary: 'Providers by name.',
    access: { verb: 'read', object: 'provider' },
    mutates: false,
    status: 200,
    query: pageQuerySchema,
    answer: pageOf(providerViewSchema),
    handle: ({ engine }, { query }) => ({
      body: pageOfItems(engine.listProviders(), (provider) => provider.name, query),
    }),
  }),
  defineRoute({
    id: 'provider.get',
    method: 'get',
    path: '/api/v1/providers/{provider}',
    summary: 'One provider.',
    access: { verb: 'read', object: 'provider', named: 'provider' },
    mutates: false,
    status: 200,
    answer: providerViewSchema,
    handle: ({ engine }, { parameters }) => ({ body: engine.getProvider(parameters['provider'] ?? '') }),
  }),
  defineRoute({
    id: 'secret.list',
    method: 'get',
    path: '/api/v1/secrets',
    summary: 'Names and keys of secrets; never values.',
    access: { verb: 'read', object: 'secret' },
    mutates: false,
    status: 200,
    query: pageQuerySchema,
    answer: pageOf(secretViewSchema),
    handle: ({ engine }, { query }) => ({
      body: pageOfItems(engine.listSecrets(), (secret) => secret.name, query),
    }),
  }),
  defineRoute({
    id: 'secret.set',
    method: 'put',
    path: '/api/v1/secrets/{secret}',
    summary: "Seals the values to the sites' agents and the recovery key and keeps only that.",
    access: { verb: 'apply', object: 'secret', named: 'secret' },
    mutates: true,
    status: 200,
    body: secretRequestSchema,
    answer: secretViewSchema,
    handle: async ({ engine }, { parameters, body, by }) => ({
      body: await engine.setSecret({ name: parameters['secret'] ?? '', data: body.data, principal: by }),
    }),
  }),
  defineRoute({
    id: 'secret.remove',
    method: 'delete',
    path: '/api/v1/secrets/{secret}',
    summary: 'Forgets a secret.',
    access: { verb: 'delete', object: 'secret', named: 'secret' },
    mutates: true,
    status: 204,
    answer: 'nothing',
    async handle({ engine }, { parameters, by }) {
      await engine.removeSecret(parameters['secret'] ?? '', by);
      return { body: undefined };
    },
  }),
  defineRoute({
    id: 'payload.list',
    method: 'get',
    path: '/api/v1/payloads',
    summary: "What payloads a site's agent has on board.",
    access: { verb: 'read', object: 'payload' },
    mutates: false,
    status: 200,
    query: z.object({ site: labelSchema.exactOptional() }),
    answer: z.object({ items: z.array(payloadSchema).readonly() }),
    handle: async ({ engine }, { query }) => ({ body: { items: await engine.listPayloads(query.site) } }),
  }),
  defineRoute({
    id: 'supplies.get',
    method: 'get',
    path: '/api/v1/supplies',
    summary: 'What is on board, what is missing, and how to bring it.',
    access: { verb: 'read', object: 'payload' },
    mutates: false,
    status: 200,
    answer: suppliesSchema,
    handle: async ({ engine }) => ({ body: await takeStock(engine) }),
  }),
  defineRoute({
    id: 'schema.get',
    method: 'get',
    path: '/api/v1/schema',
    summary: 'JSON Schema of an answer file, with help texts and what a change of a field means.',
    access: { verb: 'read', object: 'server' },
    mutates: false,
    status: 200,
    answer: z.record(z.string(), z.unknown()),
    handle: () => ({ body: answerFileSchema() }),
  }),
];
