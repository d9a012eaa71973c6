import { AsyncLocalStorage } from 'node:async_hooks';
import Database from 'better-sqlite3';
import type { FleetClock, VirtualClock } from '../fleet/model/clock.ts';
import { Killed, type Boundaries, type ProcessName } from './boundaries.ts';

/** A process of the simulation: an object graph that can be dropped at any instant, as kill -9 does. */
export class SimulatedProcess {
  readonly name: ProcessName;
  readonly boundaries: Boundaries;
  isAlive = true;
  /** Resolves when it is killed. */
  readonly death: Promise<undefined>;
  readonly #die: (nothing: undefined) => void;
  readonly #databases = new Set<Database.Database>();

  constructor(name: ProcessName, boundaries: Boundaries) {
    this.name = name;
    this.boundaries = boundaries;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.death = promise;
    this.#die = resolve;
  }

  /** Wakes code of this process by a timer; a death in the middle of it is no error of the timer's. */
  wake(act: () => void): void {
    if (!this.isAlive) return;
    try {
      this.run(act);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    }
  }

  /** Runs code as this process: its timers and databases belong to it. */
  run<T>(act: () => T): T {
    return current.run(this, act);
  }

  own(database: Database.Database): void {
    this.#databases.add(database);
  }

  /** Nothing of it runs or writes any more. Files stay as they are; SQLite's locks go, as the kernel takes them. */
  kill(): void {
    this.isAlive = false;
    this.#die(undefined);
  }

  /** Closes what the kernel would have closed. Called when no code of the process is on the stack any more. */
  bury(): void {
    for (const database of this.#databases) if (database.open) database.close();
    this.#databases.clear();
  }
}

const current = new AsyncLocalStorage<SimulatedProcess>();

/** The process whose code runs now, if any. */
export const currentProcess = (): SimulatedProcess | undefined => current.getStore();

/** The clock as one process sees it: dead processes wake no more. */
export function clockOf(clock: VirtualClock, process: SimulatedProcess): FleetClock {
  return {
    now: () => clock.now(),
    milliseconds: () => clock.milliseconds(),
    later: (duration, act) => clock.later(duration, () => process.wake(act)),
    sleep: (duration, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      clock.sleep(duration, signal).then(
        () => process.isAlive && resolve(),
        (error: unknown) => process.isAlive && reject(error),
      );
      return promise;
    },
  };
}

const isCommit = /^\s*commit/i;
const isWriting = /^\s*(insert|update|delete|replace|create|drop|alter|vacuum)/i;

/**
 * Puts boundaries around every durable write of better-sqlite3 (each autocommitted statement, each transaction), and
 * gives `setTimeout` model time. Returns what takes both back. The libraries themselves are not changed.
 */
export function takeOver(clock: VirtualClock): () => void {
  filterRejections();
  const undo = [takeTimers(clock), takeTransactions(), takeStatements()];
  return () => {
    for (const act of undo.reverse()) act();
  };
}

function crossing<T>(database: Database.Database, label: string, write: () => T): T {
  const process = currentProcess();
  if (process === undefined || inside.has(database) || database.inTransaction) return write();
  process.own(database);
  if (!process.isAlive) throw new Killed(label);
  return process.boundaries.aroundSync('write', process.name, label, () => {
    inside.add(database);
    try {
      return write();
    } finally {
      inside.delete(database);
    }
  });
}

/** A transaction made by hand: its COMMIT is the durable write. */
function committing<T>(database: Database.Database, commit: () => T): T {
  const process = currentProcess();
  if (process === undefined || inside.has(database)) return commit();
  if (!process.isAlive) throw new Killed('commit');
  return process.boundaries.aroundSync('write', process.name, 'commit', commit);
}

/** Databases in the middle of a write: what is nested is one boundary. */
const inside = new WeakSet<Database.Database>();

type Transact = (this: Database.Database, work: (...given: unknown[]) => unknown) => Database.Transaction;

function takeTransactions(): () => void {
  const prototype = Database.prototype as { transaction: Transact };
  const original = prototype.transaction;
  prototype.transaction = function (this: Database.Database, work) {
    const made = original.call(this, work);
    const wrap =
      (run: (...given: unknown[]) => unknown) =>
      (...given: unknown[]): unknown =>
        crossing(this, 'commit', () => run(...given));
    const wrapped = wrap(made as (...given: unknown[]) => unknown);
    return Object.assign(wrapped, {
      default: wrapped,
      deferred: wrap(made.deferred),
      immediate: wrap(made.immediate),
      exclusive: wrap(made.exclusive),
    }) as Database.Transaction;
  };
  return () => {
    prototype.transaction = original;
  };
}

function takeStatements(): () => void {
  const probe = new Database(':memory:');
  const prototype = Object.getPrototypeOf(probe.prepare('SELECT 1')) as {
    run: (this: Database.Statement, ...given: unknown[]) => Database.RunResult;
  };
  probe.close();
  const { run } = prototype;
  const { exec, pragma } = Database.prototype;
  prototype.run = function (this: Database.Statement, ...given: unknown[]) {
    return crossing(this.database, this.source.trim().split(/\s+/).slice(0, 3).join(' '), () =>
      run.apply(this, given),
    );
  };
  Database.prototype.exec = function (this: Database.Database, source: string) {
    currentProcess()?.own(this);
    if (isCommit.test(source)) return committing(this, () => exec.call(this, source));
    return isWriting.test(source)
      ? crossing(this, source.trim().slice(0, 30), () => exec.call(this, source))
      : exec.call(this, source);
  };
  Database.prototype.pragma = function (this: Database.Database, ...given: Parameters<typeof pragma>) {
    currentProcess()?.own(this);
    return pragma.apply(this, given);
  };
  return () => {
    prototype.run = run;
    Database.prototype.exec = exec;
    Database.prototype.pragma = pragma;
  };
}

let isFiltering = false;

/**
 * What a killed process leaves unhandled is nobody's error (the engine ends its process on purpose when the journal
 * cannot be written, by an uncaught error); everything else goes where it would have gone. Once a test process.
 */
function filterRejections(): void {
  if (isFiltering) return;
  isFiltering = true;
  for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
    const listeners = process.listeners(event as 'uncaughtException') as ((...given: unknown[]) => void)[];
    process.removeAllListeners(event);
    process.on(event, (reason: unknown, about: unknown) => {
      if (reason instanceof Killed) return;
      if (listeners.length === 0) throw reason;
      for (const listener of listeners) listener(reason, about);
    });
  }
}

