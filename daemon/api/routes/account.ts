import { z } from 'zod';
import type { BrowserSession } from '../../access/browser-sessions.ts';
import type { UserRecord } from '../../state/users.ts';
import { AccessRefusal } from '../../access/refusal.ts';
import { deviceCookie, sessionCookie } from '../cookies.ts';
import { noSuch, notInBrowser } from '../failure.ts';
import { viewSession } from '../principal-view.ts';
import { defineRoute, type RouteRequest, type Services } from '../route.ts';
import { issuedTokenSchema, tokenViewSchema } from '../schemas/access.ts';
import {
  passwordChangeSchema,
  recoveryCodesSchema,
  secondFactorConfirmSchema,
  secondFactorRemoveSchema,
  secondFactorSchema,
  secondFactorStartSchema,
  sessionEntrySchema,
  sessionSchema,
} from '../schemas/door.ts';
import { accountTokenRequestSchema } from '../schemas/people.ts';

type Asked = Pick<RouteRequest<unknown, unknown>, 'session' | 'from'>;

/** The session and the local account behind it. @throws Failure ACCESS-017, AccessRefusal ACCESS-015 */
function ownAccount({ state }: Services, { session }: Asked): { session: BrowserSession; user: UserRecord } {
  const user = session && state.users.get(session.principal.id);
  if (!session || !user) throw notInBrowser();
  if (user.directory !== undefined)
    throw new AccessRefusal('invalid', 'ACCESS-015', 'you sign in with the password of your directory', {
      remedy: 'Password and second factor are changed there.',
    });
  return { session, user };
}

/** One's own sessions, password and second factor. */
const ownRoutes = [
  defineRoute({
    id: 'session.list',
    method: 'get',
    path: '/api/v1/sessions',
    summary: "One's own sessions; for administrators everybody's.",
    access: { verb: 'read', object: 'session' },
    mutates: false,
    status: 200,
    answer: z.object({ items: z.array(sessionEntrySchema).readonly() }),
    handle({ door, state }, { principal, session, may }) {
      const isAdministrator = may('administer', { kind: 'session' });
      const items = door.sessions.list(isAdministrator ? undefined : (principal?.id ?? ''));
      return {
        body: {
          items: items.map((record) => {
            const { hash: _, ...rest } = record;
            const name = state.principals.get(record.principal)?.name ?? record.principal;
            return { ...rest, name, isCurrent: record.id === session?.record.id };
          }),
        },
      };
    },
  }),
  defineRoute({
    id: 'session.revoke',
    method: 'delete',
    path: '/api/v1/sessions/{session}',
    summary: 'Ends a session at once, its live connections too.',
    access: { verb: 'operate', object: 'session', named: 'session' },
    mutates: true,
    status: 204,
    answer: 'nothing',
    handle({ door }, { parameters, principal, may }) {
      const id = parameters['session'] ?? '';
      const isAdministrator = may('administer', { kind: 'session' });
      const own = door.sessions.list(isAdministrator ? undefined : (principal?.id ?? ''));
      if (!own.some((record) => record.id === id)) throw noSuch('session', id, 'It may have ended already.');
      door.sessions.end(id);
      return { body: undefined };
    },
  }),
  defineRoute({
    id: 'session.password',
    method: 'put',
    path: '/api/v1/session/password',
    summary: "Changes one's password; all other sessions end, and this one gets a new cookie.",
    access: { verb: 'operate', object: 'session' },
    mutates: true,
    status: 200,
    body: passwordChangeSchema,
    answer: sessionSchema,
    async handle(services, { body, from, ...asked }) {
      const { door } = services;
      const { session } = ownAccount(services, { ...asked, from });
      await door.signIn.confirm(session.principal.name, body.current, from);
      await door.people.setPassword(session.principal.name, body.next);
      const fresh = door.sessions.start(session.principal, from);
      door.sessions.endAll(session.principal.id, fresh.record.id);
      const { user } = ownAccount(services, { session, from });
      return {
        body: viewSession(fresh, user.isFactorConfirmed),
        cookies: [sessionCookie(fresh.secret), deviceCookie(door.devices.draw(user))],
      };
    },
  }),
  defineRoute({
    id: 'session.factor-start',
    method: 'post',
    path: '/api/v1/session/second-factor',
    summary: 'A secret for an authenticator. It counts when a code of it was confirmed.',
    access: { verb: 'operate', object: 'session' },
    mutates: true,
    status: 201,
    body: secondFactorStartSchema,
    answer: secondFactorSchema,
    async handle(services, { body, from, ...asked }) {
      const { door, state } = services;
      const { session } = ownAccount(services, { ...asked, from });
      const { id, name } = session.principal;
      await door.signIn.confirm(name, body.password, from);
      const { user } = ownAccount(services, { ...asked, from });
      if (user.isFactorConfirmed)
        throw new AccessRefusal('conflict', 'ACCESS-020', 'there is a second factor already', {
          remedy: 'Remove it first; that needs your password.',
        });
      const { sealed, secret, uri } = door.factors.draw(id, name);
      state.users.put({ ...user, factor: sealed, factorStep: 0 });
      return { body: { secret, uri } };
    },
  }),
  defineRoute({
    id: 'session.factor-confirm',
    method: 'put',
    path: '/api/v1/session/second-factor',
    summary: 'Confirms it by a code; from now on sign-in asks for one. Answers the recovery codes, once.',
    access: { verb: 'operate', object: 'session' },
    mutates: true,
    status: 200,
    body: secondFactorConfirmSchema,
    answer: recoveryCodesSchema,
    handle(services, { body, ...asked }) {
      const { door, state } = services;
      const { user } = ownAccount(services, asked);
      const factorStep = user.isFactorConfirmed ? undefined : door.factors.stepOf(user, body.code);
      if (factorStep === undefined)
        throw new AccessRefusal('invalid', 'ACCESS-008', 'the code is not right', {
          remedy: 'Give the newest code of your authenticator; its clock must be right.',
        });
      const { codes, kept } = door.factors.drawRecovery(user.principal);
      state.users.put({ ...user, isFactorConfirmed: true, factorStep, recovery: kept });
      return { body: { recoveryCodes: codes } };
    },
  }),
  defineRoute({
    id: 'session.factor-remove',
    method: 'delete',
    path: '/api/v1/session/second-factor',
    summary: 'Removes the second factor; needs the password once more.',
    access: { verb: 'operate', object: 'session' },
    mutates: true,
    status: 204,
    body: secondFactorRemoveSchema,
    answer: 'nothing',
    async handle(services, { body, from, ...asked }) {
      const { door, state } = services;
      const { session } = ownAccount(services, { ...asked, from });
      await door.signIn.confirm(session.principal.name, body.password, from);
      const { factor: _, ...user } = ownAccount(services, { ...asked, from }).user;
      state.users.put({ ...user, isFactorConfirmed: false, recovery: [] });
      return { body: undefined };
    },
  }),
];

