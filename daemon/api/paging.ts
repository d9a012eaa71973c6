import { unreadable } from './failure.ts';

/** One page of a list, and where the next begins. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next?: string;
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
  if (query.cursor !== undefined) {
    const key = Buffer.from(query.cursor, 'base64url').toString('utf8');
    start = items.findIndex((item) => keyOf(item) === key) + 1;
    if (start === 0)
      throw unreadable('the cursor is not from an earlier page, or what it pointed at is gone');
  }
  const page = items.slice(start, start + query.limit);
  const last = page.at(-1);
  const hasMore = start + page.length < items.length;
  return {
    items: page,
    ...(hasMore && last !== undefined ? { next: Buffer.from(keyOf(last)).toString('base64url') } : {}),
  };
}
