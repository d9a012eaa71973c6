import type { AgentChecks, AgentQuestions } from '../../../appliance/agent/protocol/questions.ts';
import type {
  AgentReport,
  AttemptKey,
  Dispatch,
  Outcome,
} from '../../../appliance/agent/protocol/dispatch.ts';
import type { AgentLink } from '../../../daemon/operations/link.ts';
import type { Json } from '../../../provisioners/contract/json.ts';
import { Blocked, Transient } from '../../../provisioners/contract/problem.ts';
import type { FakeClock } from './fake-clock.ts';

type Body = AgentReport extends infer R
  ? R extends AgentReport
    ? Omit<R, 'sequence' | 'at'>
    : never
  : never;

/** How the fake world misbehaves; all answers come from a seeded source. */
export interface Mischief {
  /** Whether this attempt at a thing fails. */
  fails(thing: string, attempt: number): boolean;
  /** Milliseconds an attempt takes. */
  duration(thing: string): number;
  /** Whether a message on the link is lost now. */
  isLost(): boolean;
}

export const noMischief: Mischief = { fails: () => false, duration: () => 10, isLost: () => false };

/** Everything a fake agent and its world remember: what a real one has on disk and on its machines. */
export interface AgentMemory {
  readonly made: readonly [string, string][];
  readonly effects: readonly string[];
  readonly starts: readonly string[];
  readonly records: readonly [string, Outcome | 'running'][];
  readonly running: readonly [string, Dispatch][];
  readonly outbox: readonly AgentReport[];
  readonly sequence: number;
}

const nameOf = (key: AttemptKey): string => `${key.operation} ${key.step} ${key.attempt}`;

/**
 * A fake agent over a fake world of things that are made and removed: records attempts, answers repeats with the
 * recorded result, keeps reports until they are acknowledged, and notes every breach of the runner's promises.
 */
export class FakeAgent {
  readonly made = new Map<string, string>();
  /** How often each thing's effect was brought about by an apply that changed something. */
  readonly effects: string[] = [];
  readonly breaches: string[] = [];
  readonly starts: string[] = [];
  readonly dispatches: Dispatch[] = [];
  readonly given: Readonly<Record<string, string>>[] = [];
  mischief: Mischief = noMischief;
  epoch = 1;
  isConnected = true;
  /** Connected, but the provider cannot be asked. */
  isBlind = false;
  observations = 0;
  /** Steps that wait until they are cancelled or released. */
  readonly held = new Set<string>();
  /** Called whenever the memory has changed. */
  remembered: () => void = () => undefined;
  readonly #running = new Map<string, Dispatch>();
  readonly #clock: FakeClock;
  readonly #time: ReturnType<FakeClock['view']>['clock'];
  readonly #records = new Map<string, Outcome | 'running'>();
  readonly #cancelled = new Set<string>();
  #outbox: AgentReport[] = [];
  #sequence = 0;
  #isFlushing = false;
  #process: FakeLink | undefined;

  constructor(clock: FakeClock) {
    this.#clock = clock;
    this.#time = clock.view().clock;
  }

