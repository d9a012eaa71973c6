import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentReport } from '../../appliance/agent/protocol.ts';
import { Engine } from '../../daemon/operations/engine.ts';
import type { AgentLink } from '../../daemon/operations/link.ts';
import { systemClock } from '../../daemon/state/clock.ts';
import { State } from '../../daemon/state/state.ts';
import { tinyPlanners, tinyText } from '../unit/operations/tiny-planners.ts';

/**
 * Measures what the engine itself costs a step (DESIGN §9: < 1 ms of CPU at 1,000 machines): 1,000 machines with five
 * steps each, one after another, against an agent that answers at once. The argument is the number of machines.
 * Prints; asserts nothing.
 */
const machines = Number(process.argv[2] ?? 1000);
const folder = mkdtempSync(join(tmpdir(), 'remuda-bench-engine-'));
const state = new State({ folder: join(folder, 'state') });

let deliver: (reports: readonly AgentReport[]) => void = () => undefined;
let sequence = 0;
let batch: AgentReport[] = [];
type Body = AgentReport extends infer R
  ? R extends AgentReport
    ? Omit<R, 'sequence' | 'at'>
    : never
  : never;
const report = (body: Body): void => {
  sequence += 1;
  batch.push({ sequence, at: new Date().toISOString(), ...body } as AgentReport);
  if (batch.length > 1) return;
  setImmediate(() => {
    const reports = batch;
    batch = [];
    deliver(reports);
  });
};
const answers: Record<string, (cluster: unknown) => unknown> = {
  drawKeys: () => ({ sealed: 's', public: { caHash: 'h', caCertificate: 'c', sshPublicKey: 's' } }),
  observe: (cluster) => ({
    cluster,
    at: new Date().toISOString(),
    infrastructure: { state: 'present', detail: '' },
    machines: [],
    unseen: [],
  }),
};
const link: AgentLink = {
  isConnected: true,
  epoch: 1,
  dispatch: ({ key, input }) => {
    const { thing } = input as { readonly thing: string };
    report({ type: 'started', key });
    report({ type: 'log', key, text: `working on ${thing}` });
    report({ type: 'ended', key, outcome: { state: 'succeeded', facts: { thing }, changed: true } });
  },
  cancel: () => undefined,
  acknowledge: () => undefined,
  ask: async (name, request) =>
    answers[name]?.((request as { context?: { cluster: unknown } }).context?.cluster) as never,
  preflight: () => Promise.reject(new Error('nothing is checked here')),
  onReports: (handler) => {
    deliver = handler;
  },
  onConnected: () => undefined,
};
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
const request = { text: tinyText({ name: 'one', things }), file: 'bench', principal: 'p' };
const applyFrom = process.cpuUsage();
await engine.apply(request);
const from = process.cpuUsage();
const wall = performance.now();
await ended;
const used = process.cpuUsage(from);
const steps = machines * chain;
const apply = process.cpuUsage(applyFrom);
console.log(
  `${machines} machines, ${steps} steps: ${((used.user + used.system) / 1000 / steps).toFixed(3)} ms CPU a step ` +
    `(the agent's share included), ${Math.round(performance.now() - wall)} ms in all; ` +
    `planning and admission ${Math.round((apply.user + apply.system - used.user - used.system) / 1000)} ms CPU`,
);
await engine.stop();
state.close();
rmSync(folder, { recursive: true, force: true });
