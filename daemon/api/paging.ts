import { unreadable } from './failure.ts';

/** One page of a list, and where the next begins. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next?: string;
}

/** Key of the last item of the page before; undefined on the first page. */
export const keyFrom = ({ cursor }: { readonly cursor?: string }): string | undefined =>
  cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString('utf8');

/** What a cursor is answered with that points at nothing. */
export const lostCursor = (): Error =>
  unreadable('the cursor is not from an earlier page, or what it pointed at is gone');

/**
 * A page of what was looked through until there was one item more than fits: whether there is a next page is known, and
 * nothing behind it was read.
 */
export function pageOfFound<Item>(
  found: readonly Item[],
  keyOf: (item: Item) => string,
  limit: number,
): Page<Item> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  if (found.length <= limit || last === undefined) return { items };
  return { items, next: Buffer.from(keyOf(last)).toString('base64url') };
}

/**
 * Cuts a page out of a list by the key of the last item of the page before, so that items added in front meanwhile
 * neither repeat nor hide any.
 * @throws Failure 400 when the cursor is not one of ours, or its item is gone.
 */
export function pageOfItems<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  query: { readonly cursor?: string; readonly limit: number },
): Page<Item> {
  let start = 0;
  const key = keyFrom(query);
  if (key !== undefined) {
    start = items.findIndex((item) => keyOf(item) === key) + 1;
    if (start === 0) throw lostCursor();
  }
  return pageOfFound(items.slice(start), keyOf, query.limit);
}
