import { createHash } from 'node:crypto';
import type { HookPoint, Occasion } from '../contract/hooks.ts';
import { UserProblem } from '../contract/problem.ts';
import type { StepContext } from '../contract/step.ts';
import type { Duration } from '../contract/time.ts';

const points: Readonly<Record<HookPoint, string>> = {
  beforeOperation: 'before the operation',
  beforeDrain: 'before the drain',
  afterDrain: 'after the drain',
  afterBoot: 'after the boot',
  afterOperation: 'after the operation',
};

/** When a hook runs, as people read it: `before the drain of demo-general-1`. */
export const pointWords = ({ at, machine }: Pick<Occasion, 'at' | 'machine'>): string =>
  machine === undefined ? points[at] : `${points[at]} of ${machine}`;

/** What a script or a Job finds in its environment. Never a secret. */
export const environmentOf = (
  { cluster, operation }: Pick<StepContext, 'cluster' | 'operation'>,
  { hook, at, reason, machine }: Occasion,
): Readonly<Record<string, string>> => ({
  REMUDA_CLUSTER: cluster.name,
  REMUDA_HOOK: hook,
  REMUDA_AT: at,
  REMUDA_REASON: reason,
  REMUDA_OPERATION: operation,
  ...(machine === undefined ? {} : { REMUDA_MACHINE: machine }),
});

/** One hook on one occasion under one short name, the same in every attempt. */
export const deliveryId = ({ cluster, key }: Pick<StepContext, 'cluster' | 'key'>): string =>
  createHash('sha256').update(`${cluster.uid}\n${key}`).digest('hex').slice(0, 24);

/** How a run of a hook came to a bad end. */
interface BadEnd {
  readonly occasion: Occasion;
  readonly cluster: string;
  /** `on demo-cp-1`, `as Job default/remuda-flush-…`. */
  readonly where: string;
  readonly machine?: string;
  readonly exitCode?: number;
  readonly isTimedOut: boolean;
  readonly timeout: Duration;
  readonly lastLines: readonly string[];
}

/** What a run that ended badly means: its hook, its place, how it ended and what it printed last. */
export function badEnd(end: BadEnd): UserProblem {
  const { occasion, cluster, where, machine, exitCode, isTimedOut, timeout, lastLines } = end;
  const said = lastLines.at(-1) ?? 'it printed nothing';
  const how = isTimedOut
    ? `took longer than its timeout of ${Math.round(timeout / 1000)} s and was stopped`
    : `failed${exitCode === undefined ? '' : ` with exit code ${exitCode}`}`;
  return new UserProblem(
    isTimedOut ? 'HOOK-002' : 'HOOK-001',
    `The hook ${occasion.hook} ${where} (${occasion.at}) ${how}: ${said}`,
    {
      ...(machine === undefined ? {} : { machine }),
      place: { document: `Cluster/${cluster}`, field: 'spec.hooks' },
      command: `hook ${occasion.hook}`,
      lastLines,
      remedy:
        'Mend its cause and resume the operation: the hook runs again. Or change or remove the hook in spec.hooks and apply.',
    },
  );
}
