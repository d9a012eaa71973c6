import { Alert } from '@patternfly/react-core';
import type { OperationDetail } from '../../../../daemon/api/types.ts';
import { durationText, Time } from '../time/time.tsx';

const titles = {
  window: 'Waits for its maintenance window',
  pause: 'Pauses between two machines',
} as const;

/** A run that time alone holds: until when, how long yet, and what one could do. No alarm: it is as somebody asked. */
export function Held(props: {
  readonly operation: OperationDetail;
  readonly cause: keyof typeof titles;
  readonly now: number;
}): React.JSX.Element {
  const { operation, cause, now } = props;
  const { waitsUntil, problem } = operation;
  return (
    <Alert variant="info" isInline component="p" title={titles[cause]} className="remuda-held">
      {waitsUntil === undefined ? undefined : (
        <p>
          Goes on by itself at <Time at={waitsUntil} form="full" /> your time, in{' '}
          {durationText(Date.parse(waitsUntil) - now)}.
        </p>
      )}
      {problem === undefined ? undefined : <p>{problem.summary}</p>}
    </Alert>
  );
}
