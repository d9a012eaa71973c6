/** Plain counters since the process started; whoever exports metrics reads them. */
export interface EngineCounters {
  dispatches: number;
  redispatches: number;
  reports: number;
  duplicateReports: number;
  stepsSucceeded: number;
  stepsFailed: number;
  stepsUnchanged: number;
  plansMade: number;
  operationsStarted: number;
  operationsSucceeded: number;
  operationsFailed: number;
  logLines: number;
}

/** Counters of a process that just started. */
export const newCounters = (): EngineCounters => ({
  dispatches: 0,
  redispatches: 0,
  reports: 0,
  duplicateReports: 0,
  stepsSucceeded: 0,
  stepsFailed: 0,
  stepsUnchanged: 0,
  plansMade: 0,
  operationsStarted: 0,
  operationsSucceeded: 0,
  operationsFailed: 0,
  logLines: 0,
});
