import { useCallback, useEffect, useRef, useState } from 'react';
import type { OperationDetail } from '../../../../../daemon/api/types.ts';
import { Time } from '../../time/time.tsx';
import type { Run } from '../use-run.ts';
import { ChosenLine } from './chosen-line.tsx';
import { download } from './download.ts';
import type { LineScan } from './line-scan.ts';
import { LogToolbar } from './log-toolbar.tsx';
import { bringIntoSight, LogWindow } from './log-window.tsx';
import { keepTop, keptTop, linkedLine, type RunPosition, showInAddress } from './position.ts';
import { useScan } from './use-scan.ts';

/** What the log is drawn with. */
export interface LogPanelProps {
  readonly run: Run;
  readonly operation: OperationDetail;
  readonly machines: readonly string[];
  readonly position: RunPosition;
  readonly onPosition: (change: Partial<RunPosition>) => void;
}

/** The live log: found, filtered, followed, copied, linked and taken away. */
export function LogPanel(props: LogPanelProps): React.JSX.Element {
  const { run, operation, machines, position, onPosition } = props;
  const { store } = run;
  const { filter, isFollowing } = position;
  const scan = useScan(store, filter);
  const box = useRef<HTMLDivElement>(null);
  const goTo = useCallback(
    (at: number) => {
      onPosition({ isFollowing: false });
      if (box.current !== null) bringIntoSight(box.current, scan.rowOf(at));
    },
    [onPosition, scan],
  );
  const [chosen, choose] = useChosen(run, goTo);
  const [lastTop] = useState(() => (isFollowing ? 0 : keptTop(operation.id)));
  useReturn({ run, scan, wanted: chosen > 0 ? chosen : lastTop, goTo });

  const isOver = operation.endedAt !== undefined;
  const titleOf = (id: string): string => operation.stepList.find((step) => step.id === id)?.title ?? id;
  const chosenAt = chosen === 0 ? undefined : store.positionOf(chosen);
  const chosenLine = chosenAt === undefined ? undefined : store.at(chosenAt);
  const scrolled = (top: number, isAtEnd: boolean, isUpward: boolean): void => {
    keepTop(operation.id, top);
    if (isUpward && !isAtEnd && isFollowing) onPosition({ isFollowing: false });
    else if (isAtEnd && !isUpward && !isOver && !isFollowing) onPosition({ isFollowing: true });
  };
  const showMatch = (at: number): void => {
    goTo(at);
    choose(store.at(at)?.number ?? 0);
  };
  return (
    <section className="remuda-panel remuda-log" aria-labelledby="remuda-log-title">
      <LogToolbar
        {...{ scan, store, filter, machines, isFollowing, chosenAt }}
        stepTitle={filter.step === '' ? '' : titleOf(filter.step)}
        onFilter={(change) => onPosition({ filter: { ...filter, ...change } })}
        onFollow={(follow) => onPosition({ isFollowing: follow })}
        onMatch={showMatch}
        onDownload={() => void download(store, scan, `${operation.cluster.name}-${operation.id}.log`)}
      />
      <Notices run={run} />
      <LogWindow
        {...{ store, scan, isFollowing, chosen, box }}
        query={filter.query}
        onChoose={choose}
        onScrolled={scrolled}
      />
      {scan.rows === 0 ? <Empty isFiltered={store.end > 0} isOver={isOver} /> : undefined}
      {chosenLine === undefined ? undefined : (
        <ChosenLine
          key={chosenLine.number}
          line={chosenLine}
          title={titleOf(chosenLine.step)}
          onClose={() => choose(0)}
        />
      )}
    </section>
  );
}

/** The chosen line's number, which is also in the address; another address brings another line into sight. */
function useChosen(run: Run, goTo: (at: number) => void): readonly [number, (number: number) => void] {
  const { store } = run;
  const [chosen, setChosen] = useState(linkedLine);
  const choose = useCallback((number: number) => {
    setChosen(number);
    showInAddress(number);
  }, []);
  useEffect(() => {
    const changed = (): void => {
      const number = linkedLine();
      setChosen(number);
      const at = store.positionOf(number);
      if (at !== undefined) goTo(at);
    };
    globalThis.addEventListener('hashchange', changed);
    return () => globalThis.removeEventListener('hashchange', changed);
  }, [store, goTo]);
  return [chosen, choose];
}

/** After a reload: back to the linked line, or to where the person was, as soon as that line is here. */
function useReturn(props: {
  readonly run: Run;
  readonly scan: LineScan;
  /** Number of the line to return to; 0 = none. Only the first is heard. */
  readonly wanted: number;
  readonly goTo: (at: number) => void;
}): void {
  const { run, scan, goTo } = props;
  const wanted = useRef(props.wanted);
  // Looked at after each drawing: there is one as lines arrive and as the scan gets on.
  useEffect(() => {
    if (wanted.current === 0 || scan.isBehind) return;
    const at = run.store.positionOf(wanted.current);
    if (at === undefined) return;
    wanted.current = 0;
    goTo(at);
  });
}

function Notices({ run }: { readonly run: Run }): React.JSX.Element | undefined {
  const { awaySince, store } = run;
  return (
    <>
      {awaySince === undefined ? undefined : (
        <p className="remuda-notice remuda-notice-warning" role="status">
          Connection lost at <Time at={new Date(awaySince).toISOString()} form="clock" />. Trying again every
          few seconds; the run goes on meanwhile, and the log continues after line{' '}
          {store.lastNumber.toLocaleString('en')} without a gap.
        </p>
      )}
      {store.missing > 0 ? (
        <p className="remuda-notice">
          {store.missing.toLocaleString('en')} older lines are no longer kept by the server.
        </p>
      ) : undefined}
      {store.start > 0 ? (
        <p className="remuda-notice">
          This page holds the newest {(store.end - store.start).toLocaleString('en')} lines, from line{' '}
          {store.firstNumber.toLocaleString('en')} on. All of them: remuda logs.
        </p>
      ) : undefined}
    </>
  );
}

function Empty(props: { readonly isFiltered: boolean; readonly isOver: boolean }): React.JSX.Element {
  const said = props.isOver
    ? 'This operation left no lines.'
    : 'No lines yet. They appear here as steps work.';
  return <p className="remuda-log-empty">{props.isFiltered ? 'No line is like that.' : said}</p>;
}
