import { z } from 'zod';
import { noSuch } from '../failure.ts';
import { viewPerson } from '../principal-view.ts';
import { defineRoute, type Services } from '../route.ts';
import {
  accessEntrySchema,
  accountTokenRequestSchema,
  serviceAccountRequestSchema,
  serviceAccountSchema,
  userAnswerSchema,
  userChangeSchema,
  userRequestSchema,
  userSchema,
} from '../schemas/people.ts';
import { issuedTokenSchema, tokenViewSchema } from '../schemas/access.ts';
import { accessEntries } from '../access-list.ts';
import { grantTo } from '../granting.ts';
import { viewAccount } from '../service-accounts.ts';

const userOf = ({ door }: Services, name: string): z.input<typeof userSchema> => {
  const person = door.people.get(name);
  return viewPerson(door.people, person, door.identities.find(person.record.id)?.grants ?? {});
};

/** People: local accounts, and those whom a directory has sent. */
const userRoutes = [
  defineRoute({
    id: 'user.list',
    method: 'get',
    path: '/api/v1/users',
    summary: 'People by name.',
    access: { verb: 'read', object: 'user' },
    mutates: false,
    status: 200,
    answer: z.object({ items: z.array(userSchema).readonly() }),
    handle: (services) => ({
      body: { items: services.door.people.list().map(({ record }) => userOf(services, record.name)) },
    }),
  }),
  defineRoute({
    id: 'user.get',
    method: 'get',
    path: '/api/v1/users/{user}',
    summary: 'One person.',
    access: { verb: 'read', object: 'user', named: 'user' },
    mutates: false,
    status: 200,
    answer: userSchema,
    handle: (services, { parameters }) => ({ body: userOf(services, parameters['user'] ?? '') }),
  }),
  defineRoute({
    id: 'user.create',
    method: 'post',
    path: '/api/v1/users',
    summary: 'Adds a local person, with a password or with an invitation.',
    access: { verb: 'administer', object: 'user' },
    mutates: true,
    status: 201,
    body: userRequestSchema,
    answer: userAnswerSchema,
    async handle(services, { body: { name, role, password } }) {
      const invitation = await services.door.people.add({
        name,
        role,
        ...(password === undefined ? {} : { password }),
      });
      return { body: { user: userOf(services, name), ...(invitation ? { invitation } : {}) } };
    },
  }),
  defineRoute({
    id: 'user.change',
    method: 'put',
    path: '/api/v1/users/{user}',
    summary: 'Changes role or state, or invites anew (a forgotten password).',
    access: { verb: 'administer', object: 'user', named: 'user' },
    mutates: true,
    status: 200,
    body: userChangeSchema,
    answer: userAnswerSchema,
    handle(services, { parameters, body: { invite, ...change } }) {
      const name = parameters['user'] ?? '';
      services.door.people.change(name, change);
      const invitation = invite ? services.door.people.invite(name) : undefined;
      return { body: { user: userOf(services, name), ...(invitation ? { invitation } : {}) } };
    },
  }),
  defineRoute({
    id: 'user.remove',
    method: 'delete',
    path: '/api/v1/users/{user}',
    summary: 'Forgets a person with her sessions, tokens and grants, at once.',
    access: { verb: 'administer', object: 'user', named: 'user' },
    mutates: true,
    status: 204,
    answer: 'nothing',
    handle({ door }, { parameters }) {
      door.people.remove(parameters['user'] ?? '');
      return { body: undefined };
    },
  }),
  defineRoute({
    id: 'user.end-sessions',
    method: 'delete',
    path: '/api/v1/users/{user}/sessions',
    summary: 'Ends all sessions of a person, at once.',
    access: { verb: 'administer', object: 'session' },
    mutates: true,
    status: 204,
    answer: 'nothing',
    handle({ door }, { parameters }) {
      door.sessions.endAll(door.people.get(parameters['user'] ?? '').record.id);
      return { body: undefined };
    },
  }),
];

const accountOf = ({ door }: Services, name: string): { readonly id: string } => {
  const account = door.tokens.account(name);
  if (!account) throw noSuch('service account', name, 'See `remuda service-account list`.');
  return account;
};

