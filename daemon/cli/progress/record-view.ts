import type { EngineEvent, OperationDetail } from '../../api/types.ts';
import type { OperationView } from '../operation-watch.ts';
import type { Printer } from '../terminal.ts';

/** One JSON object a line (NDJSON): every event, and at the end each operation whole. */
export class RecordView implements OperationView {
  readonly #printer: Printer;

  constructor(printer: Printer) {
    this.#printer = printer;
  }

  show(): void {
    // Events tell what changes; the whole picture comes at the end.
  }

  event(event: EngineEvent): void {
    this.#write({ record: 'event', ...event });
  }

  away(since: number): void {
    this.#write({ record: 'away', since: new Date(since).toISOString() });
  }

  back(): void {
    this.#write({ record: 'back', at: new Date().toISOString() });
  }

  end(operations: readonly OperationDetail[]): void {
    for (const operation of operations) this.#write({ record: 'operation', ...operation });
  }

  #write(record: unknown): void {
    this.#printer.answer(JSON.stringify(record));
  }
}
