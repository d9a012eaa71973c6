import {
  type KeyboardEvent,
  type MouseEvent,
  type RefObject,
  useCallback,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import type { LineScan } from './line-scan.ts';
import type { LineStore, ShownLine } from './line-store.ts';

/** Height of a line, pixels; the style sheet draws it so. */
export const rowHeight = 20;
/** Lines drawn above and below what is seen, so that a quick scroll shows no gaps. */
const margin = 12;
/** Characters of a line that are drawn; the bar below the window has the whole line. */
const drawnText = 1000;

/** What the window shows and tells. */
export interface LogWindowProps {
  readonly store: LineStore;
  readonly scan: LineScan;
  readonly query: string;
  readonly isFollowing: boolean;
  /** Number of the chosen line; 0 = none. */
  readonly chosen: number;
  readonly box: RefObject<HTMLDivElement | null>;
  readonly onChoose: (number: number) => void;
  /** The person scrolled: number of the line on top, and whether the end is in sight. */
  readonly onScrolled: (top: number, isAtEnd: boolean, isUpward: boolean) => void;
}

/** Lines of one height, of which only those in sight exist as elements. */
export function LogWindow(props: LogWindowProps): React.JSX.Element {
  const { store, scan, query, isFollowing, chosen, box, onScrolled } = props;
  const { rows } = scan;
  const { top, height, look } = useView(box, isFollowing ? rows : undefined);
  const lastTop = useRef(0);
  const scrolled = (): void => {
    const element = box.current;
    if (element === null) return;
    look();
    const { scrollTop, clientHeight, scrollHeight } = element;
    const isAtEnd = scrollTop + clientHeight >= scrollHeight - rowHeight;
    const first = store.at(scan.positionAt(Math.floor(scrollTop / rowHeight)))?.number ?? 0;
    onScrolled(first, isAtEnd, scrollTop < lastTop.current - 1);
    lastTop.current = scrollTop;
  };

  // While it follows, the end is what will be in sight: drawn from where it was scrolled to, many lines at once would
  // leave one picture empty.
  const inSight = isFollowing ? Math.max(0, rows * rowHeight - height) : top;
  const first = Math.max(0, Math.floor(inSight / rowHeight) - margin);
  const last = Math.min(rows, Math.ceil((inSight + height) / rowHeight) + margin);
  const drawn: React.JSX.Element[] = [];
  let isChosenDrawn = false;
  for (let row = first; row < last; row += 1) {
    const line = store.at(scan.positionAt(row));
    if (line === undefined) continue;
    const isChosen = line.number === chosen;
    isChosenDrawn ||= isChosen;
    drawn.push(<Row key={line.number} {...{ line, row, rows, query, isChosen }} />);
  }
  return (
    <div
      ref={box}
      className="remuda-log-window"
      role="listbox"
      aria-label="Log lines"
      tabIndex={0}
      onScroll={scrolled}
      onClick={(event) => choose(event, props)}
      onKeyDown={(event) => walk(event, props)}
      {...(isChosenDrawn ? { 'aria-activedescendant': `line-${chosen}` } : {})}
    >
      <div role="presentation" className="remuda-log-space" style={{ height: rows * rowHeight }}>
        {drawn}
      </div>
    </div>
  );
}

/** What of the window is in sight, in pixels. With `end` the end is kept in sight, each time it or the height changes. */
function useView(
  box: RefObject<HTMLDivElement | null>,
  end: number | undefined,
): { readonly top: number; readonly height: number; readonly look: () => void } {
  const [view, setView] = useState({ top: 0, height: 400 });
  const look = useCallback(() => {
    const element = box.current;
    if (element !== null) setView({ top: element.scrollTop, height: element.clientHeight });
  }, [box]);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => observer.disconnect();
  }, [box, look]);
  useLayoutEffect(() => {
    if (end !== undefined) box.current?.scrollTo({ top: end * rowHeight });
  }, [box, end, view.height]);
  return { ...view, look };
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

function Row(props: {
  readonly line: ShownLine;
  readonly row: number;
  readonly rows: number;
  readonly query: string;
  readonly isChosen: boolean;
}): React.JSX.Element {
  const { line, row, rows, query, isChosen } = props;
  const { number, at, machine, level, text } = line;
  return (
    <div
      id={`line-${number}`}
      data-line={number}
      role="option"
      aria-selected={isChosen}
      aria-posinset={row + 1}
      aria-setsize={rows}
      className={`remuda-line remuda-line-${level}`}
      style={{ transform: `translateY(${row * rowHeight}px)` }}
    >
      <span className="remuda-line-time">{clock.format(at)}</span>
      <span className="remuda-line-machine">{machine}</span>
      {level === 'plain' ? undefined : (
        <span className="remuda-line-level">{level === 'error' ? 'E' : 'W'}</span>
      )}
      <span className="remuda-line-text">
        <Marked text={text.length > drawnText ? `${text.slice(0, drawnText)}…` : text} query={query} />
      </span>
    </div>
  );
}

/** A text with every place marked where the query stands in it. */
function Marked({ text, query }: { readonly text: string; readonly query: string }): React.ReactNode {
  if (query === '') return text;
  const lowered = text.toLowerCase();
  const wanted = query.toLowerCase();
  if (lowered.length !== text.length || !lowered.includes(wanted)) return text;
  const parts: React.ReactNode[] = [];
  let from = 0;
  for (let at = lowered.indexOf(wanted); at >= 0; at = lowered.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + wanted.length)}</mark>);
    from = at + wanted.length;
  }
  return [...parts, text.slice(from)];
}

function choose(event: MouseEvent<HTMLElement>, { chosen, onChoose }: LogWindowProps): void {
  // Somebody who marks text to copy it does not choose a line.
  if (globalThis.getSelection()?.isCollapsed === false) return;
  const line = (event.target as Element).closest<HTMLElement>('[data-line]');
  const number = Number(line?.dataset['line'] ?? 0);
  if (number > 0) onChoose(number === chosen ? 0 : number);
}

/** Arrows go from line to line, Escape leaves it. */
function walk(event: KeyboardEvent<HTMLElement>, props: LogWindowProps): void {
  const { store, scan, chosen, box, onChoose } = props;
  if (event.key === 'Escape' && chosen > 0) onChoose(0);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const position = chosen === 0 ? undefined : store.positionOf(chosen);
  const top = Math.ceil((box.current?.scrollTop ?? 0) / rowHeight);
  const row = position === undefined ? top : scan.rowOf(position) + step;
  const line = row < 0 || row >= scan.rows ? undefined : store.at(scan.positionAt(row));
  if (line === undefined) return;
  onChoose(line.number);
  if (box.current !== null) bringIntoSight(box.current, row);
}

/** Scrolls as little as needed, or puts the row in the middle when it was out of sight. */
export function bringIntoSight(element: HTMLElement, row: number): void {
  const top = row * rowHeight;
  const { scrollTop, clientHeight } = element;
  if (top < scrollTop - 10 * rowHeight || top > scrollTop + clientHeight + 10 * rowHeight)
    element.scrollTop = top - clientHeight / 2;
  else if (top < scrollTop) element.scrollTop = top;
  else if (top + rowHeight > scrollTop + clientHeight - 16)
    element.scrollTop = top + rowHeight - clientHeight + 16;
}
