/** The agent's own durable memory: attempts, receipts, the outbox. One SQLite file, synchronous=FULL. */
export class AttemptStore {
  /** `:memory:` for tests that never restart. The file survives kill -9 and power cuts. */
  constructor(_path: string) {
    throw new Error('being written');
  }

  close(): void {
    throw new Error('being written');
  }
}
