import type { ProblemCatalogue } from '../../provisioners/contract/problem.ts';
import { ruleCodes } from './codes-of-rules.ts';
import { valueCodes } from './codes-of-values.ts';

/**
 * Every code a problem with an answer file may have. Codes are stable: one that falls out of use is never given a new
 * meaning.
 */
export const specCodes: ProblemCatalogue = { ...valueCodes, ...ruleCodes };
