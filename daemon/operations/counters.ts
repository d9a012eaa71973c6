import type { EngineCounters } from './requests.ts';

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
