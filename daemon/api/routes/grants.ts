import { z } from 'zod';
import { greaterRole } from '../../access/principals.ts';
import { AccessRefusal } from '../../access/refusal.ts';
import { noSuch } from '../failure.ts';
import { grantTo, uidOf, viewGrant } from '../granting.ts';
import { defineRoute } from '../route.ts';
import { grantRequestSchema, grantSchema } from '../schemas/people.ts';

/** Roles in one cluster. Its administrators give them. */
export const grantRoutes = [
  defineRoute({
    id: 'grant.list',
    method: 'get',
    path: '/api/v1/clusters/{cluster}/grants',
    summary: 'Who has which role in this cluster, beside the global roles.',
    access: { verb: 'read', object: 'grant', cluster: 'cluster' },
    mutates: false,
    status: 200,
    answer: z.object({ items: z.array(grantSchema).readonly() }),
    handle: (services, { parameters }) => ({
      body: {
        items: services.state.grants
          .ofCluster(uidOf(services, parameters['cluster'] ?? ''))
          .map((grant) => viewGrant(grant)),
      },
    }),
  }),
  defineRoute({
    id: 'grant.put',
    method: 'put',
    path: '/api/v1/clusters/{cluster}/grants',
    summary: 'Gives a role in this cluster, or replaces the one that was given.',
    access: { verb: 'grant', object: 'grant', cluster: 'cluster' },
    mutates: true,
    status: 200,
    body: grantRequestSchema,
    answer: grantSchema,
    handle(services, { parameters, body, principal, by }) {
      const cluster = parameters['cluster'] ?? '';
      const own = greaterRole(principal?.role ?? 'user', principal?.grants[cluster] ?? 'user');
      if (greaterRole(own, body.role) !== own)
        throw new AccessRefusal('forbidden', 'ACCESS-019', `you may not give the role ${body.role}`, {
          remedy: 'Nobody gives more than she has.',
        });
      return { body: viewGrant(grantTo(services, { ...body, cluster, by })) };
    },
  }),
  defineRoute({
    id: 'grant.remove',
    method: 'delete',
    path: '/api/v1/clusters/{cluster}/grants/{grant}',
    summary: 'Takes a role away, at once. Certificates that were signed before are good for an hour at most.',
    access: { verb: 'grant', object: 'grant', cluster: 'cluster' },
    mutates: true,
    status: 204,
    answer: 'nothing',
    handle(services, { parameters }) {
      const id = parameters['grant'] ?? '';
      if (!services.state.grants.remove(uidOf(services, parameters['cluster'] ?? ''), id))
        throw noSuch('grant', id, 'It may have been taken away already.');
      return { body: undefined };
    },
  }),
];
