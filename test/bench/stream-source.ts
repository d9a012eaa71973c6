import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pino } from 'pino';
import { SiteAuthority } from '../../daemon/access/authority.ts';
import { AuditExports } from '../../daemon/access/audit-export.ts';
import { Directories } from '../../daemon/access/directory.ts';
import { openDoor } from '../../daemon/access/door.ts';
import { Drafts } from '../../daemon/api/drafts.ts';
import { Metrics } from '../../daemon/api/metrics.ts';
import { ApiServer } from '../../daemon/api/server.ts';
import type { LogPage } from '../../daemon/operations/answers.ts';
import type { LiveItem } from '../../daemon/operations/recorder.ts';
import { OperationLogs } from '../../daemon/state/logs.ts';
import { systemClock } from '../../daemon/state/clock.ts';
import { State } from '../../daemon/state/state.ts';
import { FakeEngine, fakeOperation } from '../integration/api/fake-engine.ts';

/** What the measuring process is told once the server listens. */
export interface SourceReady {
  readonly url: string;
  readonly token: string;
  readonly authority: string;
}

/** Asks for lines: so many a second, for so long. Answered with the number of the last line and the memory used. */
export interface SourceWish {
  readonly perSecond: number;
  readonly seconds: number;
}

/** What the source answers at the end. */
export interface SourceEnd {
  readonly last: number;
  readonly bytes: number;
  /** Processor seconds that the server used while it streamed. */
  readonly processor: number;
  /** Seconds in which its event loop was busy, and those of them in which it waited for the disk. */
  readonly busy: number;
  readonly disk: number;
}

const operation = 'op-1';
/** How often lines come, milliseconds: reports of an agent come in bunches too. */
const tick = 10;

/** The fake engine with the real log files behind it: lines are durable on disk before anybody is told. */
class SourceEngine extends FakeEngine {
  readonly #logs: OperationLogs;
  readonly #followers = new Set<(item: LiveItem) => void>();
  last = 0;
  /** Milliseconds spent on making lines durable. */
  disk = 0;

  constructor(folder: string) {
    super();
    this.#logs = new OperationLogs(folder);
    this.operations.set(operation, fakeOperation());
  }

  override subscribe(follower: (item: LiveItem) => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  override logLines(id: string, after: number, limit = 1000): Promise<LogPage> {
    return this.#logs.read(id, after, limit);
  }

  /** Takes so many lines, each with the time at which it came. */
  take(count: number): void {
    const taken = Array.from({ length: count }, () => {
      this.last += 1;
      const machine = `w${this.last % 40}`;
      const text = `${Date.now()} I1121 kubelet_node_status.go:73] attempting to register node "${machine}" with the API server, line ${this.last}`;
      const key = { step: `worker.join/${machine}`, machine, epoch: 1, sequence: this.last };
      return this.#logs.append(operation, { at: new Date().toISOString(), text, ...key });
    });
    const before = performance.now();
    this.#logs.sync();
    this.disk += performance.now() - before;
    for (const line of taken)
      if (line !== undefined)
        for (const follower of this.#followers) follower({ type: 'log', operation, cluster: 'demo', line });
  }
}

const folder = mkdtempSync(join(tmpdir(), 'remuda-bench-stream-'));
const state = new State({ folder, reserveBytes: 65_536 });
const authority = await SiteAuthority.open(join(folder, 'authority'));
const reach = (): Promise<never> => Promise.reject(new Error('no agent'));
const directories = new Directories({ state, reach });
const door = openDoor({ state, folder, authorityHash: authority.hash, directories });
const engine = new SourceEngine(join(folder, 'logs'));
const server = new ApiServer({
  host: '127.0.0.1',
  port: 0,
  identity: await authority.serverIdentity(),
  services: {
    engine,
    door,
    directories,
    auditExports: new AuditExports({ state, reach, clock: systemClock }),
    drafts: new Drafts(state.answerDrafts, door.key),
    state,
    audit: state.audit,
    clusterOfOperation: () => 'demo',
    authority,
    metrics: new Metrics(engine),
    logger: pino({ level: 'silent' }),
    release: '0.0.0-bench',
    startedAt: new Date().toISOString(),
    linkPort: () => 8444,
  },
});
const { port } = await server.start();
const { token } = door.tokens.issue({ name: 'bench', role: 'viewer', days: 1 });

process.on('message', (wish: SourceWish) => void run(wish));
process.on('disconnect', () => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
});
process.send?.({
  url: `https://127.0.0.1:${port}`,
  token,
  authority: authority.certificate,
} satisfies SourceReady);

async function run({ perSecond, seconds }: SourceWish): Promise<void> {
  const before = process.cpuUsage();
  const loop = performance.eventLoopUtilization();
  const from = performance.now();
  const first = engine.last;
  const total = perSecond * seconds;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      // By the clock, so that a late timer does not make the rate lower than it is said to be.
      const due = Math.min(total, Math.floor(((performance.now() - from) / 1000) * perSecond));
      engine.take(first + due - engine.last);
      if (due < total) return;
      clearInterval(timer);
      resolve();
    }, tick);
  });
  const { user, system } = process.cpuUsage(before);
  process.send?.({
    last: engine.last,
    bytes: process.memoryUsage().rss,
    processor: (user + system) / 1e6,
    busy: performance.eventLoopUtilization(loop).active / 1000,
    disk: engine.disk / 1000,
  } satisfies SourceEnd);
}
