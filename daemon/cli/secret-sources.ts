import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { resolveSources, splitDocuments } from '../api/offline.ts';
import { CommandFailure, exitCode } from './exit.ts';

/**
 * Puts values in the place of `{fromEnv: NAME}` and `{fromFile: path}`: only the caller's machine knows them. Lines
 * keep their numbers.
 * @throws CommandFailure exit 2 with every source that cannot be read; never with a value.
 */
export function withSources(text: string, file: string, environment: NodeJS.ProcessEnv): string {
  const folder = file === '-' ? '.' : dirname(file);
  const resolved = resolveSources(text, {
    file,
    env: environment,
    readFile: (path) => readFileSync(resolve(folder, path), 'utf8'),
  });
  if (resolved.problems.length > 0) throw new CommandFailure(exitCode.usage, resolved.problems);
  return resolved.text;
}

/** Numbers, from 1, of the lines that belong to Secret documents: they are never shown in a message. */
export function secretLines(text: string): ReadonlySet<number> {
  const numbers = new Set<number>();
  for (const chunk of splitDocuments(text)) {
    if (!/["']?kind["']?\s*:\s*["']?Secret\b/.test(chunk.text)) continue;
    const first = text.slice(0, chunk.start).split('\n').length;
    const count = chunk.text.split('\n').length;
    for (let line = 0; line < count; line += 1) numbers.add(first + line);
  }
  return numbers;
}
