import { type Command, InvalidArgumentError, Option } from 'commander';
import { AnswerFile } from '../answer-file.ts';
import { CommandFailure, exitCode, usageFailure } from '../exit.ts';
import { type OutputForm, outputForms } from '../table.ts';
import type { Session } from './session.ts';

/** `-f`, as often as one likes. */
export const fileOption = (): Option =>
  new Option('-f, --file <path>', 'answer file, folder, or - for standard input; may be repeated')
    .argParser((path: string, before: readonly string[] | undefined) => [...(before ?? []), path])
    .makeOptionMandatory();

/** `-o`. */
export const outputOption = (): Option =>
  new Option('-o, --output <form>', 'how to print').choices(outputForms).default('table');

/** Options of the commands that start an operation. */
export function addWaitOptions(command: Command): Command {
  return command.option('--wait', 'follow the work until it ends').addOption(timeoutOption());
}

/** `--timeout`. */
export const timeoutOption = (): Option =>
  new Option('--timeout <duration>', 'stop following after 90s, 30m, 2h (the work goes on)').argParser(
    durationOf,
  );

/** What {@link addWaitOptions} gives. */
export interface WaitOptions {
  readonly wait?: boolean;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly output?: OutputForm;
}

/** Collects a repeatable option. */
export const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];

/** `90s`, `30m`, `2h` as milliseconds. */
export function durationOf(text: string): number {
  const match = /^(\d+)(ms|s|m|h)?$/.exec(text);
  const factor = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match?.[2] ?? 's'];
  if (!match || factor === undefined)
    throw new InvalidArgumentError('Write a number with s, m or h, like 30m.');
  return Number(match[1]) * factor;
}

/** Reads what `-f` names and remembers it for messages. */
export async function readFiles(session: Session, paths: readonly string[]): Promise<AnswerFile> {
  const { input, environment } = session.printer.terminal;
  if (paths.includes('-') && input.isTTY === true)
    session.printer.note('Reading the answer file from the terminal; end it with Ctrl-D.');
  session.file = await AnswerFile.read(paths, { input, environment });
  return session.file;
}

/** Runs what may be refused because of the file, with the places put back to the files the user knows. */
export async function withPlaces<T>(file: AnswerFile, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof CommandFailure)
      throw new CommandFailure(error.exitCode, file.locate(error.problems), error.notes);
    throw error;
  }
}

/** Refuses a file with problems: exit 2, all of them. */
export function refuseProblems(file: AnswerFile, problems: Parameters<AnswerFile['locate']>[0]): void {
  if (problems.length > 0) throw new CommandFailure(exitCode.usage, file.locate(problems));
}

/** An argument that must be one of a few. */
export function oneOf<const Value extends string>(
  value: string,
  allowed: readonly Value[],
  what: string,
): Value {
  const found = allowed.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw usageFailure('CLI-009', `there is no ${what} "${value}"`, `Choose one of ${allowed.join(', ')}.`);
}