/** Accounts of programs, and their tokens. */
const serviceAccountRoutes = [
  defineRoute({
    id: 'service-account.list',
    method: 'get',
    path: '/api/v1/service-accounts',
    summary: 'Service accounts by name.',
    access: { verb: 'read', object: 'token' },
    mutates: false,
    status: 200,
    answer: z.object({ items: z.array(serviceAccountSchema).readonly() }),
    handle: ({ door }) => ({
      body: { items: door.tokens.accounts().map((record) => viewAccount(door, record)) },
    }),
  }),
  defineRoute({
    id: 'service-account.create',
    method: 'post',
    path: '/api/v1/service-accounts',
    summary: 'Adds an account for a program. It has no token yet.',
    access: { verb: 'administer', object: 'token' },
    mutates: true,
    status: 201,
    body: serviceAccountRequestSchema,
    answer: serviceAccountSchema,
    handle(services, { body, by }) {
      const { door } = services;
      const record = door.tokens.addAccount(body.name, body.role);
      for (const [cluster, role] of Object.entries(body.grants))
        grantTo(services, { cluster, principal: record.id, role, by });
      return { body: viewAccount(door, record) };
    },
  }),
  defineRoute({
    id: 'service-account.remove',
    method: 'delete',
    path: '/api/v1/service-accounts/{account}',
    summary: 'Forgets an account with its tokens and grants, at once.',
    access: { verb: 'administer', object: 'token', named: 'account' },
    mutates: true,
    status: 204,
    answer: 'nothing',
    handle(services, { parameters }) {
      const name = parameters['account'] ?? '';
      accountOf(services, name);
      services.door.tokens.removeAccount(name);
      return { body: undefined };
    },
  }),
  defineRoute({
    id: 'service-account.token-list',
    method: 'get',
    path: '/api/v1/service-accounts/{account}/tokens',
    summary: 'Valid tokens of an account, with their last use.',
    access: { verb: 'read', object: 'token' },
    mutates: false,
    status: 200,
    answer: z.object({ items: z.array(tokenViewSchema).readonly() }),
    handle: (services, { parameters }) => ({
      body: { items: services.door.tokens.list(accountOf(services, parameters['account'] ?? '').id) },
    }),
  }),
  defineRoute({
    id: 'service-account.token-create',
    method: 'post',
    path: '/api/v1/service-accounts/{account}/tokens',
    summary: 'A new token of an account, shown once.',
    access: { verb: 'administer', object: 'token' },
    mutates: true,
    status: 201,
    body: accountTokenRequestSchema,
    answer: issuedTokenSchema,
    handle: (services, { parameters, body }) => ({
      body: services.door.tokens.issueTo(accountOf(services, parameters['account'] ?? '').id, body),
    }),
  }),
  defineRoute({
    id: 'service-account.token-revoke',
    method: 'delete',
    path: '/api/v1/service-accounts/{account}/tokens/{token}',
    summary: 'Revokes a token; works at once.',
    access: { verb: 'administer', object: 'token', named: 'token' },
    mutates: true,
    status: 204,
    answer: 'nothing',
    handle(services, { parameters }) {
      const name = parameters['token'] ?? '';
      const { id } = accountOf(services, parameters['account'] ?? '');
      if (!services.door.tokens.revoke(name, id)) throw noSuch('token', name, 'It may have expired.');
      return { body: undefined };
    },
  }),
  defineRoute({
    id: 'access.list',
    method: 'get',
    path: '/api/v1/access-list',
    summary: 'Who can get into which cluster, as what, through what.',
    access: { verb: 'read', object: 'grant', cluster: 'each' },
    mutates: false,
    status: 200,
    answer: z.object({ items: z.array(accessEntrySchema).readonly() }),
    handle: (services, { may }) => ({
      body: {
        items: accessEntries(services).filter(({ cluster }) => may('read', { kind: 'grant', cluster })),
      },
    }),
  }),
];

/** People, programs, and who can get into what. */
export const peopleRoutes = [...userRoutes, ...serviceAccountRoutes];
