import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from '../../../daemon/operations/engine.ts';
import type { OperationState, OperationView } from '../../../daemon/operations/answers.ts';
import { State, type StateOptions } from '../../../daemon/state/state.ts';
import { FakeAgent, type FakeLink } from './fake-agent.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { type TinyFile, tinyPlanners, tinyText } from './tiny-planners.ts';

/** A folder in memory where there is one: these tests sync much and prove nothing about the disk. */
export const makeFolder = (): string =>
  mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'remuda-operations-'));

const isOver = (state: OperationState): boolean =>
  state === 'succeeded' || state === 'failed' || state === 'cancelled';

/** A real engine on real state, with a fake clock and a fake agent; its process can be killed and started again. */
export class FakeSite {
  readonly clock = new FakeClock();
  readonly agent = new FakeAgent(this.clock);
  readonly folder: string;
  readonly #options: Partial<StateOptions>;
  /** Number of the last id drawn; a process that goes on from somebody else's state starts higher. */
  lastId = 0;
  #kill: () => void = () => undefined;
  state!: State;
  engine!: Engine;
  link!: FakeLink;

  /** `folder` is removed by {@link close}. */
  constructor(options: Partial<StateOptions> = {}, folder: string = makeFolder()) {
    this.#options = options;
    this.folder = folder;
  }

  async start(): Promise<void> {
    const view = this.clock.view();
    this.#kill = view.kill;
    const state = new State({
      folder: join(this.folder, 'state'),
      reserveBytes: 0,
      clock: view.clock,
      ...this.#options,
    });
    const link = this.agent.connect();
    this.state = state;
    this.link = link;
    this.engine = new Engine({
      state,
      links: () => link,
      planners: tinyPlanners,
      clock: view.clock,
      ids: () => `id-${(this.lastId += 1)}`,
      logDirectory: join(this.folder, 'logs'),
      seal: async (plain, recipients) => `sealed(${plain.length}) to ${recipients.join()}`,
    });
    if (state.agents.get('local') === undefined) {
      const token = await this.run(
        this.engine.createEnrolmentToken({ site: 'local', principal: 'p', minutes: 5 }),
      );
      await this.run(
        this.engine.enrolAgent({
          secret: token.secret,
          request: 'PKCS10',
          recipient: 'age1fake',
          release: '1',
        }),
      );
    }
    await this.engine.start();
    this.agent.hello(this.engine.acknowledgedSequence('local', this.agent.epoch));
  }

  /** kill -9: what is not durable is gone, nothing that was about to happen happens. */
  kill(): void {
    this.link.isDead = true;
    this.#kill();
    // First the file, so that nothing which was not durable yet becomes so on the way out.
    this.state.database.close();
    void this.engine.stop().catch(() => undefined);
  }

  /** Moves time on until the promise is settled. */
  async run<T>(promise: Promise<T>): Promise<T> {
    const progress = { isSettled: false };
    const watched = promise.finally(() => {
      progress.isSettled = true;
    });
    watched.catch(() => undefined);
    await this.until(() => progress.isSettled);
    return watched;
  }

  async apply(
    file: TinyFile,
    more: Partial<Parameters<Engine['apply']>[0]> = {},
  ): ReturnType<Engine['apply']> {
    return this.run(this.engine.apply({ text: tinyText(file), file: 'tiny.json', principal: 'p', ...more }));
  }

  /** Moves time on until the condition holds. */
  async until(holds: () => boolean): Promise<void> {
    for (let ticks = 0; !holds(); ticks += 1) {
      await settle();
      if (holds()) return;
      if (!this.clock.tick() || ticks > 200_000) throw new Error('time stands still');
    }
  }

  async end(operation: string): Promise<OperationView> {
    await this.until(() => isOver(this.engine.getOperation(operation).state));
    await settle();
    return this.engine.getOperation(operation);
  }

  async close(): Promise<void> {
    await this.engine.stop();
    this.#kill();
    this.state.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
