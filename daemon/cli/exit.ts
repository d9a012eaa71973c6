import type { ProblemReport } from '../../provisioners/contract/problem.ts';

/** Exit codes of the command (DESIGN §7); documented in the manual, never renumbered. */
export const exitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  preflight: 3,
  resumable: 4,
  leftovers: 5,
  changes: 6,
  approval: 7,
  conflict: 8,
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** Ends the command with problems for the user and an exit code. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode;
  readonly problems: readonly ProblemReport[];
  /** Sentences after the problems: what differs, how to go on. */
  readonly notes: readonly string[];

  constructor(code: ExitCode, problems: readonly ProblemReport[], notes: readonly string[] = []) {
    super(problems[0]?.summary ?? 'the command failed');
    this.exitCode = code;
    this.problems = problems;
    this.notes = notes;
  }
}

/** What the user asked for cannot be: exit 2. */
export function usageFailure(code: string, summary: string, remedy: string): CommandFailure {
  return new CommandFailure(exitCode.usage, [{ kind: 'user', code, summary, remedy }]);
}

/** It did not work, and nothing can be resumed: exit 1. */
export function plainFailure(code: string, summary: string, remedy: string): CommandFailure {
  return new CommandFailure(exitCode.failed, [{ kind: 'transient', code, summary, remedy }]);
}
