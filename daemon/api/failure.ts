import type { z } from 'zod';
import { Problem, type ProblemReport } from '../../provisioners/contract/problem.ts';
import { type AccessReason, AccessRefusal } from '../access/refusal.ts';
import { problems as problemsOfEngine } from '../operations/problems.ts';
import { Refusal, type RefusalReason } from '../operations/requests.ts';
import type { ProblemDetails } from './schemas/problem.ts';

type Reason = ProblemDetails['reason'];

/** A refusal of the door itself: made before the engine is asked. */
export class Failure extends Error {
  readonly status: number;
  readonly reason: Reason;
  readonly problems: readonly ProblemReport[];

  constructor(status: number, reason: Reason, problems: readonly [ProblemReport, ...ProblemReport[]]) {
    super(problems[0].summary);
    this.status = status;
    this.reason = reason;
    this.problems = problems;
  }
}

const user = (code: string, summary: string, remedy: string): ProblemReport => ({
  kind: 'user',
  code,
  summary,
  remedy,
});

/** Unknown, expired and revoked tokens get one and the same answer: nothing is learned by trying. */
export const unauthenticated = (): Failure =>
  new Failure(401, 'unauthenticated', [
    user(
      'ACCESS-001',
      'there is no valid token or session with this request',
      'Sign in again. With a token: run `remuda login`, or set REMUDA_TOKEN to one that is not revoked or expired.',
    ),
  ]);

/** A page of another origin may have sent it: that a browser adds its cookie says nothing about who wanted it. */
export const forged = (): Failure =>
  new Failure(403, 'forbidden', [
    user(
      'ACCESS-012',
      'this change did not come from a page of this server',
      'Programs use a token. Pages send the header X-Remuda-Csrf with the value of GET /api/v1/session.',
    ),
  ]);

/** Only a browser has what this is about. */
export const notInBrowser = (): Failure =>
  new Failure(403, 'forbidden', [
    user(
      'ACCESS-017',
      'this is about the session of a browser, and the request came with a token',
      'Sign in with name and password.',
    ),
  ]);

/** Word for word what the engine says of a thing that is not there: what is hidden cannot be told from it. */
export const hidden = (what: 'cluster' | 'operation', name: string): Failure =>
  new Failure(404, 'not-found', [problemsOfEngine.notFound(what, name)]);

/** The principal is known but may not. */
export const forbidden = (
  principal: string,
  verb: string,
  object: string,
  roles: readonly string[],
): Failure =>
  new Failure(403, 'forbidden', [
    user(
      'ACCESS-002',
      `${principal} may not ${verb} ${object}`,
      roles.length === 0 ? 'Nobody may.' : `This needs the role ${roles.join(' or ')}: ask an administrator.`,
    ),
  ]);

/** A part of the request has the wrong shape. Values are never repeated: they may be secret. */
export function malformed(part: string, error: z.ZodError): Failure {
  const [first, ...others] = error.issues.map((issue) => ({
    ...user(
      'API-001',
      `${part}${issue.path.length > 0 ? ` field ${issue.path.join('.')}` : ''}: ${issue.message}`,
      'See /api/v1/openapi.json for what this route takes.',
    ),
    ...(issue.path.length > 0 ? { place: { field: issue.path.join('.') } } : {}),
  }));
  return new Failure(400, 'invalid', [first ?? user('API-001', `${part} is malformed`, ''), ...others]);
}

/** A header or the body cannot be read at all. */
export const unreadable = (summary: string): Failure =>
  new Failure(400, 'invalid', [
    user('API-002', summary, 'See /api/v1/openapi.json for what this route takes.'),
  ]);

export const tooLarge = (limit: number): Failure =>
  new Failure(413, 'too-large', [
    user(
      'API-003',
      `the body is larger than ${limit} bytes`,
      'Split the file, or leave out what is not needed.',
    ),
  ]);

export const noSuchRoute = (): Failure =>
  new Failure(404, 'not-found', [
    user('API-004', 'there is no such address', 'See /api/v1/openapi.json for those there are.'),
  ]);

export const wrongMethod = (allowed: readonly string[]): Failure =>
  new Failure(405, 'method', [
    user(
      'API-005',
      'this address does not take this method',
      `It takes ${allowed.join(', ').toUpperCase()}.`,
    ),
  ]);

export const noSuch = (what: string, name: string, remedy: string): Failure =>
  new Failure(404, 'not-found', [
    { ...user('API-006', `there is no ${what} "${name}"`, remedy), value: name },
  ]);

const statusOfAccess: Readonly<Record<AccessReason, number>> = {
  unauthenticated: 401,
  // RFC 6585 §3: the server requires the request to be conditional on something more.
  'second-factor': 428,
  'too-many': 429,
  forbidden: 403,
  conflict: 409,
  invalid: 422,
  'not-found': 404,
};

const statusOf: Readonly<Record<RefusalReason, number>> = {
  invalid: 422,
  'not-found': 404,
  conflict: 409,
  'needs-confirmation': 409,
  'plan-changed': 409,
  unavailable: 503,
};

/** What went wrong, as status and body. `isOurs` = a mistake of Remuda that belongs in the log with its stack. */
export function detailsOf(
  thrown: unknown,
  request: { readonly id: string; readonly hasRevision: boolean },
): { readonly details: ProblemDetails; readonly isOurs: boolean } {
  if (thrown instanceof Failure) {
    return answer(thrown.status, thrown.reason, thrown.problems, [], request.id);
  }
  if (thrown instanceof Refusal) {
    // RFC 9110 §13.1.1: a failed If-Match is 412.
    const isStale = thrown.reason === 'conflict' && request.hasRevision;
    const status = isStale ? 412 : statusOf[thrown.reason];
    return answer(status, thrown.reason, thrown.problems, thrown.changes, request.id);
  }
  if (thrown instanceof AccessRefusal) {
    const { reason, report } = thrown;
    const isStale = reason === 'conflict' && request.hasRevision;
    return answer(isStale ? 412 : statusOfAccess[reason], reason, [report], [], request.id);
  }
  if (thrown instanceof Problem) {
    const { kind } = thrown.report;
    if (kind === 'transient') return answer(503, 'unavailable', [thrown.report], [], request.id);
    if (kind === 'blocked') return answer(409, 'conflict', [thrown.report], [], request.id);
    if (kind === 'user') return answer(422, 'invalid', [thrown.report], [], request.id);
  }
  const report: ProblemReport = {
    kind: 'fault',
    code: 'BUG-001',
    summary: `Remuda made a mistake with this request (reference ${request.id})`,
    remedy:
      'Try again; if it fails again, report it with the reference: the log of the daemon names the cause.',
  };
  return { ...answer(500, 'fault', [report], [], request.id), isOurs: true };
}

function answer(
  status: number,
  reason: Reason,
  problems: readonly ProblemReport[],
  changes: readonly string[],
  instance: string,
): { readonly details: ProblemDetails; readonly isOurs: boolean } {
  const [first] = problems;
  const title = first?.summary ?? 'the request was refused';
  return {
    details: {
      type: `urn:remuda:problem:${first?.code ?? 'API-002'}`,
      title,
      status,
      detail: first?.remedy ?? '',
      instance,
      reason,
      problems,
      changes,
    },
    isOurs: false,
  };
}
