import type { Duration } from '../../../provisioners/contract/time.ts';
import { calls, type ArgumentsOf, type CallName, type ResultOf } from '../model/calls.ts';
import type { Caller } from '../model/fleet.ts';

/** Carries one call to the model, wherever that lives: in this process, or behind a socket. */
export type Carry = (name: CallName, given: unknown, by: Caller) => Promise<unknown>;

/** What the ports of one attempt are made of. */
export interface DoorOptions {
  readonly carry: Carry;
  readonly by: Caller;
  /** Waits in model time. */
  readonly sleep: (duration: Duration) => Promise<void>;
  /** Called around every call that may change something: the place where fault tests cut. */
  readonly around?: (label: string, effect: () => Promise<unknown>) => Promise<unknown>;
}

/** The one way from ports to model: latency, then the call, then latency again. */
export class Door {
  readonly #options: DoorOptions;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  async call<Name extends CallName>(name: Name, given: ArgumentsOf<Name>): Promise<ResultOf<Name>> {
    const { isEffect, takes } = calls[name];
    const { carry, by, sleep, around } = this.#options;
    await sleep(takes / 2);
    const act = (): Promise<unknown> => carry(name, given, by);
    const result =
      isEffect && around !== undefined ? await around(`${name} ${subjectOf(given)}`, act) : await act();
    await sleep(takes / 2);
    return result as ResultOf<Name>;
  }

  /** Waits in model time, for adapters that look again. */
  sleep(duration: Duration): Promise<void> {
    return this.#options.sleep(duration);
  }
}

/** Machine or name that a call is about, for labels of boundaries. */
function subjectOf(given: unknown): string {
  const { machine, request, name, cluster } = given as {
    machine?: { name?: string };
    request?: { name?: string };
    name?: string;
    cluster?: { name?: string };
  };
  return machine?.name ?? request?.name ?? name ?? cluster?.name ?? 'cluster';
}
