import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Random } from '../fleet/model/random.ts';
import type { DaemonAnswer, DaemonQuestion } from './daemon-process.ts';
import { KillProcess, portToKeep } from './kill-process.ts';
import type { ModelQuestion, ModelReport } from './model-process.ts';
import type { KillRun } from './scaled-clock.ts';

/**
 * Model milliseconds a real one: a create of some 90 model seconds takes a few real ones, and the shortest hard limit
 * (10 minutes) is still 20 real seconds, which a busy box does not stall for.
 */
const scale = 30;

/** How long the daemon may leave a question without an answer, and an operation may take, real milliseconds. */
const answerPatience = 60_000;
const endPatience = 240_000;

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Daemon, agent and model as three real processes of one run. Nobody starts a process again that ended by itself: every
 * start after a kill must do, so such an end fails the run.
 */
export class KillBench {
  readonly story: string[] = [];
  #run: KillRun;
  readonly #model: KillProcess;
  #daemon: KillProcess | undefined;
  #agent: KillProcess | undefined;
  #isOver = false;
  #failure: string | undefined;

  private constructor(run: KillRun) {
    this.#run = run;
    this.#model = this.#start('model-process.ts');
  }

  /** Starts the three, with the agent enrolled. `compiled` is a folder where Node keeps what it compiled. */
  static async open(compiled: string): Promise<KillBench> {
    const folder = mkdtempSync(join(tmpdir(), 'remuda-kill-'));
    const bench = new KillBench({
      folder,
      compiled,
      modelSocket: join(folder, 'model'),
      start: Date.now(),
      scale,
      linkPort: await portToKeep(),
      epoch: 0,
    });
    try {
      await bench.#enrol();
      return bench;
    } catch (error) {
      await bench.close();
      throw error;
    }
  }

  /** Ends the processes by their ids and removes the folder. */
  async close(): Promise<void> {
    this.#isOver = true;
    await Promise.all([this.#daemon, this.#agent, this.#model].map((part) => part?.kill()));
    rmSync(this.#run.folder, { recursive: true, force: true });
  }

  /** Asks until a living daemon answers. */
  async ask(question: DaemonQuestion): Promise<DaemonAnswer> {
    const until = Date.now() + answerPatience;
    while (Date.now() < until) {
      if (this.#failure !== undefined) break;
      this.#daemon?.send(question);
      const answer = await Promise.race([this.#daemon?.heard<DaemonAnswer | 'ready'>(), pause(5000)]);
      if (answer !== undefined && answer !== 'ready' && answer.refused === undefined) return answer;
      if (answer !== undefined && answer !== 'ready') this.#tell(`refused: ${answer.refused}`);
      await pause(20);
    }
    throw new Error(`${this.#failure ?? 'the daemon never answered'}\n${this.story.join('\n')}`);
  }

  /** Waits for the operation's end. */
  async ended(first: DaemonAnswer): Promise<DaemonAnswer> {
    const until = Date.now() + endPatience;
    for (;;) {
      const now = await this.ask({ ask: 'operation', id: first.id ?? '' });
      if (['succeeded', 'failed', 'cancelled'].includes(now.state ?? '')) return now;
      if (Date.now() > until)
        throw new Error(
          `still ${now.state} (${now.waitingFor ?? now.problem ?? 'no reason'}) after four minutes\n${this.story.join('\n')}`,
        );
      await pause(50);
    }
  }

  /**
   * Kills daemon, agent or both three times at random, each time after some work may have been done: a process that is
   * killed again before it has started proves nothing and, on a busy box, goes on for ever.
   */
  async torment(random: Random): Promise<void> {
    for (let kills = 0; kills < 3; kills += 1) {
      await pause(300 + random() * 3000);
      if (this.#isOver) return;
      const dice = random();
      const at = `at ${Date.now() - this.#run.start} ms real`;
      if (dice < 0.7) {
        this.#tell(`kill -9 daemon ${at}`);
        await this.#daemon?.kill();
      }
      if (dice > 0.4) {
        this.#tell(`kill -9 agent ${at}`);
        await this.#agent?.kill();
      }
      await pause(random() * 100);
      if (this.#isOver) return;
      if (dice < 0.7) this.#startDaemon();
      if (dice > 0.4) this.#startAgent();
    }
  }

  /** From now on nothing is killed. */
  calm(): void {
    this.#isOver = true;
  }

  /** The model's view when no command runs on its machines any more: those that nobody waits for end in model time. */
  async report(): Promise<ModelReport> {
    for (;;) {
      const answer = this.#model.heard<ModelReport>();
      this.#model.send({ ask: 'report' } satisfies ModelQuestion);
      const report = await answer;
      if (report === undefined) throw new Error(this.#model.story());
      if (!report.isBusy) return report;
      await pause(100);
    }
  }

  async #enrol(): Promise<void> {
    const ready = this.#model.heard();
    const { promise: isOver, resolve } = Promise.withResolvers<string>();
    const first = new KillProcess('daemon-process.ts', this.#run, resolve);
    const enrolled = await first.heard<{ readonly epoch: number }>();
    if (enrolled === undefined) throw new Error(`no agent was enrolled: ${first.story()}`);
    // It closes the state after it has answered; only then is there a place for the next.
    await isOver;
    await ready;
    this.#run = { ...this.#run, epoch: enrolled.epoch };
    this.#startDaemon();
    this.#startAgent();
  }

  #startDaemon(): void {
    this.#daemon = this.#start('daemon-process.ts');
  }

  #startAgent(): void {
    this.#agent = this.#start('agent-process.ts');
  }

  #start(file: string): KillProcess {
    return new KillProcess(file, this.#run, (story) => {
      this.#failure ??= story;
      this.#tell(story);
    });
  }

  /** A line of the story; the same again is not told again. */
  #tell(line: string): void {
    if (this.story.at(-1) !== line) this.story.push(line);
  }
}
