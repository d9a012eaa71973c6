import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AttemptRunner } from '../../appliance/agent/attempts.ts';
import type { Clock as AgentClock } from '../../appliance/agent/clock.ts';
import type { PortsFactory } from '../../appliance/agent/work.ts';
import { AttemptStore } from '../../appliance/agent/store.ts';
import { protocolVersion } from '../../appliance/agent/protocol/dispatch.ts';
import { answerFilePlanners } from '../../daemon/operations/answer-file.ts';
import { Engine } from '../../daemon/operations/engine.ts';
import type { OperationView } from '../../daemon/operations/answers.ts';
import { Refusal } from '../../daemon/operations/requests.ts';
import type { MachineChange } from '../../daemon/planning/machine-change.ts';
import { State } from '../../daemon/state/state.ts';
import type { AnyStep } from '../../provisioners/contract/step.ts';
import { steps } from '../../provisioners/kubernetes/steps.ts';
import { audited } from '../fleet/audit.ts';
import { callFleet } from '../fleet/model/calls.ts';
import { VirtualClock } from '../fleet/model/clock.ts';
import type { Fault } from '../fleet/model/faults.ts';
import { Fleet } from '../fleet/model/fleet.ts';
import { seededRandom, type Random } from '../fleet/model/random.ts';
import { Door } from '../fleet/ports/door.ts';
import { fakeSecrets, fleetPorts } from '../fleet/ports/ports.ts';
import { Timeline } from '../fleet/timeline.ts';
import { modelWatching } from './watching.ts';
import { Boundaries, Killed, type Cut, type ProcessName } from './boundaries.ts';
import { MemoryLink, Wire, type WireFaults } from './memory-link.ts';
import { clockOf, SimulatedProcess, takeOver } from './process.ts';
import { fakeSeal, fleetQuestions, keysIn } from './parts.ts';

/** What a world is made with. */
export interface WorldOptions {
  readonly faults?: readonly Fault[];
  readonly cut?: Cut;
  readonly wire?: WireFaults;
  readonly seed?: number;
  /** Clusters are looked after between operations, so often, model time, ms. */
  readonly healthEvery?: number;
  /** Other steps than the real ones. */
  readonly steps?: readonly AnyStep[];
}

/** The site of the agent on the appliance itself. */
const site = 'local';
/** Model time from a death to the new process: systemd's RestartSec and the start itself, ms. */
const restartAfter = 1500;

interface Daemon {
  readonly process: SimulatedProcess;
  readonly state: State;
  readonly engine: Engine;
  readonly isReady: Promise<void>;
}

interface Agent {
  readonly process: SimulatedProcess;
  readonly store: AttemptStore;
  readonly runner: AttemptRunner;
}

/**
 * Daemon, agent, wire and fleet in one process under model time. Real engine, planner, steps, runner and SQLite files;
 * the fleet and the wire are simulations. A process dies by being dropped; its files and the fleet stay.
 */
export class World {
  readonly clock = new VirtualClock();
  readonly fleet: Fleet;
  readonly boundaries: Boundaries;
  readonly timeline: Timeline;
  readonly wire: Wire;
  readonly folder: string;
  /** Deaths so far. */
  deaths = 0;
  daemon: Daemon | undefined;
  agent: Agent | undefined;
  readonly #random: Random;
  readonly #steps: readonly AnyStep[];
  readonly #healthEvery: number | undefined;
  readonly #restore: () => void;
  #ids = 0;
  #epoch = 0;

