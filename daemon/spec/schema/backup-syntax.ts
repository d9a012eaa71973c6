import { Cron } from 'croner';
import { isServerUrl } from './address-syntax.ts';
import type { SyntaxProblem } from './values.ts';

/** Rule: the five fields of cron, which come about at some time. Times are UTC here; a rule of the cluster knows the zone. */
export function scheduleProblem(value: string): SyntaxProblem | undefined {
  const refuse = (summary: string): SyntaxProblem => ({
    code: 'SPEC-037',
    summary,
    remedy: 'Write minute, hour, day of the month, month and day of the week, such as "30 2 * * *".',
  });
  const count = value.trim().split(/\s+/).length;
  if (count !== 5 || value.trim() === '')
    return refuse(
      `"${value}" is not a schedule: cron takes five fields, and here ${count === 1 ? 'is 1' : `are ${count}`}.`,
    );
  try {
    if (new Cron(value, { mode: '5-part', timezone: 'UTC' }).nextRun() !== null) return undefined;
    return refuse(`"${value}" names a time that never comes.`);
  } catch (error) {
    // croner throws TypeErrors whose text says which field, and RangeErrors for numbers.
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : 'it cannot be read';
    return refuse(`"${value}" is not a schedule: ${why.replace(/\.$/, '')}.`);
  }
}

/** Rule: an absolute path without `.` and `..`. */
export function folderPathProblem(value: string): SyntaxProblem | undefined {
  if (/^\/(?!.*(?:^|\/)\.{1,2}(?:\/|$))/.test(value)) return undefined;
  return {
    code: 'SPEC-038',
    summary: `"${value}" is not an absolute path.`,
    remedy: 'Write a path such as /mnt/backups, without "." and "..".',
  };
}

/** Rule: scheme https, host and port, and nothing else. The text is not repeated, because it may hold a password. */
export function serverUrlProblem(value: string): SyntaxProblem | undefined {
  if (value.includes('@'))
    return {
      code: 'SPEC-039',
      summary: 'A user name or password stands in the address of the server.',
      remedy: 'Remove everything up to the "@" and put it into the secret that "credentials" names.',
    };
  if (isServerUrl(value)) return undefined;
  return {
    code: 'SPEC-039',
    summary: 'This is not the address of an S3 server.',
    remedy: 'Write https, host and port, such as https://s3.dc1.example:9000.',
  };
}

/** Rule: the name of a bucket, by the rules of Amazon S3. */
export function bucketProblem(value: string): SyntaxProblem | undefined {
  if (/^(?=.{3,63}$)[a-z0-9][a-z0-9.-]*[a-z0-9]$/.test(value) && !value.includes('..')) return undefined;
  return {
    code: 'SPEC-039',
    summary: `"${value}" is not the name of a bucket.`,
    remedy: 'Write 3 to 63 small letters, digits, dots and hyphens, such as cluster-backups.',
  };
}

/** Rule: names between single slashes. */
export function prefixProblem(value: string): SyntaxProblem | undefined {
  if (/^[^/]+(?:\/[^/]+)*$/.test(value)) return undefined;
  return {
    code: 'SPEC-039',
    summary: `"${value}" is not a prefix: it begins or ends with a slash, or has two in a row.`,
    remedy: 'Write it without them, such as remuda/dc1.',
  };
}