/** Tokens with which one's own programs act in one's name: the command line, the exec plugin of kubectl. */
const ownTokenRoutes = [
  defineRoute({
    id: 'session.token-list',
    method: 'get',
    path: '/api/v1/session/tokens',
    summary: "One's own tokens.",
    access: { verb: 'read', object: 'session' },
    mutates: false,
    status: 200,
    answer: z.object({ items: z.array(tokenViewSchema).readonly() }),
    handle: ({ door }, { by }) => ({ body: { items: door.tokens.list(by) } }),
  }),
  defineRoute({
    id: 'session.token-create',
    method: 'post',
    path: '/api/v1/session/tokens',
    summary: "A token that may what its owner may, shown once. Only from a browser's session.",
    access: { verb: 'operate', object: 'session' },
    mutates: true,
    status: 201,
    body: accountTokenRequestSchema,
    answer: issuedTokenSchema,
    handle({ door }, { body, session }) {
      // A stolen token must not be able to live for ever by making others.
      if (!session) throw notInBrowser();
      return { body: door.tokens.issueTo(session.principal.id, body) };
    },
  }),
  defineRoute({
    id: 'session.token-revoke',
    method: 'delete',
    path: '/api/v1/session/tokens/{token}',
    summary: "Revokes one of one's own tokens, at once.",
    access: { verb: 'operate', object: 'session' },
    mutates: true,
    status: 204,
    answer: 'nothing',
    handle({ door }, { parameters, by }) {
      const name = parameters['token'] ?? '';
      if (!door.tokens.revoke(name, by)) throw noSuch('token', name, 'It may have expired.');
      return { body: undefined };
    },
  }),
];

/** What is one's own. */
export const accountRoutes = [...ownRoutes, ...ownTokenRoutes];
