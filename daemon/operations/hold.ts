import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import type { Instant } from '../../provisioners/contract/time.ts';

/** Why steps that disturb what runs may not begin yet, and until when. */
export interface Hold {
  readonly for: 'window' | 'pause';
  readonly until: Instant;
  readonly problem: ProblemReport;
}

/** What an operation that is being run may wait for as a whole. */
export type Pause = 'agent' | 'space' | Hold['for'];

/** Whether time alone ends it: then only the steps that may come next tell whether it goes on. */
export const isOfTime = (pause: Pause | undefined): pause is Hold['for'] =>
  pause === 'window' || pause === 'pause';
