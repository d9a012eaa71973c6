import { Option } from 'commander';
import { z } from 'zod';
import { type Column, type OutputForm, printList } from '../table.ts';
import { relativeTime } from '../times.ts';
import type { Session } from './session.ts';

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

/** A list that the server answers whole, and how it is shown. */
export interface Listed<Item extends z.ZodType> {
  readonly path: string;
  readonly item: Item;
  readonly columns: readonly Column<z.output<Item>>[];
  /** Said when there is nothing. */
  readonly empty: string;
}

/** Asks for a list and prints it. */
export async function showList<Item extends z.ZodType>(
  session: Session,
  { output }: ListOptions,
  { path, item, columns, empty }: Listed<Item>,
): Promise<void> {
  const client = await session.client();
  const answer = z.object({ items: z.array(item) });
  const { items } = await client.call({ method: 'GET', path, answer });
  printList(session.printer, output, items, columns, empty);
}

/** How long ago, or a dash for never. */
export const timeOrDash = (at: string | undefined): string => (at === undefined ? '-' : relativeTime(at));
