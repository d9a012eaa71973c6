import { dirname } from 'node:path';
/**
 * A fake agent process for the kill test: the real runner, store and ports, no link, one step. It is told what to do
 * by a JSON file, and is killed with SIGKILL by the test.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { AttemptRunner } from '../../appliance/agent/attempts.ts';
import { systemClock } from '../../appliance/agent/clock.ts';
import { PayloadSupply } from '../../appliance/agent/payload-supply.ts';
import { createPorts } from '../../appliance/agent/ports.ts';
import type { Dispatch } from '../../appliance/agent/protocol/dispatch.ts';
import { AttemptStore } from '../../appliance/agent/store.ts';
import { machineRefSchema } from '../../provisioners/contract/machine.ts';
import { defineStep } from '../../provisioners/contract/step.ts';
import { LabProvider, labSettings } from '../../provisioners/infrastructure/lab/provider.ts';
import { payloadCache } from '../../provisioners/payload/cache.ts';

const file = process.argv[2] ?? '';
const told = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly database: string;
  readonly identity: string;
  readonly epoch: number;
  readonly dispatch: Dispatch;
};

const step = defineStep<{ machine: z.infer<typeof machineRefSchema> }, { ended: boolean }>({
  kind: 'test.join',
  version: 1,
  nature: 'ensure',
  phase: 'workers',
  destructive: false,
  title: () => 'Run the fake kubeadm',
  schema: z.strictObject({ machine: machineRefSchema }),
  limits: { soft: 60_000, hard: 120_000, attempts: 3 },
  async observe(context, { machine }) {
    const run = await context.kubeadm.observe(machine, 'join');
    if (run.state === 'absent') return { state: 'todo', why: 'never started' };
    if (run.state === 'running')
      return { state: 'pending', what: 'the join', since: run.since, usually: 10_000 };
    if (run.exitCode === 0) return { state: 'done', facts: { ended: true } };
    return { state: 'broken', why: run.lastLines.join(' ') };
  },
  apply: (context, { machine }) =>
    context.kubeadm.run(machine, { verb: 'join', config: '/c', skipPhases: [], ignorePreflightErrors: [] }),
});

const provider = new LabProvider(await labSettings());
const real = createPorts({
  identity: told.identity,
  providers: new Map([['lab', () => provider]]),
  stateFolder: dirname(told.database),
  supply: new PayloadSupply({
    cache: payloadCache(),
    trusted: async () => [],
    stateFolder: dirname(told.database),
  }),
});
const runner = new AttemptRunner({
  steps: new Map([[step.kind, step]]),
  store: new AttemptStore(told.database),
  ports: real.ports,
  clock: systemClock,
  epoch: told.epoch,
});
runner.onReports(() => {
  process.send?.(runner.reports(0, 1_000_000));
});
runner.resume();
runner.dispatch(told.dispatch);
