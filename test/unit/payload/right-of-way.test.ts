import { setImmediate as tick } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { RightOfWay } from '../../../provisioners/payload/right-of-way.ts';

describe('the line belongs to the machine that is needed first', () => {
  it('a worker gives way while a master is served, and goes on when that ends', async () => {
    const way = new RightOfWay();
    const master = way.begin(1);
    const worker = way.begin(2);
    const order: string[] = [];
    const goesOn = way.giveWay(worker).then(() => order.push('the worker goes on'));
    await tick();
    order.push('the master is served');
    way.end(master);
    await goesOn;
    expect(order).toEqual(['the master is served', 'the worker goes on']);
  });

  it('a master never waits for a worker, nor equals for each other', async () => {
    const way = new RightOfWay();
    const master = way.begin(1);
    way.begin(2);
    way.begin(1);
    const order: string[] = [];
    const goesOn = way.giveWay(master).then(() => order.push('the master goes on'));
    await tick();
    order.push('a moment later');
    await goesOn;
    expect(order).toEqual(['the master goes on', 'a moment later']);
  });

  it('a master that takes nothing any more is in nobody’s way', async () => {
    const way = new RightOfWay();
    way.begin(1).movedAt = Date.now() - 10_000;
    const worker = way.begin(2);
    const order: string[] = [];
    const goesOn = way.giveWay(worker).then(() => order.push('the worker goes on'));
    await tick();
    order.push('a moment later');
    await goesOn;
    expect(order).toEqual(['the worker goes on', 'a moment later']);
  });

  it('a worker is not kept from the line for ever by a master that is served for long', async () => {
    const way = new RightOfWay();
    const master = way.begin(1);
    const worker = way.begin(2);
    const moves = setInterval(() => void way.giveWay(master), 20);
    try {
      await way.giveWay(worker);
    } finally {
      clearInterval(moves);
    }
    expect(worker.movedAt).toBeGreaterThan(0);
  });
});
