import { flushCompileCache } from 'node:module';
import { Fleet } from '../fleet/model/fleet.ts';
import { runningUnit } from '../fleet/model/machine.ts';
import { finalState } from '../fleet/final-state.ts';
import { serveFleet } from './model-socket.ts';
import { killRun, scaledClock } from './scaled-clock.ts';

/** What the test asks the model's process over its IPC channel. */
export type ModelQuestion = { readonly ask: 'report' } | { readonly ask: 'deleting' };

/** The model's own view at the end of a run. */
export interface ModelReport {
  readonly state: string;
  readonly violations: readonly string[];
  readonly births: readonly string[];
  readonly effects: readonly string[];
  /** Whether some command still runs on a machine. */
  readonly isBusy: boolean;
}

const run = killRun();
const clock = scaledClock(run);
const fleet = new Fleet();
const server = serveFleet(fleet, run.modelSocket, () => clock.milliseconds());

process.on('message', (question: ModelQuestion) => {
  fleet.settle(clock.milliseconds());
  if (question.ask === 'deleting') for (const cluster of fleet.clusters.values()) cluster.isGoing = true;
  const report: ModelReport = {
    state: finalState(fleet),
    violations: fleet.violations.map(({ kind, detail }) => `${kind}: ${detail}`),
    births: fleet.births,
    isBusy: fleet.machines().some((machine) => runningUnit(machine) !== undefined),
    effects: fleet.effects.map(({ at, call, target, by }) => `${at} ${call} ${target} (${by})`),
  };
  process.send?.(report);
});
process.on('disconnect', () => server.close(() => process.exit(0)));
server.once('listening', () => {
  process.send?.('ready');
  // Nobody ends this process but by a kill, which would not keep what was compiled.
  flushCompileCache();
});
