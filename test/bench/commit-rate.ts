import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Plan } from '../../provisioners/contract/plan.ts';
import { State } from '../../daemon/state/state.ts';

/**
 * Measures the journal on the disk under the temporary folder (TMPDIR chooses another): single commits, grouped ones,
 * and the start with 200 clusters in state. Prints; asserts nothing.
 */
const folder = mkdtempSync(join(tmpdir(), 'remuda-bench-commit-'));
const state = new State({ folder });
const event = {
  at: new Date().toISOString(),
  type: 'bench',
  data: { some: 'text of an ordinary length', n: 1 },
};

async function rate(writers: number, total: number): Promise<{ perSecond: number; p99: number }> {
  const latencies: number[] = [];
  const started = performance.now();
  const work = Array.from({ length: writers }, async () => {
    for (let done = 0; done < total / writers; done += 1) {
      const from = performance.now();
      await state.journal.write(() => state.events.append(event));
      latencies.push(performance.now() - from);
    }
  });
  await Promise.all(work);
  const seconds = (performance.now() - started) / 1000;
  latencies.sort((one, other) => one - other);
  return {
    perSecond: latencies.length / seconds,
    p99: latencies[Math.floor(latencies.length * 0.99)] as number,
  };
}

function fillWithClusters(count: number): void {
  const at = new Date().toISOString();
  const { database } = state;
  state.providers.put({
    name: 'dc',
    type: 'lab',
    site: 'local',
    destination: 'd',
    document: {},
    principal: 'p',
    updatedAt: at,
  });
  const steps = Array.from({ length: 60 }, (_, index) => ({
    id: `step.make/${index}`,
    kind: 'step.make',
    version: 1,
    phase: 'machines' as const,
    subject: String(index),
    title: `step ${index}`,
    input: { text: 'x'.repeat(400) },
    after: [],
    destructive: false,
  }));
  database.transaction(() => {
    for (let index = 0; index < count; index += 1) {
      const uid = `u${index}`;
      const keys = {
        sealed: 'k'.repeat(8000),
        public: { caHash: 'h', caCertificate: 'c'.repeat(1000), sshPublicKey: 's' },
      };
      const premises = { revision: 'r', observedAt: at, machines: {}, versions: {} };
      const plan: Plan = {
        kind: 'create',
        cluster: { uid, name: uid },
        premises,
        steps,
        destroys: [],
        notices: [],
        changes: [],
      };
      state.clusters.add({ uid, name: uid, provider: 'dc', keys, createdAt: at });
      state.operations.add({
        id: `o${index}`,
        cluster: uid,
        kind: 'create',
        state: 'succeeded',
        principal: 'p',
        revision: 1,
        planNumber: 1,
        bypass: [],
        approved: [],
        isCancelRequested: false,
        createdAt: at,
      });
      state.plans.add({ operation: `o${index}`, number: 1, hash: 'h', plan, at });
      for (const [position, { id }] of steps.entries())
        state.steps.plan(`o${index}`, 1, { id, position, state: 'planned' });
      for (let number = 0; number < 500; number += 1)
        state.events.append({ ...event, operation: `o${index}` });
    }
  })();
}

for (const [writers, total] of [
  [1, 300],
  [10, 2000],
  [100, 20_000],
  [1000, 100_000],
] as const) {
  const { perSecond, p99 } = await rate(writers, total);
  console.log(`${writers} writers: ${Math.round(perSecond)} writes/s, p99 ${p99.toFixed(1)} ms`);
}
fillWithClusters(200);
state.close();
for (const stop of ['clean', 'unclean']) {
  const from = performance.now();
  const again = new State({ folder });
  console.log(
    `start after a ${again.lastStop} stop with 200 clusters: ${Math.round(performance.now() - from)} ms`,
  );
  if (stop === 'clean') again.database.close();
  else again.close();
}
rmSync(folder, { recursive: true, force: true });
