/** Lets requests about the same name go one after another, and those about different names side by side. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `act` when everything before it under any of the names has ended, well or not. */
  async take<T>(names: readonly string[], act: () => Promise<T>): Promise<T> {
    const before = names.map((name) => this.#last.get(name));
    const mine = Promise.allSettled(before).then(act);
    const settled = mine.catch(() => undefined);
    for (const name of names) this.#last.set(name, settled);
    try {
      return await mine;
    } finally {
      for (const name of names) if (this.#last.get(name) === settled) this.#last.delete(name);
    }
  }
}
