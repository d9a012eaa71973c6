import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import type { Place, ProblemReport } from '../../provisioners/contract/problem.ts';
import { usageFailure } from './exit.ts';
import { secretLines, withSources } from './secret-sources.ts';

interface Source {
  readonly file: string;
  readonly content: string;
}

interface Part {
  readonly file: string;
  /** As the user wrote them; undefined where a Secret document stands. */
  readonly lines: readonly (string | undefined)[];
  /** Line of the joined text where this part begins, from 1. */
  readonly firstLine: number;
}

/** The files a command was given, as one stream, and the way back from a line of the stream to file and line. */
export class AnswerFile {
  readonly text: string;
  /** Name for messages: the one file, or `-`. */
  readonly name: string;
  readonly #parts: readonly Part[];

  private constructor(sources: readonly Source[], environment: NodeJS.ProcessEnv) {
    const parts: Part[] = [];
    const texts: string[] = [];
    let firstLine = 1;
    for (const { file, content } of sources) {
      // A document mark of our own between files, on a line of its own.
      const mark = parts.length > 0 ? '---\n' : '';
      const text = withSources(content, file, environment);
      const hiddenLines = secretLines(content);
      const whole = text.endsWith('\n') || text === '' ? text : `${text}\n`;
      if (mark !== '') firstLine += 1;
      const lines = content
        .split(/\r?\n/)
        .map((line, index) => (hiddenLines.has(index + 1) ? undefined : line));
      parts.push({ file, lines, firstLine });
      texts.push(mark + whole);
      firstLine += whole.split('\n').length - 1;
    }
    this.text = texts.join('');
    this.name = sources.length === 1 ? (sources[0]?.file ?? '-') : '-';
    this.#parts = parts;
  }

  /**
   * Reads files, folders (their `.yaml`, `.yml` and `.json`, sorted by name, not deeper) and `-` (standard input).
   * Values of Secret documents that come from the environment or from files are put in their place.
   * @throws CommandFailure exit 2 when one cannot be read.
   */
  static async read(
    paths: readonly string[],
    { input, environment }: { readonly input: Readable; readonly environment: NodeJS.ProcessEnv },
  ): Promise<AnswerFile> {
    const sources: Source[] = [];
    for (const path of paths) {
      if (path === '-') sources.push({ file: '-', content: await readAll(input) });
      else for (const file of filesOf(path)) sources.push({ file, content: readText(file) });
    }
    return new AnswerFile(sources, environment);
  }

  /** Problems with places in the files the user knows. */
  locate(problems: readonly ProblemReport[]): readonly ProblemReport[] {
    return problems.map((problem) => this.#locateProblem(problem));
  }

  /** A line as the user wrote it. */
  readonly sourceLine = (file: string, line: number): string | undefined =>
    this.#parts.find((part) => part.file === file)?.lines[line - 1];

  #locateProblem(problem: ProblemReport): ProblemReport {
    return problem.place === undefined ? problem : { ...problem, place: this.#locatePlace(problem.place) };
  }

  #locatePlace(place: Place): Place {
    const { line } = place;
    if (line === undefined || (place.file !== undefined && place.file !== this.name)) return place;
    const part = this.#parts.findLast((candidate) => candidate.firstLine <= line) ?? this.#parts[0];
    return part === undefined ? place : { ...place, file: part.file, line: line - part.firstLine + 1 };
  }
}

function filesOf(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const files = readdirSync(path)
      .filter((name) => /\.(ya?ml|json)$/.test(name))
      .sort()
      .map((name) => join(path, name));
    if (files.length > 0) return files;
  } catch (error) {
    throw unreadable(path, error);
  }
  throw usageFailure(
    'CLI-002',
    `the folder ${path} holds no .yaml, .yml or .json file`,
    'Name another folder or file with -f.',
  );
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(path: string, error: unknown): Error {
  const { code } = error as NodeJS.ErrnoException;
  const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code ?? 'unknown reason'})`;
  return usageFailure('CLI-001', `-f ${path}: ${why}`, 'Give a file, a folder, or - for standard input.');
}
