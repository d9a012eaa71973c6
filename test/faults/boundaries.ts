/** The processes that may be killed. */
export type ProcessName = 'daemon' | 'agent';

/** What is crossed: a port's effect, a durable write, a message on the link. */
export type BoundaryKind = 'effect' | 'write' | 'message';

/**
 * Where at a boundary a process dies: before the call; after the effect, before its answer; after the answer, before
 * the journal (that is: at its next durable write).
 */
export type CutPoint = 'before' | 'after-effect' | 'after-answer';

export const cutPoints: readonly CutPoint[] = ['before', 'after-effect', 'after-answer'];

/** One boundary that a run crossed. */
export interface Crossing {
  readonly index: number;
  readonly kind: BoundaryKind;
  readonly process: ProcessName;
  readonly label: string;
  /** Model time, ms. */
  readonly at: number;
}

/** A planned death: at which boundary, at which of its three points, and of whom. */
export interface Cut {
  readonly index: number;
  readonly point: CutPoint;
  readonly kill: readonly ProcessName[];
}

/** Thrown out of a durable write at which its process dies: nothing after it runs. */
export class Killed extends Error {}

/** A promise that never settles: what a dead process's call looks like from inside. */
export const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** Numbers every boundary of a run in order and kills where the cut says. One a run; it outlives the processes. */
export class Boundaries {
  readonly crossings: Crossing[] = [];
  readonly #cut: Cut | undefined;
  readonly #now: () => number;
  #onKill: (kill: readonly ProcessName[]) => void = () => undefined;
  #isCounting = false;
  #isArmed = false;
  /** Whether the planned death has happened. */
  hasCut = false;

  constructor(now: () => number, cut?: Cut) {
    this.#now = now;
    this.#cut = cut;
  }

  /** Set-up is over: count from here. */
  begin(): void {
    this.#isCounting = true;
  }

  onKill(handler: (kill: readonly ProcessName[]) => void): void {
    this.#onKill = handler;
  }

  /** Crosses a boundary with an effect that takes time. A killed caller never hears of it again. */
  async around<T>(
    kind: BoundaryKind,
    process: ProcessName,
    label: string,
    effect: () => Promise<T>,
  ): Promise<T> {
    const index = this.#count(kind, process, label);
    if (this.#strikes(index, 'before', process)) return never<T>();
    const result = await effect();
    if (this.#strikes(index, 'after-effect', process)) return never<T>();
    this.#arm(index);
    return result;
  }

  /**
   * Crosses a boundary with an effect that is over when it returns.
   * @throws Killed when the caller dies here.
   */
  aroundSync<T>(kind: BoundaryKind, process: ProcessName, label: string, effect: () => T): T {
    const index = this.#count(kind, process, label);
    if (kind === 'write' && this.#isArmed && this.#isTarget(process)) {
      this.#kill();
      throw new Killed(label);
    }
    if (this.#strikes(index, 'before', process)) throw new Killed(label);
    const result = effect();
    if (this.#strikes(index, 'after-effect', process)) throw new Killed(label);
    this.#arm(index);
    return result;
  }

  /** A message is sent. A sender that dies here goes no further than its next boundary: nothing leaves the dead. */
  message(process: ProcessName, label: string, send: () => void): void {
    const index = this.#count('message', process, label);
    if (this.#strikes(index, 'before', process)) return;
    send();
    this.#strikes(index, 'after-effect', process);
    this.#arm(index);
  }

  #count(kind: BoundaryKind, process: ProcessName, label: string): number {
    if (!this.#isCounting) return -1;
    const index = this.crossings.length;
    this.crossings.push({ index, kind, process, label, at: this.#now() });
    return index;
  }

  /** Kills if the cut is here; answers whether the one who crosses is among the dead. */
  #strikes(index: number, point: CutPoint, process: ProcessName): boolean {
    if (this.hasCut || index < 0 || this.#cut?.index !== index || this.#cut.point !== point) return false;
    this.#kill();
    return this.#isTarget(process);
  }

  #arm(index: number): void {
    if (!this.hasCut && index >= 0 && this.#cut?.index === index && this.#cut.point === 'after-answer')
      this.#isArmed = true;
  }

  #isTarget(process: ProcessName): boolean {
    return this.#cut?.kill.includes(process) ?? false;
  }

  #kill(): void {
    this.#isArmed = false;
    this.hasCut = true;
    this.#onKill(this.#cut?.kill ?? []);
  }
}
