import { setTimeout as sleep } from 'node:timers/promises';
import type { Duration } from '../contract/time.ts';

/** Who goes first: a smaller number before a larger one; equal ones share. */
export type Rank = number;

/** One body on its way to a machine. */
export interface Transfer {
  readonly rank: Rank;
  /** When its last bytes were taken, milliseconds since the epoch. */
  movedAt: number;
}

/** A transfer that took nothing for so long is in nobody's way. */
const stalled: Duration = 500;

/** The longest a transfer stands still: with 256 KiB a second curl on the machine never takes the line for dead. */
const patience: Duration = 1000;

/** How soon a transfer that stands still notices that the way is free. */
const look: Duration = 50;

/**
 * Lets the machine that is needed first have the line first: while a transfer of a smaller rank moves, the others only
 * trickle. Shared evenly, everybody would be served when the last one is, and what waits for the first with them.
 */
export class RightOfWay {
  readonly #transfers = new Set<Transfer>();

  begin(rank: Rank): Transfer {
    const transfer = { rank, movedAt: Date.now() };
    this.#transfers.add(transfer);
    return transfer;
  }

  end(transfer: Transfer): void {
    this.#transfers.delete(transfer);
  }

  /** Resolves when the transfer may go on: at once unless one before it moves, and after a second in any case. */
  async giveWay(transfer: Transfer): Promise<void> {
    const until = Date.now() + patience;
    while (Date.now() < until && this.#isOutranked(transfer)) await sleep(look);
    transfer.movedAt = Date.now();
  }

  #isOutranked({ rank }: Transfer): boolean {
    const since = Date.now() - stalled;
    for (const other of this.#transfers) if (other.rank < rank && other.movedAt > since) return true;
    return false;
  }
}
