import { io, type Socket } from 'socket.io-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Batch, type Follow, livePath } from '../../../daemon/api/schemas/live.ts';
import { fakeOperation } from './fake-engine.ts';
import { type FakeSite, startFakeSite } from './fake-site.ts';

let site: FakeSite;
let sockets: Socket[] = [];
beforeEach(async () => {
  site = await startFakeSite();
});
afterEach(async () => {
  for (const socket of sockets) socket.disconnect();
  sockets = [];
  await site[Symbol.asyncDispose]();
});

function connect(token: string | undefined, headers: Readonly<Record<string, string>> = {}): Socket {
  const socket = io(site.url, {
    path: livePath,
    transports: ['websocket'],
    auth: { token },
    ca: site.authority.certificate,
    reconnection: false,
    forceNew: true,
    extraHeaders: headers,
  });
  sockets.push(socket);
  return socket;
}

const heard = (socket: Socket, name: string): Promise<unknown> =>
  new Promise((resolve) => {
    socket.once(name, resolve);
  });

/** Follows and collects until `count` things came; acknowledges each batch. */
function collect(socket: Socket, wish: Follow, count: number): Promise<Batch[]> {
  const batches: Batch[] = [];
  return new Promise((resolve) => {
    socket.on('batch', (batch: Batch, acknowledge: () => void) => {
      batches.push(batch);
      acknowledge();
      const total = batches.reduce((sum, one) => sum + one.events.length + one.lines.length, 0);
      if (total >= count) resolve(batches);
    });
    socket.emit('follow', wish);
  });
}

const numbers = (batches: readonly Batch[]): number[] =>
  batches.flatMap((batch) => batch.events.map((event) => event.number));

test.each([
  ['no token', undefined],
  ['a wrong one', 'wrong'],
])('C5: %s gets no events', async (_what, token) => {
  expect(await heard(connect(token), 'connect_error')).toMatchObject({ message: 'unauthenticated' });
});

test('a page of another origin gets in with no token', async () => {
  const error = await heard(connect(site.admin, { Origin: 'https://evil.example' }), 'connect_error');
  expect(error).toBeInstanceOf(Error);
});

test('replay from a number, then live, each number once and in order, from journal and memory alike', async () => {
  for (let number = 1; number <= 1200; number += 1) site.engine.happen('step.started');
  const socket = connect(site.admin);
  const all = collect(socket, { events: { after: 700 } }, 600);
  await heard(socket, 'connect');
  for (let number = 1; number <= 100; number += 1) site.engine.happen('step.ended');
  expect(numbers(await all)).toEqual(Array.from({ length: 600 }, (_, index) => 701 + index));
});

test('twenty clients each get all 3,000 lines of a log, also one that comes late', async () => {
  site.engine.operations.set('op-1', fakeOperation());
  const wish = { operation: 'op-1', log: { after: 0 } };
  const early = Array.from({ length: 19 }, () => collect(connect(site.admin), wish, 3000));
  for (let number = 1; number <= 3000; number += 1) site.engine.say(`line ${number}`);
  const late = collect(connect(site.admin), wish, 3000);
  for (const batches of await Promise.all([...early, late])) {
    const lines = batches.flatMap((batch) => batch.lines.map((line) => line.number));
    expect(lines).toEqual(Array.from({ length: 3000 }, (_, index) => index + 1));
  }
});

test('a client that does not acknowledge gets one batch and no more: nothing piles up', async () => {
  const socket = connect(site.admin);
  const batches: Batch[] = [];
  socket.on('batch', (batch: Batch) => batches.push(batch));
  socket.emit('follow', { events: { after: 0 } });
  await heard(socket, 'connect');
  for (let number = 1; number <= 5000; number += 1) site.engine.happen('step.started');
  // Another client proves that time has passed and everything went out.
  await collect(connect(site.admin), { events: { after: 0 } }, 5000);
  expect(batches.length).toBe(1);
  expect(numbers(batches).length).toBeLessThanOrEqual(500);
});

test('a revoked token ends a running stream', async () => {
  const { token } = site.tokens.issue({ name: 'soon-gone', role: 'viewer', days: 1 });
  const socket = connect(token);
  site.engine.happen('step.started');
  await collect(socket, { events: { after: 0 } }, 1);
  site.tokens.revoke('soon-gone');
  const end = heard(socket, 'disconnect');
  const last = heard(socket, 'refused');
  site.engine.happen('step.ended');
  expect(await last).toContain('no longer valid');
  await end;
});

test.each([{ events: { after: -1 } }, { nonsense: true }, 'text', null, { events: { after: 0, x: 'y' } }])(
  'a malformed wish %j ends the connection, not the server',
  async (wish) => {
    const socket = connect(site.admin);
    const end = heard(socket, 'disconnect');
    socket.emit('follow', wish);
    await end;
    site.engine.happen('step.started');
    expect(numbers(await collect(connect(site.admin), { events: { after: 0 } }, 1))).toEqual([1]);
  },
);
