import { ruleCodes } from './codes-of-rules.ts';
import { valueCodes } from './codes-of-values.ts';

/** One entry of the catalogue of problem codes. */
export interface ProblemCode {
  readonly title: string;
  readonly explanation: string;
  readonly remedy: string;
}

/**
 * Every code a problem with an answer file may have. Codes are stable: one that falls out of use is never given a new
 * meaning.
 */
export const specCodes: Readonly<Record<string, ProblemCode>> = { ...valueCodes, ...ruleCodes };
