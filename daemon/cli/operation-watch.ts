import { type OperationDetail, operationDetailSchema } from '../api/types.ts';
import type { EngineEvent } from '../api/types.ts';
import { type Client, ServerAway } from './client.ts';
import { LiveClient } from './live-client.ts';

/** Shortest time between two looks at an operation. */
const shortestPause = 250;
/** A look even when no event came: clocks of waits move, and an event may have been the last. */
const longestPause = 5_000;

/** Something that shows operations while they run. */
export interface OperationView {
  /** Everything that is known of the operations now. */
  show(operations: readonly OperationDetail[]): void;
  event(event: EngineEvent): void;
  away(since: number): void;
  back(): void;
  /** The last picture; nothing follows. */
  end(operations: readonly OperationDetail[]): void;
}

/** Whether nothing more will happen without somebody acting. */
function isSettled(operation: OperationDetail): boolean {
  if (operation.state === 'waiting') return operation.waitingFor === 'approval';
  return ['succeeded', 'failed', 'cancelled'].includes(operation.state);
}

/**
 * Follows operations until each has settled, through lost connections and restarts of the daemon. Events say when to
 * look; what is shown is always the server's own picture.
 * @returns the operations as they ended; `timeout` (milliseconds) ends the watch early with what is known.
 */
export async function watchOperations(
  client: Client,
  ids: readonly string[],
  view: OperationView,
  timeout: number | undefined,
): Promise<{ readonly operations: readonly OperationDetail[]; readonly isTimedOut: boolean }> {
  const watch = new Watch(client, ids, view);
  const [only] = ids;
  const live = new LiveClient(
    client,
    { events: { after: 0 }, ...(ids.length === 1 && only !== undefined ? { operation: only } : {}) },
    {
      batch: (batch) => {
        for (const event of batch.events) {
          if (event.operation !== undefined && ids.includes(event.operation)) view.event(event);
        }
        watch.wake();
      },
      away: (since) => view.away(since),
      back: () => {
        view.back();
        watch.wake();
      },
    },
  );
  const deadline = timeout === undefined ? undefined : Date.now() + timeout;
  try {
    return await Promise.race([watch.run(deadline), live.run().then(() => watch.result(true))]);
  } finally {
    watch.stop();
    live.stop();
  }
}

class Watch {
  readonly #client: Client;
  readonly #ids: readonly string[];
  readonly #view: OperationView;
  #operations: readonly OperationDetail[] = [];
  #wake: (() => void) | undefined;
  #isStale = true;
  #isStopped = false;

  constructor(client: Client, ids: readonly string[], view: OperationView) {
    this.#client = client;
    this.#ids = ids;
    this.#view = view;
  }

  wake(): void {
    this.#isStale = true;
    this.#wake?.();
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake?.();
  }

  result(isTimedOut: boolean): {
    readonly operations: readonly OperationDetail[];
    readonly isTimedOut: boolean;
  } {
    return { operations: this.#operations, isTimedOut };
  }

  async run(deadline: number | undefined): Promise<ReturnType<Watch['result']>> {
    while (!this.#isStopped) {
      await this.#look();
      if (this.#operations.length > 0 && this.#operations.every(isSettled)) {
        this.#view.end(this.#operations);
        return this.result(false);
      }
      if (deadline !== undefined && Date.now() >= deadline) break;
      await this.#pause(deadline);
    }
    this.#view.end(this.#operations);
    return this.result(true);
  }

  async #look(): Promise<void> {
    this.#isStale = false;
    try {
      this.#operations = await Promise.all(
        this.#ids.map((id) =>
          this.#client.call({
            method: 'GET',
            path: `/api/v1/operations/${id}`,
            answer: operationDetailSchema,
          }),
        ),
      );
      this.#view.show(this.#operations);
    } catch (error) {
      // The live connection says that the daemon is away, and when it is back.
      if (!(error instanceof ServerAway)) throw error;
    }
  }

  /** Waits for news, at least a little, so that a burst of events costs one look. */
  async #pause(deadline: number | undefined): Promise<void> {
    const rest = deadline === undefined ? longestPause : Math.min(longestPause, deadline - Date.now());
    await sleep(Math.min(shortestPause, Math.max(0, rest)));
    if (this.#isStale || this.#isStopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, rest - shortestPause));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}

const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