/** `setTimeout` in model time, bound to the process that asked. */
function takeTimers(clock: VirtualClock): () => void {
  const { setTimeout: set, clearTimeout: clear, setInterval: every, clearInterval: clearEvery } = globalThis;
  const later = (act: (...given: unknown[]) => void, delay = 0, ...given: unknown[]): ModelTimer => {
    const process = currentProcess();
    const cancel = clock.later(delay, () => {
      if (process === undefined) act(...given);
      else process.wake(() => act(...given));
    });
    return new ModelTimer(cancel);
  };
  const stop = (timer: unknown): void => {
    if (timer instanceof ModelTimer) timer.cancel();
  };
  const repeat = (act: (...given: unknown[]) => void, delay = 0, ...given: unknown[]): ModelTimer => {
    const timer = new ModelTimer(() => undefined);
    const again = (): void => {
      const next = later(
        () => {
          act(...given);
          if (!timer.isCancelled) again();
        },
        Math.max(1, delay),
      );
      timer.cancelNext = () => next.cancel();
    };
    again();
    return timer;
  };
  Object.assign(globalThis, {
    setTimeout: later,
    clearTimeout: stop,
    setInterval: repeat,
    clearInterval: stop,
  });
  return () => {
    Object.assign(globalThis, {
      setTimeout: set,
      clearTimeout: clear,
      setInterval: every,
      clearInterval: clearEvery,
    });
  };
}

/** What `setTimeout` answers under model time. */
class ModelTimer {
  isCancelled = false;
  cancelNext: () => void;

  constructor(cancel: () => void) {
    this.cancelNext = cancel;
  }

  cancel(): void {
    this.isCancelled = true;
    this.cancelNext();
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  [Symbol.dispose](): void {
    this.cancel();
  }
}
