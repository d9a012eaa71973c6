import { Option } from 'commander';
import type { OutputForm } from '../table.ts';
import { relativeTime } from '../times.ts';

/** `--role`. */
export const roleOption = (): Option =>
  new Option('--role <role>', 'what it may do')
    .choices(['admin', 'operator', 'viewer', 'user'])
    .default('user');

/** Of commands that print a list. */
export interface ListOptions {
  readonly output: OutputForm;
}

/** A path of the API; each part is a name of somebody's choosing. */
export const pathOf = (...parts: readonly string[]): string =>
  ['/api/v1', ...parts.map((part) => encodeURIComponent(part))].join('/');

/** How long ago, or a dash for never. */
export const timeOrDash = (at: string | undefined): string => (at === undefined ? '-' : relativeTime(at));