  constructor(options: WorldOptions = {}) {
    this.#random = seededRandom(options.seed ?? 1);
    this.#healthEvery = options.healthEvery;
    this.fleet = new Fleet(options.faults === undefined ? {} : { faults: options.faults });
    this.clock.onAdvance = (to) => this.fleet.settle(to);
    this.boundaries = new Boundaries(() => this.clock.milliseconds(), options.cut);
    this.boundaries.onKill((names) => this.#died(names));
    this.timeline = new Timeline(() => this.clock.milliseconds());
    this.wire = new Wire(this.clock, this.#random, options.wire);
    this.#steps = audited(options.steps ?? steps, (kind, detail) => this.fleet.violate(kind, detail));
    const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
    this.folder = mkdtempSync(join(memory, 'remuda-world-'));
    this.#restore = takeOver(this.clock);
  }

  /** Starts both, enrols the agent, waits until they are connected. Boundaries do not count yet. */
  async open(): Promise<void> {
    this.#startDaemon();
    await this.clock.run(this.#enrol());
    this.#startAgent();
    await this.#until(() => this.wire.isUp);
  }

  /** Ends everything and removes the files. */
  close(): void {
    for (const part of [this.daemon, this.agent]) {
      part?.process.kill();
      part?.process.bury();
    }
    this.#restore();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The state disk is lost: a new appliance comes, which knows nothing, and an agent of its own. */
  async loseState(): Promise<void> {
    this.agent?.runner.abandon();
    for (const part of [this.daemon, this.agent]) {
      part?.process.kill();
      part?.process.bury();
    }
    this.wire.reconnect();
    for (const name of readdirSync(this.folder)) rmSync(join(this.folder, name), { recursive: true });
    await this.open();
  }

  /** Kills now, outside any boundary. */
  kill(names: readonly ProcessName[]): void {
    this.#died(names);
  }

  /** Runs work under model time. */
  run<T>(work: Promise<T>): Promise<T> {
    return this.clock.run(work);
  }

  /**
   * One request to the engine, as a client makes it: a death or `unavailable` on the way means asking again.
   * @throws Refusal of any other reason
   */
  async request<T>(act: (engine: Engine) => Promise<T> | T): Promise<T> {
    for (;;) {
      const { daemon } = this;
      if (daemon?.process.isAlive === true) {
        const asked = daemon.process.run(async () => {
          await daemon.isReady;
          return await act(daemon.engine);
        });
        const answer = await this.#answerOrDeath(asked, daemon.process);
        if (answer !== undefined) return answer.value;
      }
      await this.clock.sleep(500);
    }
  }

  /** Waits until the operation is over. */
  async ended(operation: string): Promise<OperationView> {
    for (;;) {
      const view = await this.request((engine) => engine.listOperations().find(({ id }) => id === operation));
      if (view === undefined) throw new Error(`the operation ${operation} was forgotten`);
      if (['succeeded', 'failed', 'cancelled'].includes(view.state)) return view;
      await this.clock.sleep(5000);
    }
  }

  /** `apply` of a file and the end of what comes of it; undefined when nothing was to be done. */
  async apply(text: string, key: string): Promise<OperationView | undefined> {
    const answer = await this.request((engine) =>
      engine.apply({ text, file: 'cluster.yaml', principal: 'tester', idempotencyKey: key }),
    );
    const [operation] = answer.operations;
    return operation === undefined ? undefined : await this.ended(operation.id);
  }

  /** `machine add`, `remove` or `replace`, and its end. */
  async change(change: MachineChange, key: string): Promise<OperationView | undefined> {
    const asked = { cluster: 'demo', principal: 'tester', confirm: 'demo', change, idempotencyKey: key };
    const answer = await this.request((engine) => engine.machines.change(asked));
    const [operation] = answer.operations;
    return operation === undefined ? undefined : await this.ended(operation.id);
  }

  /** `delete` and its end. */
  async remove(name: string, key: string): Promise<OperationView> {
    for (const cluster of this.fleet.clusters.values())
      if (cluster.identity.name === name) cluster.isGoing = true;
    const operation = await this.request((engine) =>
      engine.deleteCluster({ name, principal: 'tester', confirm: name, idempotencyKey: key }),
    );
    return await this.ended(operation.id);
  }

  /** What happened, for a red test. */
  explain(): string {
    return this.timeline.print(this.fleet);
  }

  async #answerOrDeath<T>(asked: Promise<T>, process: SimulatedProcess): Promise<{ value: T } | undefined> {
    try {
      return await Promise.race([asked.then((value) => ({ value })), process.death]);
    } catch (error) {
      if (error instanceof Killed || !process.isAlive) return undefined;
      if (error instanceof Refusal && error.reason === 'unavailable') return undefined;
      throw error;
    }
  }

  async #until(isSo: () => boolean): Promise<void> {
    await this.clock.run(
      (async () => {
        while (!isSo()) await this.clock.sleep(100);
      })(),
      600_000,
    );
  }

  #startDaemon(): void {
    const process = new SimulatedProcess('daemon', this.boundaries);
    const clock = clockOf(this.clock, process);
    const engineClock = { now: () => clock.milliseconds(), after: clock.later };
    this.daemon = process.run(() => {
      const state = new State({
        folder: join(this.folder, 'daemon'),
        reserveBytes: 4096,
        clock: engineClock,
      });
      const end = {
        process,
        epoch: () => this.#epoch,
        acknowledged: () => engine.acknowledgedSequence(site, this.#epoch),
      };
      const link = new MemoryLink(this.wire, end);
      const engine: Engine = new Engine({
        state,
        links: () => link,
        planners: answerFilePlanners,
        clock: engineClock,
        ids: () => `id${(this.#ids += 1)}`,
        logDirectory: join(this.folder, 'logs'),
        seal: fakeSeal,
        recoveryRecipient: 'age1fake-recovery',
        ...(this.#healthEvery === undefined ? {} : { health: { every: this.#healthEvery } }),
      });
      this.wire.daemon = { end, link };
      const isReady = engine.start().then(() => this.wire.reconnect());
      isReady.catch((error: unknown) => this.#surprise('daemon start', process, error));
      return { process, state, engine, isReady };
    });
    this.timeline.say('daemon starts');
  }

  #startAgent(): void {
    const process = new SimulatedProcess('agent', this.boundaries);
    const clock = clockOf(this.clock, process);
    const agentClock: AgentClock = {
      now: () => clock.now(),
      sleep: (duration, signal) => clock.sleep(duration, signal),
      random: this.#random,
    };
    this.agent = process.run(() => {
      const store = new AttemptStore(join(this.folder, 'agent.db'));
      const ports: PortsFactory = (work) =>
        fleetPorts(
          this.#door(process, { ...work.key, epoch: work.epoch }),
          fakeSecrets(undefined, keysIn(work.context)),
          (text, machine) => work.log(text, machine),
        );
      const common = { epoch: this.#epoch, clock: agentClock, ports };
      const runner = new AttemptRunner({
        ...common,
        steps: new Map(this.#steps.map((step) => [step.kind, step])),
        store,
      });
      runner.onReports(() => this.wire.pump());
      const surprise = (problem: unknown): void =>
        this.#surprise('watching', process, new Error(JSON.stringify(problem)));
      this.wire.agent = {
        process,
        runner,
        ...(this.#healthEvery === undefined ? {} : { watching: modelWatching(common, surprise) }),
        questions: this.#questions(process, agentClock),
        hello: () => ({
          protocol: protocolVersion,
          release: '0.1.0',
          site,
          epoch: this.#epoch,
          kinds: Object.fromEntries(this.#steps.map(({ kind, version }) => [kind, version])),
          recipient: 'age1fake',
          open: runner.open(),
        }),
      };
      runner.resume();
      return { process, store, runner };
    });
    this.timeline.say('agent starts');
    this.wire.reconnect();
  }

  #questions(process: SimulatedProcess, clock: AgentClock): ReturnType<typeof fleetQuestions> {
    const by = { operation: '-', step: 'question', attempt: 0, epoch: this.#epoch };
    const questions = fleetQuestions(
      (keys) => fleetPorts(this.#door(process, by), fakeSecrets(undefined, keys)),
      clock,
    );
    // Keys are drawn by real threads.
    return {
      ...questions,
      drawKeys: (request) => this.clock.hold(questions.drawKeys(request)),
      'cluster.rotate-keys': (request) => this.clock.hold(questions['cluster.rotate-keys'](request)),
    };
  }

  #door(
    process: SimulatedProcess,
    by: { operation: string; step: string; attempt: number; epoch: number },
  ): Door {
    const clock = clockOf(this.clock, process);
    return new Door({
      by,
      sleep: (duration) => clock.sleep(duration),
      carry: async (name, given, caller) => callFleet(this.fleet, name, given, caller),
      around: (label, effect) => this.boundaries.around('effect', process.name, label, effect),
    });
  }

  async #enrol(): Promise<void> {
    const token = await this.request((engine) =>
      engine.createEnrolmentToken({ site, principal: 'tester', minutes: 10 }),
    );
    const enrolled = await this.request((engine) =>
      engine.enrolAgent({ secret: token.secret, request: 'PKCS10', recipient: 'age1fake', release: '0.1.0' }),
    );
    this.#epoch = enrolled.epoch;
  }

  #died(names: readonly ProcessName[]): void {
    for (const name of names) {
      const part = name === 'daemon' ? this.daemon : this.agent;
      if (part === undefined || !part.process.isAlive) continue;
      this.deaths += 1;
      this.timeline.say(`KILL -9 ${name}`);
      part.process.kill();
      if (name === 'agent') this.agent?.runner.abandon();
      this.clock.later(restartAfter, () => {
        part.process.bury();
        if (name === 'daemon') this.#startDaemon();
        else this.#startAgent();
      });
    }
    this.wire.reconnect();
  }

  #surprise(where: string, process: SimulatedProcess, error: unknown): void {
    if (!process.isAlive || error instanceof Killed) return;
    this.fleet.violate(
      'surprise',
      `${where}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  }
}
