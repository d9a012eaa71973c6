import type { Watching } from '../../appliance/agent/health/watching.ts';
import type { AttemptRunner } from '../../appliance/agent/attempts.ts';
import type { AgentChecks, AgentDrift, AgentQuestions } from '../../appliance/agent/protocol/questions.ts';
import type { AgentOutgoing } from '../../appliance/agent/protocol/outgoing.ts';
import type { AgentReport, AttemptKey, Dispatch, Hello } from '../../appliance/agent/protocol/dispatch.ts';
import type { AgentLink } from '../../daemon/operations/link.ts';
import { Transient } from '../../provisioners/contract/problem.ts';
import type { VirtualClock } from '../fleet/model/clock.ts';
import type { Random } from '../fleet/model/random.ts';
import { Killed } from './boundaries.ts';
import type { FleetOutgoing } from './parts.ts';
import type { SimulatedProcess } from './process.ts';
import { WireHealth } from './watching.ts';

const isKnown = (name: keyof AgentOutgoing): name is keyof FleetOutgoing =>
  [
    'backup.list',
    'backup.remove',
    'cluster.hand-over',
    'cluster.inspect',
    'cluster.rotate-keys',
    'provider.clusters',
  ].includes(name);

/** How badly the wire behaves: chances in [0, 1] that a message is lost or comes twice. */
export interface WireFaults {
  readonly loss: number;
  readonly repeat: number;
}

/** The agent's end as the wire sees it. */
export interface AgentEnd {
  readonly process: SimulatedProcess;
  readonly runner: AttemptRunner;
  readonly questions: AgentQuestions & AgentChecks & AgentDrift & FleetOutgoing;
  readonly hello: () => Hello;
  /** Looks after clusters; absent in worlds whose clusters nobody looks after. */
  readonly watching?: Watching;
}

/** The daemon's end as the wire sees it. */
export interface DaemonEnd {
  readonly process: SimulatedProcess;
  readonly epoch: () => number;
  readonly acknowledged: () => number;
}

/** Model time a message takes, and after which an unacknowledged report is sent again, ms. */
const latency = 5;
const resendAfter = 2000;
/** How long a question waits for its answer, ms. */
const patience = 60_000;
const batch = 200;

/**
 * The link between daemon and agent as a wire in memory. It may lose and repeat what goes over it, keeps order
 * otherwise, and connects whoever is alive at its ends: the in-process stand-in for socket.io.
 */
export class Wire {
  readonly #clock: VirtualClock;
  readonly #random: Random;
  faults: WireFaults;
  agent: AgentEnd | undefined;
  daemon: { readonly end: DaemonEnd; readonly link: MemoryLink } | undefined;
  isUp = false;
  #sent = 0;
  #acknowledged = 0;

  constructor(clock: VirtualClock, random: Random, faults: WireFaults = { loss: 0, repeat: 0 }) {
    this.#clock = clock;
    this.#random = random;
    this.faults = faults;
  }

  /** One end came up or went down: drop the connection and, if both are there, make a new one. */
  reconnect(): void {
    this.isUp = false;
    const { agent, daemon } = this;
    agent?.watching?.lost();
    if (agent?.process.isAlive !== true || daemon?.end.process.isAlive !== true) return;
    this.#clock.later(50, () => {
      if (this.agent === agent && this.daemon === daemon && !this.isUp) this.#shakeHands();
    });
  }

  #shakeHands(): void {
    const { agent, daemon } = this;
    if (agent?.process.isAlive !== true || daemon?.end.process.isAlive !== true) return;
    const hello = agent.process.run(() => agent.hello());
    if (hello.epoch !== daemon.end.epoch()) return;
    guard(() => {
      daemon.end.process.run(() => {
        this.#acknowledged = daemon.end.acknowledged();
      });
      this.#sent = this.#acknowledged;
      this.isUp = true;
      agent.process.run(() => agent.runner.synchronise(this.#acknowledged));
      const { health } = daemon.link;
      agent.process.run(() => agent.watching?.linked((report) => health.tell(report)));
      daemon.end.process.run(() => daemon.link.connected(hello.open));
      this.pump();
    });
  }

  /** Sends what the agent has to tell. */
  pump(): void {
    const { agent, daemon } = this;
    if (!this.isUp || agent?.process.isAlive !== true) return;
    for (;;) {
      const reports = agent.process.run(() => agent.runner.reports(this.#sent, batch));
      const last = reports.at(-1);
      if (last === undefined) break;
      this.#sent = last.sequence;
      this.send('agent', `report ${reports.map(({ type }) => type).join(',')}`, () => {
        if (this.daemon === daemon && daemon?.end.process.isAlive === true) daemon.link.reported(reports);
      });
    }
    const sent = this.#sent;
    this.#clock.later(resendAfter, () => {
      if (this.#acknowledged >= sent || this.agent !== agent) return;
      this.#sent = Math.min(this.#sent, this.#acknowledged);
      this.pump();
    });
  }

  /** Runs `act` after model time; the answer takes it back. */
  later(duration: number, act: () => void): () => void {
    return this.#clock.later(duration, act);
  }

  acknowledged(sequence: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, sequence);
  }

  /** One message: a boundary of its sender; then, unless lost, delivered after the latency, perhaps twice. */
  send(from: 'daemon' | 'agent', label: string, deliver: () => void): void {
    const sender = from === 'daemon' ? this.daemon?.end.process : this.agent?.process;
    if (sender?.isAlive !== true || !this.isUp) return;
    const { agent, daemon } = this;
    const arrive = (): void => {
      const receiver = from === 'daemon' ? agent?.process : daemon?.end.process;
      if (receiver?.isAlive !== true) return;
      guard(() => receiver.run(deliver));
    };
    sender.boundaries.message(sender.name, label, () => {
      const copies =
        (this.#random() < this.faults.loss ? 0 : 1) + (this.#random() < this.faults.repeat ? 1 : 0);
      for (let copy = 0; copy < copies; copy += 1) this.#clock.later(latency * (copy + 1), arrive);
    });
  }

  /** Asks the agent; a lost question or answer is Transient after some patience. */
  async ask(
    name: keyof AgentQuestions | keyof AgentChecks | keyof AgentDrift | keyof FleetOutgoing,
    request: unknown,
  ): Promise<unknown> {
    const { agent, daemon } = this;
    if (!this.isUp || agent === undefined || daemon === undefined)
      throw new Transient('LINK-001', 'No agent of this site is connected');
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const cancel = this.#clock.later(patience, () => {
      if (daemon.end.process.isAlive) reject(new Transient('LINK-002', 'The agent did not answer in time'));
    });
    const settle = (act: () => void): void =>
      this.send('agent', `answer ${name}`, () => {
        cancel();
        act();
      });
    this.send('daemon', `ask ${name}`, () => {
      // Names and requests travel together: AgentLink.ask's signature has paired them.
      const question = agent.questions[name] as (given: unknown) => Promise<unknown>;
      question(request).then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error)),
      );
    });
    return await promise;
  }
}

