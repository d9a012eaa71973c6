import type { Destination, StoredFile } from '../../../appliance/agent/backup/destination.ts';

/** A fake destination in memory: what is being written shows only in `partial`. */
export class FakeDestination implements Destination {
  readonly what = 'the fake';
  readonly kept = new Map<string, Buffer>();
  readonly partial = new Set<string>();
  /** What reading a file gives instead of its content. */
  spoil: (content: Buffer) => Buffer = (content) => content;

  async files(): Promise<readonly StoredFile[]> {
    return [...this.kept].map(([name, content]) => ({ name, bytes: content.length }));
  }
  async write(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    this.partial.add(name);
    const pieces: Uint8Array[] = [];
    for await (const piece of content) pieces.push(piece);
    this.partial.delete(name);
    this.kept.set(name, Buffer.concat(pieces));
  }
  async *read(name: string): AsyncGenerator<Uint8Array> {
    const content = this.spoil(this.kept.get(name) ?? Buffer.alloc(0));
    for (let at = 0; at < content.length; at += 10_000) yield content.subarray(at, at + 10_000);
  }
  async remove(name: string): Promise<void> {
    this.kept.delete(name);
  }
  async sweep(isStale: (name: string) => boolean): Promise<void> {
    for (const name of this.partial) if (isStale(name)) this.partial.delete(name);
  }
  async close(): Promise<void> {}
}

/** The same destination as a process sees it that dies around its n-th call: from then on nothing happens any more. */
export class DyingDestination implements Destination {
  readonly what = 'the fake';
  readonly #inner: FakeDestination;
  readonly #dies: { readonly at: number; readonly moment: 'before' | 'after' };
  #calls = 0;
  #isDead = false;

  constructor(inner: FakeDestination, dies: { readonly at: number; readonly moment: 'before' | 'after' }) {
    this.#inner = inner;
    this.#dies = dies;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  files(): Promise<readonly StoredFile[]> {
    return this.#call(() => this.#inner.files());
  }
  write(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#call(
      () => this.#inner.write(name, content),
      () => this.#inner.partial.add(name),
    );
  }
  async *read(name: string): AsyncGenerator<Uint8Array> {
    await this.#call(async () => {});
    yield* this.#inner.read(name);
  }
  remove(name: string): Promise<void> {
    return this.#call(() => this.#inner.remove(name));
  }
  sweep(isStale: (name: string) => boolean): Promise<void> {
    return this.#call(() => this.#inner.sweep(isStale));
  }
  async close(): Promise<void> {}

  async #call<Value>(act: () => Promise<Value>, halfway: () => unknown = () => {}): Promise<Value> {
    this.#calls += 1;
    if (this.#isDead) throw new Error('it is dead');
    const isLast = this.#calls >= this.#dies.at;
    if (isLast && this.#dies.moment === 'before') {
      this.#isDead = true;
      halfway();
      throw new Error('it dies');
    }
    const value = await act();
    if (isLast) {
      this.#isDead = true;
      throw new Error('it dies');
    }
    return value;
  }
}
