import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import { cleanLine } from './clean-text.ts';
import type { Style } from './style.ts';

/** Gives the line of a file that a problem points at, when it is at hand. */
export type SourceLine = (file: string, line: number) => string | undefined;

/** Longest piece of a source line that is shown around the place. */
const widestExcerpt = 110;
/** Most lines of a failed command that are shown; the log has the rest. */
const mostLines = 12;

/**
 * A problem for people: code and what is wrong; where, with the line as the user wrote it and a mark under the place;
 * what was run; what to do.
 */
export function problemText(problem: ProblemReport, style: Style, sourceLine: SourceLine): string {
  const lines = [
    `${style.bad(problem.kind === 'fault' ? 'bug' : 'error')} ${style.bold(problem.code)}: ${cleanLine(problem.summary)}`,
  ];
  lines.push(...placeLines(problem, style, sourceLine));
  if (problem.machine !== undefined) lines.push(`  ${style.dim('machine')}  ${cleanLine(problem.machine)}`);
  if (problem.command !== undefined) lines.push(`  ${style.dim('ran')}      ${cleanLine(problem.command)}`);
  for (const line of (problem.lastLines ?? []).slice(-mostLines))
    lines.push(`  ${style.dim('|')} ${cleanLine(line)}`);
  if (problem.remedy !== undefined && problem.remedy !== '')
    lines.push(`  ${style.dim('do')}       ${cleanLine(problem.remedy)}`);
  return lines.join('\n');
}

function placeLines(problem: ProblemReport, style: Style, sourceLine: SourceLine): readonly string[] {
  const { place } = problem;
  if (!place) return [];
  const position = [place.file, place.line, place.column].filter((part) => part !== undefined).join(':');
  const field = [place.document, place.field].filter((part) => part !== undefined).join(' ');
  const where = [position, field]
    .filter((part) => part !== '')
    .map(cleanLine)
    .join('  ');
  const lines = where === '' ? [] : [`  ${style.dim('at')}       ${where}`];
  if (place.confidential === true) return lines;
  const source =
    place.file !== undefined && place.line !== undefined ? sourceLine(place.file, place.line) : undefined;
  if (source === undefined || place.line === undefined) return lines;
  const number = String(place.line);
  const column = Math.max(1, place.column ?? firstColumn(source));
  const start = Math.max(0, column - 1 - Math.floor(widestExcerpt / 2));
  const excerpt = source.slice(start, start + widestExcerpt);
  const mark = ' '.repeat(cleanLine(source.slice(start, column - 1)).length);
  return [
    ...lines,
    `  ${style.dim(`${number} |`)} ${cleanLine(excerpt)}`,
    `  ${style.dim(`${' '.repeat(number.length)} |`)} ${mark}${style.bad('^')}`,
  ];
}

const firstColumn = (source: string): number => source.length - source.trimStart().length + 1;
