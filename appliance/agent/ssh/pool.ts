import type { Duplex } from 'node:stream';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import { Blocked } from '../../../provisioners/contract/problem.ts';
import type { Duration } from '../../../provisioners/contract/time.ts';
import { Connection, NotOpened, type ProgramResult } from './connection.ts';
import type { Program } from './program.ts';

/** How a pool behaves; the defaults are for real use. */
export interface PoolOptions {
  /** A connection that nobody used for so long is closed. */
  readonly idle?: Duration;
  /** Handshakes at a time: each costs some CPU on both ends. */
  readonly handshakes?: number;
}

interface Entry {
  readonly connection: Promise<Connection>;
  /** The same, as soon as it is there. */
  open?: Connection;
  usedAt: number;
}

/** How long a program may take when nothing else is said. */
const usualPatience: Duration = 60_000;

/**
 * Connections to machines, one a machine, made when needed, closed when idle. A reference with other accepted host
 * keys shares a connection whose machine has shown one of them; else it gets its own: the old one proves nothing.
 */
export class MachinePool {
  readonly #entries = new Map<string, Entry>();
  readonly #idle: Duration;
  readonly #queue: (() => void)[] = [];
  readonly #sweep: NodeJS.Timeout;
  #handshakes: number;

  constructor(options: PoolOptions = {}) {
    this.#idle = options.idle ?? 60_000;
    this.#handshakes = options.handshakes ?? 16;
    this.#sweep = setInterval(() => void this.#closeIdle(), Math.max(50, this.#idle / 2));
    this.#sweep.unref();
  }

  /** An open connection to the machine. @throws as {@link Connection.open}. */
  async connect(machine: MachineRef, privateKey: string): Promise<Connection> {
    if (machine.hostKeys.length === 0)
      throw new Blocked('SSH-006', `No host key of ${machine.name} is known, so nobody can prove to be it.`, {
        machine: machine.name,
        remedy: 'Give the host key in the answer file, or let Remuda make the machine.',
      });
    const name = nameOf(machine);
    const known = this.#entries.get(name) ?? this.#share(machine);
    if (known !== undefined) {
      const connection = await known.connection;
      if (connection.isOpen) {
        known.usedAt = Date.now();
        return connection;
      }
      if (this.#entries.get(name) === known) this.#entries.delete(name);
      return this.connect(machine, privateKey);
    }
    const entry: Entry = { connection: this.#handshake(machine, privateKey), usedAt: Date.now() };
    this.#entries.set(name, entry);
    try {
      entry.open = await entry.connection;
      return entry.open;
    } catch (error) {
      if (this.#entries.get(name) === entry) this.#entries.delete(name);
      throw error;
    }
  }

  /** Runs a program on the machine; see {@link Connection.run}. */
  async run(
    machine: MachineRef,
    privateKey: string,
    program: Program,
    options: { readonly patience?: Duration; readonly signal?: AbortSignal } = {},
  ): Promise<ProgramResult> {
    return this.#use(machine, privateKey, (connection) =>
      connection.run(program, options.patience ?? usualPatience, options.signal),
    );
  }

  /** A stream to a port of the machine; see {@link Connection.forward}. */
  async forward(machine: MachineRef, privateKey: string, host: string, port: number): Promise<Duplex> {
    return this.#use(machine, privateKey, (connection) => connection.forward(host, port));
  }

  /** Forgets the connection, so that the next use makes a new one. */
  async drop(machine: MachineRef): Promise<void> {
    const entry = this.#entries.get(nameOf(machine));
    this.#entries.delete(nameOf(machine));
    await entry?.connection.then((connection) => connection.close()).catch(() => {});
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweep);
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.allSettled(entries.map(async ({ connection }) => (await connection).close()));
  }

  /** A kept connection may have died unnoticed: then nothing was started on it, and a new one is made, once. */
  async #use<Result>(
    machine: MachineRef,
    privateKey: string,
    work: (connection: Connection) => Promise<Result>,
  ): Promise<Result> {
    const connection = await this.connect(machine, privateKey);
    try {
      return await work(connection);
    } catch (error) {
      if (!(error instanceof NotOpened) || connection.isOpen) throw error;
      return work(await this.connect(machine, privateKey));
    }
  }

  /** A connection that another reference to the machine opened, if this one would accept it; kept under both names. */
  #share(machine: MachineRef): Entry | undefined {
    const entry = [...this.#entries.values()].find(({ open }) => open?.serves(machine) === true);
    if (entry !== undefined) this.#entries.set(nameOf(machine), entry);
    return entry;
  }

  async #handshake(machine: MachineRef, privateKey: string): Promise<Connection> {
    if (this.#handshakes === 0) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#handshakes -= 1;
    try {
      return await Connection.open(machine, privateKey);
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#handshakes += 1;
      else next();
    }
  }

  async #closeIdle(): Promise<void> {
    const before = Date.now() - this.#idle;
    for (const [name, entry] of this.#entries) {
      const connection = await entry.connection.catch(() => undefined);
      if (connection?.isBusy === true) entry.usedAt = Date.now();
      if (connection !== undefined && entry.usedAt > before && connection.isOpen) continue;
      if (this.#entries.get(name) === entry) this.#entries.delete(name);
      connection?.close();
    }
  }
}

function nameOf({ user, address, port, hostKeys }: MachineRef): string {
  return `${user}@${address}:${port} ${hostKeys.join(',')}`;
}
