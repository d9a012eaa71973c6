import type { ClusterIdentity } from '../../provisioners/contract/machine.ts';
import type { Ports } from '../../provisioners/contract/ports.ts';
import { reportOf } from '../../provisioners/contract/problem.ts';
import {
  type AnyStep,
  type Observation,
  phases,
  type StepContext,
} from '../../provisioners/contract/step.ts';
import type { Json } from '../../provisioners/contract/json.ts';
import { findingsFactsSchema } from '../../provisioners/kubernetes/preflight/findings.ts';
import type { Clock } from './clock.ts';
import type { PreflightResult, PreflightStep } from './protocol/questions.ts';

/** What looking once needs. */
export interface CheckGround {
  readonly steps: ReadonlyMap<string, AnyStep>;
  readonly ports: Ports;
  readonly cluster: ClusterIdentity;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** One look at a step of the phase `preflight`: all that it found at once, nothing awaited, nothing applied. */
export async function lookOnce(ground: CheckGround, asked: PreflightStep): Promise<PreflightResult> {
  const { id } = asked;
  try {
    const step = ground.steps.get(asked.kind);
    if (step?.phase !== phases[0] || asked.version > step.version)
      throw new Error(`${asked.kind} version ${asked.version} is no check that this agent knows`);
    const seen = await step.observe(lookingContext(ground, id), step.schema.parse(asked.input));
    return { step: id, ...readObservation(seen, asked.kind) };
  } catch (thrown) {
    return { step: id, findings: [], problem: reportOf(thrown, `preflight/${id}`) };
  }
}

function readObservation(seen: Observation<Json>, kind: string): Omit<PreflightResult, 'step'> {
  if (seen.state === 'done') return findingsFactsSchema.parse(seen.facts);
  if (seen.state !== 'blocked')
    throw new Error(`${kind} is ${seen.state}, and a check is only done or blocked`);
  if (seen.findings !== undefined) return { findings: seen.findings };
  const problem = { kind: 'blocked', code: 'STEP-001', summary: seen.why, remedy: seen.remedy } as const;
  return { findings: [], problem };
}

/** What a step needs to look, outside of any operation: it logs nothing and nobody follows it. */
export function lookingContext({ ports, cluster, clock, signal }: CheckGround, step: string): StepContext {
  return {
    ...ports,
    cluster,
    operation: 'question',
    step,
    attempt: 1,
    key: `question/${step}`,
    signal,
    now: () => clock.now(),
    sleep: (duration) => clock.sleep(duration, signal),
    log: () => {},
    progress: () => {},
    waiting: () => {},
  };
}
