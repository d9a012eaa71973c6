/**
 * Processor time of the engine a step (DESIGN §9: < 1 ms at 1,000 machines): 1,000 machines with five steps each, one
 * after another, journalled on a real disk, against a fake agent in the same process that answers at once and whose
 * share is counted too. The argument is the number of machines. Prints; asserts nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from '../../daemon/operations/engine.ts';
import { systemClock } from '../../daemon/state/clock.ts';
import { State } from '../../daemon/state/state.ts';
import { tinyPlanners, tinyText } from '../unit/operations/tiny-planners.ts';
import { InstantAgent } from './instant-agent.ts';
import { row, say } from './table.ts';

const machines = Number(process.argv[2] ?? 1000);
const folder = mkdtempSync(join(tmpdir(), 'remuda-bench-engine-'));
const state = new State({ folder: join(folder, 'state') });

const link = new InstantAgent({
  now: Date.now,
  work: ({ input }) => {
    const { thing } = input as { readonly thing: string };
    return {
      text: `working on ${thing}`,
      outcome: { state: 'succeeded', facts: { thing }, changed: true },
    };
  },
  observe: async ({ context: { cluster } }) => ({
    cluster,
    at: new Date().toISOString(),
    infrastructure: { state: 'present', detail: '' },
    machines: [],
    unseen: [],
  }),
});
let ids = 0;
const engine = new Engine({
  state,
  links: () => link,
  planners: tinyPlanners,
  clock: systemClock,
  ids: () => `id-${(ids += 1)}`,
  logDirectory: join(folder, 'logs'),
  seal: async () => 'sealed',
});
const { secret } = await engine.createEnrolmentToken({ site: 'local', principal: 'p', minutes: 5 });
await engine.enrolAgent({ secret, request: 'PKCS10', recipient: 'age1bench', release: '1' });
await engine.start();

const chain = 5;
const things = Array.from({ length: machines * chain }, (_, index) => ({
  id: `t${index}`,
  after: index % chain === 0 ? [] : [`t${index - 1}`],
}));
const ended = new Promise<void>((resolve) => {
  engine.subscribe((item) => {
    if (item.type === 'event' && item.event.type === 'operation.ended') resolve();
  });
});
say(`${machines * chain} steps, one after another on each of ${machines} machines`);
const request = { text: tinyText({ name: 'one', things }), file: 'bench', principal: 'p' };
const applyFrom = process.cpuUsage();
await engine.apply(request);
const from = process.cpuUsage();
const wall = performance.now();
await ended;
const used = process.cpuUsage(from);
const steps = machines * chain;
const apply = process.cpuUsage(applyFrom);
row(
  `CPU of the engine a step, ${machines} machines, ${steps} steps`,
  `${((used.user + used.system) / 1000 / steps).toFixed(3)} ms; ${Math.round(performance.now() - wall)} ms in all`,
  '< 1 ms',
);
row(
  `CPU of planning and admitting ${steps} steps`,
  `${Math.round((apply.user + apply.system - used.user - used.system) / 1000)} ms`,
);
await engine.stop();
state.close();
rmSync(folder, { recursive: true, force: true });
