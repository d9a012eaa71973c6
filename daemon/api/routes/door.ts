import { hostname } from 'node:os';
import type { z } from 'zod';
import { AccessRefusal } from '../../access/refusal.ts';
import type { Knocking, SignedIn } from '../../access/sign-in.ts';
import { reportOf } from '../../../provisioners/contract/problem.ts';
import { deviceCookie, endedSessionCookie, sessionCookie } from '../cookies.ts';
import { notInBrowser } from '../failure.ts';
import { viewSession } from '../principal-view.ts';
import { type AuditNote, defineRoute, type Reply, type Services } from '../route.ts';
import {
  acceptRequestSchema,
  claimRequestSchema,
  doorSchema,
  sessionSchema,
  setupCodeSchema,
  signInRequestSchema,
} from '../schemas/door.ts';

/** A name and a password are short; nobody who is not yet known may send more. */
const strangerBodyLimit = 8 * 1024;

interface Attempt {
  /** For the audit; `unknown` when nobody of that name is known: it may be a mistyped password. */
  readonly about: string;
  readonly object: string;
  readonly id: string;
  readonly from: Knocking;
  note(row: AuditNote): void;
}

/** Lets somebody in, and writes down that it was tried and what came of it. */
async function letIn(
  { door }: Services,
  { about, object, id, note }: Attempt,
  before: string | undefined,
  attempt: () => Promise<SignedIn>,
): Promise<Reply<z.input<typeof sessionSchema>>> {
  try {
    const { session, device, hasSecondFactor } = await attempt();
    note({ principal: session.principal.id, object, outcome: 'allowed' });
    // Whoever was signed in here before is not any more: two people in one browser never share a session.
    if (before !== undefined) door.sessions.end(before);
    return {
      body: viewSession(session, hasSecondFactor),
      cookies: [sessionCookie(session.secret), deviceCookie(device)],
    };
  } catch (error) {
    // Who is only told to wait leaves no row: a flood of tries must not become a flood of writes that all wait for.
    if (!(error instanceof AccessRefusal && error.reason === 'too-many'))
      note({ principal: about, object, outcome: 'refused', problem: reportOf(error, id).code });
    throw error;
  }
}

/** What a stranger may ask, and the session that comes of it. */
export const doorRoutes = [
  defineRoute({
    id: 'door.get',
    method: 'get',
    path: '/api/v1/door',
    summary: 'What a stranger may know: whether the server is claimed, and how to sign in.',
    access: 'anyone',
    mutates: false,
    status: 200,
    answer: doorSchema,
    handle({ door, directories, authority, release }) {
      const { claimedAt } = door.setup;
      return {
        body: {
          state: claimedAt === undefined ? ('unclaimed' as const) : ('claimed' as const),
          ...(claimedAt === undefined ? {} : { claimedAt }),
          server: hostname(),
          release,
          directories: directories.list().map(({ name, settings }) => ({ name, title: settings.title })),
          authority: { fingerprint: authority.hash },
        },
      };
    },
  }),
  defineRoute({
    id: 'door.claim',
    method: 'post',
    path: '/api/v1/door/claim',
    summary: 'Makes the first administrator, by the set-up code, once.',
    access: 'anyone',
    mutates: true,
    notesItself: true,
    status: 201,
    bodyLimit: strangerBodyLimit,
    body: claimRequestSchema,
    answer: sessionSchema,
    handle: (services, { body, session, ...asked }) =>
      letIn(services, { ...asked, about: 'unknown', object: 'setup' }, session?.record.id, () =>
        services.door.signIn.claim(body, asked.from),
      ),
  }),
  defineRoute({
    id: 'door.accept',
    method: 'post',
    path: '/api/v1/door/invitation',
    summary: 'Uses an invitation: the person chooses her own password and is signed in.',
    access: 'anyone',
    mutates: true,
    notesItself: true,
    status: 201,
    bodyLimit: strangerBodyLimit,
    body: acceptRequestSchema,
    answer: sessionSchema,
    handle: (services, { body, session, ...asked }) =>
      letIn(services, { ...asked, about: 'unknown', object: 'invitation' }, session?.record.id, () =>
        services.door.signIn.accept(body, asked.from),
      ),
  }),
  defineRoute({
    id: 'session.create',
    method: 'post',
    path: '/api/v1/session',
    summary: 'Signs in. 428 asks for the second factor; 429 says when to try again.',
    access: 'anyone',
    mutates: true,
    notesItself: true,
    status: 200,
    bodyLimit: strangerBodyLimit,
    body: signInRequestSchema,
    answer: sessionSchema,
    handle(services, { body, session, ...asked }) {
      const { signIn } = services.door;
      const attempt = { ...asked, about: signIn.knownName(body), object: 'session' };
      return letIn(services, attempt, session?.record.id, () => signIn.signIn(body, asked.from));
    },
  }),
  defineRoute({
    id: 'session.get',
    method: 'get',
    path: '/api/v1/session',
    summary: 'Who is signed in here, what she may do, and the value for X-Remuda-Csrf.',
    access: { verb: 'read', object: 'session' },
    mutates: false,
    status: 200,
    answer: sessionSchema,
    handle({ state }, { session }) {
      if (!session) throw notInBrowser();
      const hasFactor = state.users.get(session.principal.id)?.isFactorConfirmed === true;
      return { body: viewSession(session, hasFactor) };
    },
  }),
  defineRoute({
    id: 'session.end',
    method: 'delete',
    path: '/api/v1/session',
    summary: 'Signs out, at once.',
    access: { verb: 'operate', object: 'session' },
    mutates: true,
    status: 204,
    answer: 'nothing',
    handle({ door }, { session }) {
      if (!session) throw notInBrowser();
      door.sessions.end(session.record.id);
      return { body: undefined, cookies: [endedSessionCookie] };
    },
  }),
  defineRoute({
    id: 'setup.code',
    method: 'post',
    path: '/api/v1/setup-code',
    summary: 'A new set-up code for a server that nobody has claimed, shown once.',
    access: { verb: 'administer', object: 'setup' },
    mutates: true,
    status: 201,
    answer: setupCodeSchema,
    handle: ({ door }) => ({ body: { code: door.setup.draw() } }),
  }),
];