  /** The link of a new daemon process; the one before is dead. */
  connect(): FakeLink {
    if (this.#process !== undefined) this.#process.isDead = true;
    this.#process = new FakeLink(this);
    return this.#process;
  }

  /** The daemon (re)connects: what it does not hold comes again. */
  hello(acknowledged: number): void {
    this.isConnected = true;
    this.acknowledge(acknowledged);
    this.#process?.connected?.([]);
    this.#flush();
  }

  /** Another agent with an empty memory takes the site. */
  replace(): void {
    this.epoch += 1;
    this.#records.clear();
    this.#outbox = [];
    this.#sequence = 0;
  }

  memory(): AgentMemory {
    return {
      made: [...this.made],
      effects: this.effects,
      starts: this.starts,
      records: [...this.#records],
      running: [...this.#running],
      outbox: this.#outbox,
      sequence: this.#sequence,
    };
  }

  /** Takes up a memory, as after a power cut: what ran goes on. */
  recall(memory: AgentMemory): void {
    for (const [thing, state] of memory.made) this.made.set(thing, state);
    this.effects.push(...memory.effects);
    this.starts.push(...memory.starts);
    for (const [name, outcome] of memory.records) this.#records.set(name, outcome);
    this.#outbox = [...memory.outbox];
    this.#sequence = memory.sequence;
    for (const [, dispatch] of memory.running) this.#begin(dispatch);
  }

  receive(dispatch: Dispatch): void {
    this.#take(dispatch);
    this.remembered();
  }

  #take(dispatch: Dispatch): void {
    this.dispatches.push(dispatch);
    if (this.mischief.isLost()) return;
    const name = nameOf(dispatch.key);
    const known = this.#records.get(name);
    if (known === 'running') return;
    if (known !== undefined) return this.#report({ type: 'ended', key: dispatch.key, outcome: known });
    const busy = [...this.#records].find(
      ([other, outcome]) =>
        outcome === 'running' && other.startsWith(`${dispatch.key.operation} ${dispatch.key.step} `),
    );
    if (busy !== undefined) this.breaches.push(`${name} was started while ${busy[0]} ran`);
    const { thing, needs } = dispatch.input as { readonly thing: string; readonly needs: readonly string[] };
    for (const need of needs)
      if (!this.made.has(need)) this.breaches.push(`${thing} was started before ${need}`);
    this.starts.push(name);
    this.#records.set(name, 'running');
    this.#report({ type: 'started', key: dispatch.key });
    this.#report({ type: 'log', key: dispatch.key, text: `working on ${thing}` });
    this.#begin(dispatch);
  }

  #begin(dispatch: Dispatch): void {
    const { thing } = dispatch.input as { readonly thing: string };
    this.#running.set(nameOf(dispatch.key), dispatch);
    this.#time.after(this.mischief.duration(thing), () => this.#work(dispatch, thing));
  }

  cancel(key: AttemptKey): void {
    this.#cancelled.add(nameOf(key));
  }

  acknowledge(sequence: number): void {
    this.#outbox = this.#outbox.filter((report) => report.sequence > sequence);
    this.remembered();
  }

  ask(name: string, request: Json): Json {
    if (!this.isConnected || this.mischief.isLost()) throw new Transient('FAKE-001', 'nobody answers');
    if (name === 'drawKeys')
      return { sealed: 'sealed', public: { caHash: 'h', caCertificate: 'c', sshPublicKey: 's' } };
    if (name !== 'observe') throw new Error(`the fake agent knows no ${name}`);
    this.observations += 1;
    if (this.isBlind) throw new Blocked('FAKE-003', 'the provider does not answer', { remedy: 'wait' });
    const { context } = request as { context: { cluster: Json; secrets: Record<string, string> } };
    this.given.push(context.secrets);
    return {
      cluster: context.cluster,
      at: new Date(this.#clock.now).toISOString(),
      infrastructure: { state: 'present', detail: '' },
      machines: [...this.made.keys()].map((thing) => ({
        name: thing,
        token: `token-${thing}`,
        incarnation: 1,
        cluster: context.cluster,
        role: 'worker',
        id: thing,
        state: 'running',
      })),
      marks: Object.fromEntries(this.made),
      unseen: [],
    };
  }

  /** Things whose check fails, strictly. */
  readonly refused = new Set<string>();

  /** Every thing has one check; nothing is remembered of it. */
  check({ steps }: Parameters<AgentChecks['preflight']>[0]): Awaited<ReturnType<AgentChecks['preflight']>> {
    return steps.map(({ id, input }) => {
      const { thing } = input as { readonly thing: string };
      const outcome = this.refused.has(thing) ? 'failed' : 'passed';
      const finding = { check: 'FAKE', severity: 'strict', outcome, subject: thing, saw: outcome } as const;
      return { step: id, findings: [finding] };
    });
  }

  #work(dispatch: Dispatch, thing: string): void {
    const name = nameOf(dispatch.key);
    if (this.#records.get(name) !== 'running') return;
    const isHeld = this.held.has(dispatch.key.step);
    if (isHeld && !this.#cancelled.has(name)) {
      this.#time.after(50, () => this.#work(dispatch, thing));
      return;
    }
    this.#end(dispatch, isHeld ? { state: 'cancelled' } : this.#apply(dispatch, thing));
  }

  #apply(dispatch: Dispatch, thing: string): Outcome {
    if (this.mischief.fails(thing, dispatch.key.attempt)) {
      const place = { field: 'spec.things' };
      const problem = { kind: 'blocked' as const, code: 'FAKE-002', summary: `${thing} would not`, place };
      return { state: 'failed', problem, hardLimit: false };
    }
    const isRemoval = dispatch.kind === 'thing.remove';
    const changed = isRemoval ? this.made.delete(thing) : !this.made.has(thing);
    if (changed) this.effects.push(`${dispatch.kind}/${thing}`);
    if (!isRemoval) this.made.set(thing, 'made');
    return { state: 'succeeded', facts: { size: thing.length }, changed };
  }

  #end(dispatch: Dispatch, outcome: Outcome): void {
    this.#records.set(nameOf(dispatch.key), outcome);
    this.#running.delete(nameOf(dispatch.key));
    this.#report({ type: 'ended', key: dispatch.key, outcome });
    this.remembered();
  }

