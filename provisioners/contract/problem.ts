/**
 * Why something did not happen. Everything a person may have to read is one of four kinds; a thrown value that is
 * none of them is our own bug and is reported as `fault`.
 */
export type ProblemKind =
  /** What the user wrote cannot be; changing it is the remedy. */
  | 'user'
  /** Somebody must act outside Remuda (a pod, a budget, a quota, a power cable). */
  | 'blocked'
  /** May pass by itself; retried with jittered backoff before it is shown as the end. */
  | 'transient'
  /** Remuda's own bug; says so, with a reference and what it was working on. */
  | 'fault';

/** Where in the user's own words a problem sits. Lines and columns count from 1. */
export interface Place {
  readonly file?: string;
  readonly document?: string;
  readonly field?: string;
  readonly line?: number;
  readonly column?: number;
  /** The line may hold a secret: a client that shows source lines must not show this one. */
  readonly confidential?: boolean;
}

/** A problem as data: what is journalled, sent to clients and printed. Never holds a secret. */
export interface ProblemReport {
  readonly kind: ProblemKind;
  /** Stable short code, documented in ui/docs (for example `SPEC-014`, `HOST-003`). */
  readonly code: string;
  /** What is wrong, in terms of what the user wrote or owns. One sentence. */
  readonly summary: string;
  /** What to do about it: a command or an act. */
  readonly remedy?: string;
  readonly place?: Place;
  /** The value the user wrote, as written; never a secret. */
  readonly value?: string;
  readonly machine?: string;
  /** The last command run, for support. */
  readonly command?: string;
  /** The last lines that command printed, oldest first, secrets redacted. */
  readonly lastLines?: readonly string[];
}

/** What the manual says of one problem code. Whole sentences, except the title. */
export interface ProblemCode {
  readonly title: string;
  /** Why it is so, and what it means. */
  readonly explanation: string;
  readonly remedy: string;
}

/**
 * The codes of one room, kept in a `codes.ts` beside the code. A code has one meaning in all rooms, and one that falls
 * out of use is never given a new one; test/unit/docs/codes.test.ts watches over both.
 */
export type ProblemCatalogue = Readonly<Record<string, ProblemCode>>;

type ProblemDetails = Omit<ProblemReport, 'kind' | 'code' | 'summary'>;

/** Base of the errors that carry a {@link ProblemReport}. */
export class Problem extends Error {
  readonly report: ProblemReport;

  constructor(kind: ProblemKind, code: string, summary: string, details: ProblemDetails = {}) {
    super(summary);
    this.name = new.target.name;
    this.report = { kind, code, summary, ...details };
  }
}

/** What the user wrote cannot be. */
export class UserProblem extends Problem {
  constructor(code: string, summary: string, details: ProblemDetails & { readonly remedy: string }) {
    super('user', code, summary, details);
  }
}

/** Somebody must act, or something else must end first; Remuda goes on looking. */
export class Blocked extends Problem {
  /** What is awaited, where that is nobody's act; reads after "waits for". */
  readonly awaits: string | undefined;

  constructor(
    code: string,
    summary: string,
    { awaits, ...details }: ProblemDetails & { readonly remedy: string; readonly awaits?: string },
  ) {
    super('blocked', code, summary, details);
    this.awaits = awaits;
  }
}

/** May pass by itself: a refused connection, a timeout, a throttled call. */
export class Transient extends Problem {
  constructor(code: string, summary: string, details: ProblemDetails = {}) {
    super('transient', code, summary, details);
  }
}

/** What a problem tells when nothing more is known of what to do. */
const usualRemedy = 'Read the log of the operation, mend the cause, then resume or ask again.';

/** The error that a report was made of, on the other end of a link: of the same class, so that it is judged alike. */
export function problemFrom(report: ProblemReport): Problem {
  const { kind, code, summary, remedy, ...rest } = report;
  const details = remedy === undefined ? rest : { ...rest, remedy };
  if (kind === 'transient') return new Transient(code, summary, details);
  if (kind === 'blocked') return new Blocked(code, summary, { remedy: usualRemedy, ...details });
  if (kind === 'user') return new UserProblem(code, summary, { remedy: usualRemedy, ...details });
  return new Problem(kind, code, summary, details);
}

/**
 * Turns anything thrown into a report. What is not a {@link Problem} becomes a `fault` with the given reference,
 * so that a report can name it.
 */
export function reportOf(thrown: unknown, reference: string): ProblemReport {
  if (thrown instanceof Problem) return thrown.report;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return {
    kind: 'fault',
    code: 'BUG-001',
    summary: `Remuda made a mistake (reference ${reference}): ${message}`,
    remedy:
      'The state before this step was kept. Resume the operation; if it fails again, report it with the reference and what remuda logs prints.',
  };
}
