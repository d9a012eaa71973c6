import { z } from 'zod';
import { agentIdentityOf } from '../../access/authority.ts';
import {
  agentViewSchema,
  auditRowSchema,
  enrolAnswerSchema,
  enrolmentTokenSchema,
  enrolRequestSchema,
  issuedTokenSchema,
  renewRequestSchema,
  siteTokenRequestSchema,
  tokenRequestSchema,
  tokenViewSchema,
} from '../schemas/access.ts';
import { afterQuery } from '../schemas/requests.ts';
import { noSuch, unauthenticated } from '../failure.ts';
import { defineRoute, type Services } from '../route.ts';

/** An enrolment is a few kilobytes; nobody who is not yet known may send more. */
const strangerBodyLimit = 32 * 1024;

/** Agents and their enrolment. */
const agentRoutes = [
  defineRoute({
    id: 'agent.list',
    method: 'get',
    path: '/api/v1/agents',
    summary: "The sites' agents.",
    access: { verb: 'read', object: 'agent' },
    mutates: false,
    status: 200,
    answer: z.object({ items: z.array(agentViewSchema).readonly() }),
    handle: ({ engine }) => ({ body: { items: engine.listAgents() } }),
  }),
  defineRoute({
    id: 'agent.token',
    method: 'post',
    path: '/api/v1/agents/{site}/token',
    summary: 'A single-use token for one agent of a site, shown once.',
    access: { verb: 'administer', object: 'agent', named: 'site' },
    mutates: true,
    status: 201,
    body: siteTokenRequestSchema,
    answer: enrolmentTokenSchema,
    async handle({ engine, authority }, { parameters, body, by }) {
      const request = { site: parameters['site'] ?? '', principal: by, minutes: body.minutes };
      const drawn = body.replace
        ? await engine.replaceAgent(request)
        : await engine.createEnrolmentToken(request);
      return {
        body: { site: drawn.site, token: `${authority.hash}.${drawn.secret}`, expiresAt: drawn.expiresAt },
      };
    },
  }),
  defineRoute({
    id: 'agent.enrol',
    method: 'post',
    path: '/api/v1/agents/enrol',
    summary: "Uses up a token and makes the caller the site's agent.",
    access: 'enrolment-token',
    mutates: true,
    status: 201,
    bodyLimit: strangerBodyLimit,
    body: enrolRequestSchema,
    answer: enrolAnswerSchema,
    async handle(services, { body }) {
      const identity = await services.engine.enrolAgent(body);
      return { body: await enrolment(services, body.request, identity) };
    },
  }),
  defineRoute({
    id: 'agent.renew',
    method: 'post',
    path: '/api/v1/agents/renew',
    summary: "A new certificate for an agent that still has a valid one of the site's epoch.",
    access: 'agent-certificate',
    mutates: true,
    status: 201,
    bodyLimit: strangerBodyLimit,
    body: renewRequestSchema,
    answer: enrolAnswerSchema,
    async handle(services, { body, certificateName }) {
      const identity = agentIdentityOf(certificateName ?? '');
      const active = services.engine.listAgents().find((agent) => agent.site === identity?.site);
      // An older epoch was replaced: its certificate is worth nothing any more, however valid its dates.
      if (!identity || active?.epoch !== identity.epoch) throw unauthenticated();
      return { body: await enrolment(services, body.request, identity) };
    },
  }),
];

async function enrolment(
  { authority, linkPort }: Services,
  request: string,
  identity: { readonly site: string; readonly epoch: number },
): Promise<z.input<typeof enrolAnswerSchema>> {
  const certificate = await authority.signAgent(request, identity);
  return { certificate, authority: authority.certificate, ...identity, linkPort: linkPort() };
}

/** Tokens of people and machine accounts, and who did what. */
const tokenRoutes = [
  defineRoute({
    id: 'token.list',
    method: 'get',
    path: '/api/v1/tokens',
    summary: 'Tokens that are neither revoked nor expired.',
    access: { verb: 'read', object: 'token' },
    mutates: false,
    status: 200,
    answer: z.object({ items: z.array(tokenViewSchema).readonly() }),
    handle: ({ door: { tokens } }) => ({ body: { items: tokens.list() } }),
  }),
  defineRoute({
    id: 'token.create',
    method: 'post',
    path: '/api/v1/tokens',
    summary: 'A new token, shown once.',
    access: { verb: 'administer', object: 'token' },
    mutates: true,
    status: 201,
    body: tokenRequestSchema,
    answer: issuedTokenSchema,
    handle: ({ door: { tokens } }, { body }) => ({ body: tokens.issue(body) }),
  }),
  defineRoute({
    id: 'token.revoke',
    method: 'delete',
    path: '/api/v1/tokens/{token}',
    summary: 'Revokes a token; works at once.',
    access: { verb: 'administer', object: 'token', named: 'token' },
    mutates: true,
    status: 204,
    answer: 'nothing',
    handle({ door: { tokens } }, { parameters }) {
      const name = parameters['token'] ?? '';
      if (!tokens.revoke(name)) throw noSuch('token', name, 'See `remuda token list`.');
      return { body: undefined };
    },
  }),
  defineRoute({
    id: 'audit.list',
    method: 'get',
    path: '/api/v1/audit',
    summary: 'Who did what, oldest first; each row holds the hash of the one before.',
    access: { verb: 'read', object: 'audit' },
    mutates: false,
    status: 200,
    query: z.object(afterQuery),
    answer: z.object({ items: z.array(auditRowSchema).readonly() }),
    handle: ({ audit }, { query }) => ({ body: { items: audit.list(query.after, query.limit) } }),
  }),
];

/** Everything about who may come in. */
export const accessRoutes = [...agentRoutes, ...tokenRoutes];
