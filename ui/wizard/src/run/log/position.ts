import { useCallback, useState } from 'react';
import { type LineFilter, noFilter } from './line-scan.ts';

/** Where a person is in a run: survives a reload of the page, not the end of the browser's tab. */
export interface RunPosition {
  readonly filter: LineFilter;
  readonly isFollowing: boolean;
  /** Phases opened or closed by hand. */
  readonly toggled: Readonly<Record<string, boolean>>;
}

const storageKey = (operation: string): string => `remuda-run-${operation}`;
const start: RunPosition = { filter: noFilter, isFollowing: true, toggled: {} };

function kept(operation: string): RunPosition {
  try {
    const text = globalThis.sessionStorage.getItem(storageKey(operation));
    if (text === null) return start;
    const found = JSON.parse(text) as Partial<RunPosition>;
    return { ...start, ...found, filter: { ...noFilter, ...found.filter } };
  } catch {
    return start;
  }
}

/** The position in one operation, and how to change it. */
export function useRunPosition(
  operation: string,
): readonly [RunPosition, (change: Partial<RunPosition>) => void] {
  const [position, setPosition] = useState(() => kept(operation));
  const change = useCallback(
    (changed: Partial<RunPosition>) =>
      setPosition((before) => {
        const after = { ...before, ...changed };
        globalThis.sessionStorage.setItem(storageKey(operation), JSON.stringify(after));
        return after;
      }),
    [operation],
  );
  return [position, change];
}

/** Keeps the number of the line on top of the window. Apart from the rest: it changes with every turn of the wheel. */
export function keepTop(operation: string, top: number): void {
  globalThis.sessionStorage.setItem(`${storageKey(operation)}-top`, String(top));
}

/** The number of the line that was on top; 0 = none is known. */
export function keptTop(operation: string): number {
  return Number(globalThis.sessionStorage.getItem(`${storageKey(operation)}-top`) ?? 0);
}

const hashForm = /^#line-(\d{1,9})$/;

/** The line's number in the address, so that a line can be sent to somebody; 0 = none. */
export function linkedLine(): number {
  return Number(hashForm.exec(globalThis.location.hash)?.[1] ?? 0);
}

/** The address of the page with a line in it. */
export function lineAddress(number: number): string {
  const { origin, pathname, search } = globalThis.location;
  return `${origin}${pathname}${search}#line-${number}`;
}

/** Puts a line into the address, or takes it out of there; the browser's history stays as it is. */
export function showInAddress(number: number): void {
  const { pathname, search } = globalThis.location;
  const hash = number === 0 ? '' : `#line-${number}`;
  globalThis.history.replaceState(globalThis.history.state, '', `${pathname}${search}${hash}`);
}
