import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { FakeSite } from '../operations/fake-site.ts';
import { settle } from '../operations/fake-clock.ts';

/**
 * Runs as a process of its own in a mount namespace of its own, its first argument a small file system: fills it in
 * the middle of an operation, makes room again, and prints what was seen, as JSON.
 */
const disk = process.argv[2] as string;
const site = new FakeSite({ reserveBytes: 1024 * 1024 }, join(disk, 'site'));

function fill(): void {
  const file = openSync(join(disk, 'filler'), 'w');
  for (let size = 1024 * 1024; size >= 1; size = Math.floor(size / 2))
    try {
      for (;;) writeSync(file, Buffer.alloc(size));
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOSPC') throw error;
    }
  closeSync(file);
}

await site.start();
const things = Array.from({ length: 40 }, (_, index) => ({
  id: `t${index}`,
  after: index < 20 ? [] : [`t${index - 20}`],
}));
for (const { id } of things.slice(0, 20)) site.agent.held.add(`thing.make/${id}`);
const { operations } = await site.apply({ name: 'one', things });
const id = operations[0]?.id as string;
await site.until(() => site.agent.starts.length === 20);

fill();
// Work that is under way ends on a full disk. The steps are released without being cancelled.
site.agent.held.clear();
const outcomes = (): number =>
  site.state.attempts.list(id).filter((attempt) => attempt.outcome !== undefined).length;
await site.until(() => outcomes() === 20 && site.engine.getOperation(id).waitingFor === 'space');
for (let ticks = 0; ticks < 50; ticks += 1) {
  await settle();
  site.clock.tick();
}
const whileFull = {
  outcomes: outcomes(),
  started: site.agent.starts.length,
  operation: site.engine.getOperation(id).state,
  problem: site.engine.getOperation(id).problem?.code,
  health: site.engine.health(),
  refused: await site.apply({ name: 'two', things: [] }).then(
    () => 'accepted',
    (error: Error) => error.message,
  ),
};

// A kill on the full disk: the state opens again and still knows everything.
site.kill();
await site.start();
const afterKill = { outcomes: outcomes(), operation: site.engine.getOperation(id).state };

rmSync(join(disk, 'filler'));
await site.until(() => site.engine.health().isReady);
const end = await site.end(id);
const result = {
  whileFull,
  afterKill,
  end: end.state,
  effects: site.agent.effects.length,
  breaches: site.agent.breaches,
  integrity: site.state.database.pragma('integrity_check', { simple: true }),
};
await site.close();
process.stdout.write(`${JSON.stringify(result)}\n`);
