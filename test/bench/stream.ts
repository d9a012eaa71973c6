/**
 * Log lines to 20 clients over TLS and sockets that break at random (DESIGN §9: 10,000 lines a second, none lost over
 * reconnects, p99 < 500 ms): the delay of each line from its making to each client that was connected then, and which
 * are missing in the end. The server is the real API with the real log files in a process of its own; what stands in
 * for the engine is a source of lines. REMUDA_RATE and REMUDA_SECONDS change rate and length. Prints; exit code 1 when
 * a line was lost or doubled.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import { type Batch, livePath } from '../../daemon/api/schemas/live.ts';
import { row, say } from './table.ts';
import type { SourceEnd, SourceReady, SourceWish } from './stream-source.ts';

const clients = 20;
const perSecond = Number(process.env['REMUDA_RATE'] ?? 10_000);
const seconds = Number(process.env['REMUDA_SECONDS'] ?? 20);
/** How often one of the clients loses its connection, and how long it stays away, milliseconds. */
const cutEvery = 250;
const awayFor = 400;

/** One client with the delays of what it got. */
class Follower {
  next = 1;
  lost = 0;
  doubled = 0;
  connections = 0;
  readonly delays: number[] = [];
  readonly #socket: Socket;
  #connectedAt = 0;

  constructor({ url, token, authority }: SourceReady) {
    this.#socket = io(url, {
      path: livePath,
      transports: ['websocket'],
      auth: { token },
      ca: authority,
      reconnection: false,
      forceNew: true,
    });
    this.#socket.on('connect', () => {
      this.connections += 1;
      this.#connectedAt = Date.now();
      this.#socket.emit('follow', { operation: 'op-1', log: { after: this.next - 1 } });
    });
    this.#socket.on('batch', (batch: Batch, acknowledge: () => void) => {
      acknowledge();
      this.#take(batch);
    });
  }

  async interrupt(): Promise<void> {
    this.#socket.disconnect();
    await sleep(Math.random() * awayFor);
    this.#socket.connect();
  }

  close(): void {
    this.#socket.disconnect();
  }

  /** Lines from before the connection waited for the client, not for us: they count for completeness only. */
  #take({ lines }: Batch): void {
    const now = Date.now();
    for (const { number, text } of lines) {
      if (number < this.next) this.doubled += 1;
      else this.lost += number - this.next;
      this.next = Math.max(this.next, number + 1);
      const said = Number.parseInt(text, 10);
      if (said >= this.#connectedAt) this.delays.push(now - said);
    }
  }
}

const heard = <Message>(child: ChildProcess): Promise<Message> =>
  new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as Message));
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });

const source = fork(join(import.meta.dirname, 'stream-source.ts'), {
  execArgv: ['--disable-warning=ExperimentalWarning'],
});
try {
  const ready = await heard<SourceReady>(source);
  const followers = Array.from({ length: clients }, () => new Follower(ready));
  await sleep(1000);
  say(`${perSecond} lines a second for ${seconds} s, one of ${clients} clients cut off every ${cutEvery} ms`);
  const ending = heard<SourceEnd>(source);
  source.send({ perSecond, seconds } satisfies SourceWish);
  const cuts = setInterval(() => {
    void followers[Math.floor(Math.random() * clients)]?.interrupt();
  }, cutEvery);
  const end = await ending;
  clearInterval(cuts);
  say('waiting until nothing more comes');
  await untilStill(() => followers.reduce((sum, { next }) => sum + next, 0));
  print(followers, end);
  for (const follower of followers) follower.close();
} finally {
  source.disconnect();
}

/** Waits until nothing more has come for a while: what is missing then is lost. */
async function untilStill(count: () => number): Promise<void> {
  for (let before = -1; before !== count(); ) {
    before = count();
    await sleep(5000);
  }
}

function print(followers: readonly Follower[], end: SourceEnd): void {
  const delays = followers.flatMap((follower) => follower.delays).sort((one, other) => one - other);
  const at = (share: number): number => delays[Math.floor((delays.length - 1) * share)] ?? Number.NaN;
  const sum = (of: (follower: Follower) => number): number =>
    followers.reduce((total, follower) => total + of(follower), 0);
  const missing = sum(({ next, lost }) => Math.max(0, end.last + 1 - next) + lost);
  const doubled = sum((follower) => follower.doubled);
  const reconnects = sum(({ connections }) => connections) - clients;
  const { user, system } = process.cpuUsage();
  row(
    `${perSecond} log lines a second for ${seconds} s to ${clients} socket clients, ${reconnects} reconnects`,
    `lost ${missing}, doubled ${doubled}; p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`,
    'none lost, p99 < 500 ms',
  );
  row(
    'the same: cost',
    `server ${Math.round((end.processor / seconds) * 100)} % of a core and ${Math.round(end.bytes / 1024 / 1024)} MB, event loop busy ${end.busy.toFixed(1)} s (${end.disk.toFixed(1)} s on the disk); all clients ${Math.round((user + system) / 1e4 / seconds)} %`,
  );
  if (missing > 0 || doubled > 0) process.exitCode = 1;
}
