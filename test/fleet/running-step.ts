import { AttemptRunner } from '../../appliance/agent/attempts.ts';
import type { Clock } from '../../appliance/agent/clock.ts';
import type { AgentReport, Outcome } from '../../appliance/agent/protocol/dispatch.ts';
import { AttemptStore } from '../../appliance/agent/store.ts';
import type { Json } from '../../provisioners/contract/json.ts';
import type { ClusterIdentity } from '../../provisioners/contract/machine.ts';
import type { Ports, Waiting } from '../../provisioners/contract/ports.ts';
import type { AnyStep } from '../../provisioners/contract/step.ts';

/** One attempt that runs on the agent's own step loop, in an agent of its own. */
export interface RunningStep {
  readonly ended: Promise<Outcome>;
  cancel(): void;
  /** Everything it said so far. */
  reports(): readonly AgentReport[];
}

/** What an attempt is made of. */
interface AttemptOf {
  readonly steps: readonly AnyStep[];
  readonly kind: string;
  readonly input: object;
  readonly cluster: ClusterIdentity;
  readonly operation: string;
  readonly attempt: number;
  readonly clock: Clock;
  readonly ports: () => Ports;
}

/** Starts an attempt. */
export function startStep(of: AttemptOf): RunningStep {
  const { steps, kind, cluster, operation, attempt, clock, ports } = of;
  const store = new AttemptStore(':memory:');
  const runner = new AttemptRunner({
    steps: new Map(steps.map((step) => [step.kind, step])),
    store,
    epoch: 1,
    clock,
    ports,
  });
  const key = { operation, step: `${kind}/x`, attempt };
  const context = { cluster, provider: { name: 'p', type: 'lab' as const, config: {} }, secrets: {} };
  // As it arrives over the link.
  const input = JSON.parse(JSON.stringify(of.input)) as Json;
  runner.dispatch({ key, epoch: 1, kind, version: 1, input, context });
  const never = new AbortController().signal;
  const end = async (): Promise<Outcome> => {
    for (let seen = 0; ; await clock.sleep(200, never)) {
      for (const report of runner.reports(seen, 1000)) {
        seen = report.sequence;
        if (report.type === 'ended') return report.outcome;
      }
    }
  };
  return {
    ended: end(),
    cancel: () => runner.cancel(key),
    reports: () => {
      store.outbox.commit();
      return runner.reports(0, 100_000);
    },
  };
}

/** What an attempt waits for just now, as it says it. */
export function waitOf(running: Pick<RunningStep, 'reports'>): Waiting | undefined {
  const last = running.reports().findLast(({ type }) => type === 'waiting');
  return last?.type === 'waiting' ? last.waiting : undefined;
}

/** Log lines of an attempt. */
export const logOf = (running: Pick<RunningStep, 'reports'>): readonly string[] =>
  running.reports().flatMap((report) => (report.type === 'log' ? [report.text] : []));
