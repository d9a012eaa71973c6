import { io } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Batch, livePath } from '../../../daemon/api/schemas/live.ts';
import { runSeed, seededRandom } from '../../fleet/model/random.ts';
import { fakeOperation } from './fake-engine.ts';
import { type FakeSite, startFakeSite } from './fake-site.ts';
import { Follower } from './follower.ts';

const lines = 10_000;
const clients = 20;
const operation = 'op-1';

describe(`streaming to many (REMUDA_SEED=${runSeed()})`, () => {
  let site: FakeSite;
  let followers: Follower[] = [];
  const random = seededRandom(runSeed());

  beforeEach(async () => {
    site = await startFakeSite();
    site.engine.operations.set(operation, fakeOperation());
  });
  afterEach(async () => {
    for (const follower of followers) follower.close();
    followers = [];
    await site[Symbol.asyncDispose]();
  });

  test('20 clients with random interruptions get every one of 10,000 lines once and in order', async () => {
    followers = Array.from({ length: clients }, () => new Follower(site, operation, lines));
    await Promise.all(followers.map((follower) => follower.connected));
    for (let said = 0; said < lines; said += 1) {
      site.engine.say(`line ${said}`);
      if (said % 200 === 199) {
        followers[Math.floor(random() * clients)]?.cut();
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await Promise.all(followers.map((follower) => follower.done));
    const expected = Array.from({ length: lines }, (_, index) => index + 1);
    for (const follower of followers) expect(follower.got).toEqual(expected);
    const connections = followers.reduce((sum, follower) => sum + follower.connections, 0);
    expect(connections, 'no client was ever interrupted').toBeGreaterThan(clients);
  });

  test('a restart of the daemon in the middle loses and doubles nothing', async () => {
    followers = Array.from({ length: 5 }, () => new Follower(site, operation, lines));
    for (let said = 0; said < lines / 2; said += 1) site.engine.say(`line ${said}`);
    await site.pause();
    for (let said = lines / 2; said < lines; said += 1) site.engine.say(`line ${said}`);
    await site.resume();
    await Promise.all(followers.map((follower) => follower.done));
    const expected = Array.from({ length: lines }, (_, index) => index + 1);
    for (const follower of followers) expect(follower.got).toEqual(expected);
  });

  test('a client that never acknowledges gets one bounded batch, is cut off, and holds nobody up', async () => {
    // Only here: on a busy box every client may be slow, and one that the server cut off does not come back by itself.
    await site[Symbol.asyncDispose]();
    site = await startFakeSite({ acknowledgeWithin: 2_000 });
    site.engine.operations.set(operation, fakeOperation());
    for (let said = 0; said < lines; said += 1) site.engine.say('x'.repeat(1000));
    const silent = io(site.url, {
      path: livePath,
      transports: ['websocket'],
      auth: { token: site.admin },
      ca: site.authority.certificate,
      reconnection: false,
      forceNew: true,
    });
    const batches: Batch[] = [];
    silent.on('batch', (batch: Batch) => batches.push(batch));
    const end = new Promise<string>((resolve) => {
      silent.once('disconnect', resolve);
    });
    silent.once('connect', () => silent.emit('follow', { operation, log: { after: 0 } }));
    followers = [new Follower(site, operation, lines)];
    await followers[0]?.done;
    expect(await end).toBe('io server disconnect');
    expect(batches.length).toBe(1);
    expect(JSON.stringify(batches[0]).length).toBeLessThan(400_000);
  });

  test('events from now on: the past stays where it is, and what comes after the answer is not missed', async () => {
    for (let number = 1; number <= 3; number += 1) site.engine.happen('step.started', { operation });
    const socket = io(site.url, {
      path: livePath,
      transports: ['websocket'],
      auth: { token: site.admin },
      ca: site.authority.certificate,
      reconnection: false,
      forceNew: true,
    });
    try {
      const first = new Promise<Batch>((resolve) => {
        socket.once('batch', (batch: Batch, acknowledge: () => void) => {
          acknowledge();
          resolve(batch);
        });
      });
      await socket.emitWithAck('follow', { operation, events: {} });
      site.engine.happen('step.ended', { operation });
      const { events, position } = await first;
      expect(events.map((event) => event.number)).toEqual([4]);
      expect(position).toBe(4);
    } finally {
      socket.disconnect();
    }
  });
});
