import { describeBoundaries } from './boundary-matrix.ts';

describeBoundaries(['daemon']);