  #report(body: Body): void {
    this.#sequence += 1;
    const at = new Date(this.#clock.now).toISOString();
    this.#outbox.push({ sequence: this.#sequence, at, ...body } as AgentReport);
    this.#flush();
    this.#flushLater();
  }

  /** A real agent sends again what was not acknowledged. */
  #flushLater(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#time.after(400, () => {
      this.#isFlushing = false;
      this.#flush();
      if (this.#outbox.length > 0) this.#flushLater();
    });
  }

  #flush(): void {
    if (this.isConnected && this.#outbox.length > 0 && !this.mischief.isLost())
      this.#process?.deliver([...this.#outbox]);
  }
}

/** One daemon process's end of the fake link. */
export class FakeLink implements AgentLink {
  isDead = false;
  connected: ((open: readonly AttemptKey[]) => void) | undefined;
  #reports: ((reports: readonly AgentReport[]) => void) | undefined;
  readonly #agent: FakeAgent;

  constructor(agent: FakeAgent) {
    this.#agent = agent;
  }

  get isConnected(): boolean {
    return !this.isDead && this.#agent.isConnected;
  }

  get epoch(): number {
    return this.#agent.epoch;
  }

  dispatch(dispatch: Dispatch): void {
    if (this.isConnected) this.#agent.receive(structuredClone(dispatch));
  }

  cancel(key: AttemptKey): void {
    if (this.isConnected) this.#agent.cancel(key);
  }

  acknowledge(sequence: number): void {
    if (this.isConnected) this.#agent.acknowledge(sequence);
  }

  async ask<Name extends keyof AgentQuestions>(
    name: Name,
    request: Parameters<AgentQuestions[Name]>[0],
  ): Promise<Awaited<ReturnType<AgentQuestions[Name]>>> {
    const answer: unknown = this.#agent.ask(name, JSON.parse(JSON.stringify(request)) as Json);
    return answer as Awaited<ReturnType<AgentQuestions[Name]>>;
  }

  async preflight(
    request: Parameters<AgentChecks['preflight']>[0],
  ): Promise<Awaited<ReturnType<AgentChecks['preflight']>>> {
    return this.#agent.check(request);
  }

  onReports(handler: (reports: readonly AgentReport[]) => void): void {
    this.#reports = handler;
  }

  onConnected(handler: (open: readonly AttemptKey[]) => void): void {
    this.connected = handler;
  }

  deliver(reports: readonly AgentReport[]): void {
    if (!this.isDead) this.#reports?.(reports);
  }
}
