import { useCallback, useEffect, useRef, useState } from 'react';
import type { OperationDetail } from '../../../../../daemon/api/types.ts';
import { Time } from '../../time/time.tsx';
import type { Run } from '../use-run.ts';
import { ChosenLine } from './chosen-line.tsx';
import { download } from './download.ts';
import type { LineFilter, LineScan } from './line-scan.ts';
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
  const [chosen, setChosen] = useState(linkedLine);
  const choose = useCallback((number: number) => {
    setChosen(number);
    showInAddress(number);
  }, []);
  const isOver = operation.endedAt !== undefined;
  const goTo = useCallback(
    (at: number) => {
      onPosition({ isFollowing: false });
      if (box.current !== null) bringIntoSight(box.current, scan.rowOf(at));
    },
    [onPosition, scan],
  );
  useReturn({ run, scan, wanted: chosen > 0 ? chosen : isFollowing ? 0 : keptTop(operation.id), goTo });
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

  const titleOf = (id: string): string => operation.stepList.find((step) => step.id === id)?.title ?? id;
  const setFilter = (change: Partial<LineFilter>): void => onPosition({ filter: { ...filter, ...change } });
  const chosenAt = chosen === 0 ? undefined : store.positionOf(chosen);
  const chosenLine = chosenAt === undefined ? undefined : store.at(chosenAt);
  return (
    <section className="remuda-panel remuda-log" aria-labelledby="remuda-log-title">
      <LogToolbar
        scan={scan}
        store={store}
        filter={filter}
        machines={machines}
        stepTitle={filter.step === '' ? '' : titleOf(filter.step)}
        isFollowing={isFollowing}
        onFilter={setFilter}
        onFollow={(follow) => onPosition({ isFollowing: follow })}
        onMatch={(at) => {
          goTo(at);
          choose(store.at(at)?.number ?? 0);
        }}
        chosenAt={chosenAt}
        onDownload={() => void download(store, scan, `${operation.cluster.name}-${operation.id}.log`)}
      />
      <Notices run={run} />
      <LogWindow
        store={store}
        scan={scan}
        query={filter.query}
        isFollowing={isFollowing}
        chosen={chosen}
        box={box}
        onChoose={choose}
        onScrolled={(top, isAtEnd, isUpward) => {
          keepTop(operation.id, top);
          if (isUpward && !isAtEnd && isFollowing) onPosition({ isFollowing: false });
          else if (isAtEnd && !isOver && !isFollowing) onPosition({ isFollowing: true });
        }}
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

/** After a reload: back to the linked line, or to where the person was, as soon as that line is here. */
function useReturn(props: {
  readonly run: Run;
  readonly scan: LineScan;
  /** Number of the line to return to; 0 = none. Only the first is heard. */
  readonly wanted: number;
  readonly goTo: (at: number) => void;
}): void {
  const { run, scan, goTo } = props;
  const [wanted, setWanted] = useState(props.wanted);
  const at = wanted === 0 ? undefined : run.store.positionOf(wanted);
  const isHere = at !== undefined && !scan.isBehind && scan.rows > scan.rowOf(at);
  useEffect(() => {
    if (at === undefined || !isHere) return;
    setWanted(0);
    goTo(at);
  }, [at, isHere, goTo]);
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
