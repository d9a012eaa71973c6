/** Something that goes wrong in the model. Times are ms of model time since the fleet was made. */
export type Fault =
  /** Nobody reaches the machine; what runs on it goes on. */
  | { readonly kind: 'line-cut'; readonly machine: string; readonly from: number; readonly to: number }
  /** The plug is pulled at a time and, unless `back` is given, stays out until the repair. */
  | { readonly kind: 'machine-dies'; readonly machine: string; readonly at: number; readonly back?: number }
  /** The n-th call (from 1) with this name takes effect, but its answer is lost. */
  | { readonly kind: 'lost-answer'; readonly call: string; readonly nth: number }
  /** Everything on the machine takes this many times longer. */
  | { readonly kind: 'slow'; readonly machine: string; readonly factor: number }
  /** Writes fail until the repair. */
  | { readonly kind: 'disk-full'; readonly machine: string }
  /** The machine's clock is off by so many seconds until the repair. */
  | { readonly kind: 'clock-offset'; readonly machine: string; readonly seconds: number }
  /** etcd on the joining machine never starts, for so many joins. */
  | { readonly kind: 'joiner-never-starts'; readonly machine: string; readonly times: number }
  /** The learner on the joining machine never catches up, for so many joins. */
  | { readonly kind: 'learner-never-promotes'; readonly machine: string; readonly times: number }
  /** The provider's list does not show a machine for this long after it was made. */
  | { readonly kind: 'not-found-after-create'; readonly machine: string; readonly for: number }
  /** A file of the payload arrives damaged, for so many installations. */
  | { readonly kind: 'corrupt-payload'; readonly machine: string; readonly times: number }
  /** What backups are kept on is not there: a share that is not mounted, a server that is away. */
  | { readonly kind: 'backups-away'; readonly place: string; readonly from: number; readonly to: number }
  /** The provider can neither destroy the machine nor switch it off, until the repair. */
  | { readonly kind: 'cannot-destroy'; readonly machine: string }
  /** The provider answers nobody. */
  | { readonly kind: 'provider-away'; readonly from: number; readonly to: number }
  /** A Service or claim of this name is never let go by its finalizer. */
  | { readonly kind: 'finalizer-stays'; readonly machine: string }
  /** Its kubelet also asks to serve under an address that is not its own: whoever took it over. */
  | { readonly kind: 'asks-for-foreign'; readonly machine: string; readonly address: string }
  /** A user's hook ends badly, for so many runs, wherever it runs. */
  | { readonly kind: 'hook-fails'; readonly hook: string; readonly times: number }
  /** A user's hook never ends by itself, or its receiver never answers. */
  | { readonly kind: 'hook-hangs'; readonly hook: string }
  /** kubernetes#99305: kubelet turns the etcd static pod away until it is restarted. */
  | { readonly kind: 'static-pod-rejected'; readonly machine: string };

/** The faults of one fleet: which are still in force, and how often the counted ones have struck. */
export class FaultSchedule {
  readonly #faults: Fault[];
  readonly #struck = new Map<Fault, number>();
  readonly #calls = new Map<string, number>();

  constructor(faults: readonly Fault[] = []) {
    this.#faults = [...faults];
  }

  get all(): readonly Fault[] {
    return this.#faults;
  }

  add(fault: Fault): void {
    this.#faults.push(fault);
  }

  /** Removes every fault: what a person would repair. Returns what was repaired. */
  repairAll(): readonly Fault[] {
    return this.#faults.splice(0);
  }

  of<K extends Fault['kind']>(kind: K, machine?: string): Extract<Fault, { kind: K }>[] {
    return this.#faults.filter(
      (fault): fault is Extract<Fault, { kind: K }> =>
        fault.kind === kind && (machine === undefined || ('machine' in fault && fault.machine === machine)),
    );
  }

  /** Whether a counted fault strikes now; each strike is used up. */
  strikes(
    kind: 'joiner-never-starts' | 'learner-never-promotes' | 'corrupt-payload',
    machine: string,
  ): boolean {
    for (const fault of this.of(kind, machine)) {
      const struck = this.#struck.get(fault) ?? 0;
      if (struck >= fault.times) continue;
      this.#struck.set(fault, struck + 1);
      return true;
    }
    return false;
  }

  /** Whether a hook ends badly this time; each strike is used up. */
  strikesHook(hook: string): boolean {
    const fault = this.of('hook-fails').find(
      (one) => one.hook === hook && (this.#struck.get(one) ?? 0) < one.times,
    );
    if (fault !== undefined) this.#struck.set(fault, (this.#struck.get(fault) ?? 0) + 1);
    return fault !== undefined;
  }

  /** Whether the static pod is turned away this time: once a fault, until kubelet is restarted. */
  rejectsStaticPod(machine: string): boolean {
    const fault = this.of('static-pod-rejected', machine).find((candidate) => !this.#struck.has(candidate));
    if (fault !== undefined) this.#struck.set(fault, 1);
    return fault !== undefined;
  }

  isLineCut(machine: string, elapsed: number): boolean {
    return this.of('line-cut', machine).some((fault) => fault.from <= elapsed && elapsed < fault.to);
  }

  /** Counts the call and says whether its answer is lost. */
  losesAnswer(call: string): boolean {
    const count = (this.#calls.get(call) ?? 0) + 1;
    this.#calls.set(call, count);
    return this.of('lost-answer').some((fault) => fault.call === call && fault.nth === count);
  }
}