/** A death in the middle of a message is no error of the wire. */
function guard(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
  }
}

/** The daemon's end of the wire. One a daemon process. */
export class MemoryLink implements AgentLink {
  readonly #wire: Wire;
  readonly #end: DaemonEnd;
  readonly health: WireHealth;
  #onReports: (reports: readonly AgentReport[]) => void = () => undefined;
  readonly #onConnected: ((open: readonly AttemptKey[]) => void)[] = [];

  constructor(wire: Wire, end: DaemonEnd) {
    this.#wire = wire;
    this.#end = end;
    this.health = new WireHealth(wire);
  }

  get isConnected(): boolean {
    return this.#wire.isUp && this.#wire.daemon?.link === this;
  }

  get epoch(): number {
    return this.#end.epoch();
  }

  dispatch(dispatch: Dispatch): void {
    const { agent } = this.#wire;
    this.#send(`dispatch ${dispatch.key.step}#${dispatch.key.attempt}`, () =>
      agent?.runner.dispatch(dispatch),
    );
  }

  cancel(key: AttemptKey): void {
    const { agent } = this.#wire;
    this.#send(`cancel ${key.step}`, () => agent?.runner.cancel(key));
  }

  acknowledge(sequence: number): void {
    const { agent } = this.#wire;
    this.#send(`acknowledge ${sequence}`, () => {
      this.#wire.acknowledged(sequence);
      agent?.runner.acknowledge(sequence);
    });
  }

  async ask<Name extends keyof AgentQuestions>(
    name: Name,
    request: Parameters<AgentQuestions[Name]>[0],
  ): Promise<Awaited<ReturnType<AgentQuestions[Name]>>> {
    const answer = await this.#wire.ask(name, request);
    return answer as Awaited<ReturnType<AgentQuestions[Name]>>;
  }

  async preflight(
    request: Parameters<AgentChecks['preflight']>[0],
  ): Promise<Awaited<ReturnType<AgentChecks['preflight']>>> {
    const answer = await this.#wire.ask('preflight', request);
    return answer as Awaited<ReturnType<AgentChecks['preflight']>>;
  }

  async drift(
    request: Parameters<AgentDrift['drift']>[0],
  ): Promise<Awaited<ReturnType<AgentDrift['drift']>>> {
    const answer = await this.#wire.ask('drift', request);
    return answer as Awaited<ReturnType<AgentDrift['drift']>>;
  }

  /** Of what only the agent may do, the simulation knows a part. */
  async reach<Name extends keyof AgentOutgoing>(
    name: Name,
    request: Parameters<AgentOutgoing[Name]>[0],
  ): Promise<Awaited<ReturnType<AgentOutgoing[Name]>>> {
    if (!isKnown(name)) throw new Error(`the simulation knows no ${name}`);
    return (await this.#wire.ask(name, request)) as Awaited<ReturnType<AgentOutgoing[Name]>>;
  }

  onReports(handler: (reports: readonly AgentReport[]) => void): void {
    this.#onReports = handler;
  }

  onConnected(handler: (open: readonly AttemptKey[]) => void): void {
    this.#onConnected.push(handler);
  }

  /** Called by the wire. */
  reported(reports: readonly AgentReport[]): void {
    this.#onReports(reports);
  }

  /** Called by the wire. */
  connected(open: readonly AttemptKey[]): void {
    for (const handler of this.#onConnected) handler(open);
  }

  #send(label: string, deliver: () => void): void {
    if (this.isConnected) this.#wire.send('daemon', label, deliver);
  }
}
