import type { Logger } from 'pino';
import type { z } from 'zod';
import type { AuditExports } from '../access/audit-export.ts';
import type { SiteAuthority } from '../access/authority.ts';
import type { AccessObject, ObjectKind, Verb } from '../access/authorize.ts';
import type { BrowserSession } from '../access/browser-sessions.ts';
import type { Directories } from '../access/directory.ts';
import type { Door } from '../access/door.ts';
import type { Principal } from '../access/principals.ts';
import type { Knocking } from '../access/sign-in.ts';
import type { Engine } from '../operations/engine.ts';
import type { Audit } from '../state/audit.ts';
import type { State } from '../state/state.ts';
import type { Drafts } from './drafts.ts';
import type { Metrics } from './metrics.ts';

/** The engine by its doors: what the real one and a test's fake have in common. */
export type EngineDoors = Pick<Engine, keyof Engine>;

/** What handlers work with; wired by main.ts. */
export interface Services {
  readonly engine: EngineDoors;
  readonly door: Door;
  readonly auditExports: AuditExports;
  readonly directories: Directories;
  readonly drafts: Drafts;
  /** For what is only kept and shown: grants, credentials, names of clusters. Work is asked of the engine. */
  readonly state: State;
  readonly audit: Audit;
  /** Name of the cluster that an operation is about; undefined when there is no such operation. */
  readonly clusterOfOperation: (operation: string) => string | undefined;
  readonly authority: SiteAuthority;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly release: string;
  readonly startedAt: string;
  /** Port of the link listener, which agents are told at enrolment. */
  readonly linkPort: () => number;
}

/** Who may call a route without a principal: the probes, and an agent that brings its single-use token. */
type OpenDoor = 'anyone' | 'enrolment-token' | 'agent-certificate';

/** What the caller must be allowed to do. */
export interface RouteAccess {
  readonly verb: Verb;
  readonly object: ObjectKind;
  /** Path parameter that names the object. */
  readonly named?: string;
  /**
   * How the cluster is found whose roles count too: by the path parameter `cluster` or `operation`. `each`: the handler
   * asks {@link RouteRequest.may} about every item, and shows only what the caller may see.
   */
  readonly cluster?: 'cluster' | 'operation' | 'each';
}

/** A request after every check: who, and what, already of the right shape. */
export interface RouteRequest<Query, Body> {
  /** Id of this request in the log and in problem answers. */
  readonly id: string;
  /** `anonymous` on open doors. */
  readonly principal: Principal | undefined;
  /** Name of the principal for records. */
  readonly by: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  /** Header `If-Match`: revision number. */
  readonly ifRevision?: number;
  /** Header `Idempotency-Key`. */
  readonly idempotencyKey?: string;
  /** Common name of a verified client certificate. */
  readonly certificateName?: string;
  /** The session, when the request came with its cookie. */
  readonly session?: BrowserSession;
  readonly from: Knocking;
  /** `https://host:port` as the caller wrote it; empty when that is no host. Trust it with nothing. */
  readonly origin: string;
  /** Whether the caller may: for single items and for what the body names. Nobody may nothing. */
  may(verb: Verb, object: AccessObject): boolean;
  /** A row of the audit for routes that write their own. */
  note(row: AuditNote): void;
}

/** What a handler says about itself in the audit. */
export interface AuditNote {
  readonly principal: string;
  readonly object: string;
  readonly outcome: 'allowed' | 'refused' | 'failed';
  readonly problem?: string;
}

/** What a handler answers. */
export interface Reply<Answer> {
  readonly body: Answer;
  /** Other than the route's own status. */
  readonly status?: number;
  readonly location?: string;
  /** Sent as `ETag`: revision number. */
  readonly revision?: number;
  /** Values of `Set-Cookie`. */
  readonly cookies?: readonly string[];
  /** What came of it, for the audit row: an operation's id. */
  readonly reference?: string;
}

/**
 * One row of the table from which router, OpenAPI and authorisation all derive. A route without a row does not exist.
 */
export interface Route<
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> {
  /** Stable operation id: `cluster.get`. */
  readonly id: string;
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** With `{parameters}`, as OpenAPI writes them. */
  readonly path: string;
  readonly summary: string;
  readonly access: RouteAccess | OpenDoor;
  /** Mutating routes are audited: a row before, and one after when it did not come about. */
  readonly mutates: boolean;
  /** The handler writes the rows of the audit itself: it alone knows who it was. */
  readonly notesItself?: true;
  readonly status: 200 | 201 | 202 | 204;
  readonly query?: Query;
  readonly body?: Body;
  /** `text/plain` answers have no schema. */
  readonly answer: Answer | 'text' | 'nothing';
  /** Bytes a body may have; default {@link defaultBodyLimit}. */
  readonly bodyLimit?: number;
  handle(
    services: Services,
    request: RouteRequest<z.output<Query>, z.output<Body>>,
  ): Promise<Reply<z.input<Answer>>> | Reply<z.input<Answer>>;
}

/** An answer file of the greatest allowed length, with room for its JSON escapes. */
export const defaultBodyLimit = 4 * 1024 * 1024;

/** Gives a route its types without writing them twice. */
export function defineRoute<Query extends z.ZodType, Body extends z.ZodType, Answer extends z.ZodType>(
  route: Route<Query, Body, Answer>,
): Route {
  return route;
}
