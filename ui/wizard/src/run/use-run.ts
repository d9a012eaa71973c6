import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { EngineEvent, OperationDetail } from '../../../../daemon/api/types.ts';
import { get } from '../api/http.ts';
import { LiveStream } from '../api/live.ts';
import { LineStore } from './log/line-store.ts';
import { patched } from './event-patch.ts';

/** Shortest time from one reading of the whole to the next, milliseconds. */
const readEvery = 1_000;
/** A reading that takes long is made so many times more seldom: a run of 1,000 machines has megabytes of plan. */
const restFactor = 10;

/** An operation with its log, kept up to date. */
export interface Run {
  readonly operation: OperationDetail | undefined;
  readonly error: unknown;
  readonly store: LineStore;
  /** Since when the live connection is cut, milliseconds since 1970; undefined = it is not. */
  readonly awaySince: number | undefined;
  /** The server's clock less this browser's, milliseconds. */
  readonly skew: number;
  readonly renew: () => void;
}

const runKey = (id: string): readonly string[] => ['run', id];

interface Reading {
  readonly operation: OperationDetail;
  readonly skew: number;
}

async function readOperation(id: string, signal: AbortSignal): Promise<Reading> {
  const operation = await get<OperationDetail>(`/api/v1/operations/${encodeURIComponent(id)}`, {
    signal,
    isBackground: true,
  });
  const from = Date.parse(operation.startedAt ?? operation.createdAt);
  const skew = operation.endedAt === undefined ? from + operation.duration - Date.now() : 0;
  return { operation, skew };
}

/** Reads the operation, follows its events and its log from the first line on, over every cut of the connection. */
export function useRun(id: string): Run {
  const client = useQueryClient();
  const { data, error } = useQuery({
    queryKey: runKey(id),
    queryFn: ({ signal }) => readOperation(id, signal),
    staleTime: Infinity,
    // What fails is read again as soon as the live stream is back.
    retry: false,
  });
  const [store] = useState(() => new LineStore());
  const [awaySince, setAwaySince] = useState<number>();
  const renewer = useRef<Renewer>(undefined);

  useEffect(() => {
    const mine = new Renewer(() =>
      client.refetchQueries({ queryKey: runKey(id), exact: true }, { throwOnError: true }),
    );
    renewer.current = mine;
    const stream = new LiveStream(
      { events: {}, operation: id, log: { after: store.lastNumber } },
      {
        batch({ events, lines: news, dropped }) {
          if (news.length > 0) store.append(news, dropped);
          if (events.length > 0) {
            client.setQueryData<Reading>(runKey(id), (reading) => withEvents(reading, events));
            mine.wish();
          }
        },
        following: () => mine.wish(),
        away: setAwaySince,
        back: () => setAwaySince(undefined),
      },
    );
    return () => {
      stream.stop();
      mine.stop();
    };
  }, [client, id, store]);

  return {
    operation: data?.operation,
    error,
    store,
    awaySince,
    skew: data?.skew ?? 0,
    renew: () => renewer.current?.wish(),
  };
}

function withEvents(reading: Reading | undefined, events: readonly EngineEvent[]): Reading | undefined {
  return reading && { ...reading, operation: patched(reading.operation, events) };
}

/** Reads again when something changed: soon, but never more than a tenth of the time. */
class Renewer {
  readonly #read: () => Promise<unknown>;
  #isWished = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isReading = false;
  #notBefore = 0;
  #isStopped = false;

  constructor(read: () => Promise<unknown>) {
    this.#read = read;
  }

  wish(): void {
    this.#isWished = true;
    if (this.#timer !== undefined || this.#isReading || this.#isStopped) return;
    this.#timer = setTimeout(() => void this.#go(), Math.max(0, this.#notBefore - performance.now()));
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #go(): Promise<void> {
    this.#timer = undefined;
    this.#isWished = false;
    this.#isReading = true;
    const from = performance.now();
    let took = 0;
    try {
      await this.#read();
      took = performance.now() - from;
    } catch {
      // The server is away, which the page says; how long that took tells nothing of how costly a reading is.
    }
    this.#notBefore = performance.now() + Math.max(readEvery, restFactor * took);
    this.#isReading = false;
    if (this.#isWished) this.wish();
  }
}
