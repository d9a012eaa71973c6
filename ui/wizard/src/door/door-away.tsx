import { Button } from '@patternfly/react-core';
import { ProblemView } from '../problem/problem-view.tsx';
import { DoorFrame } from './door-frame.tsx';

/** The daemon cannot be asked who is there. */
export function DoorAway(props: {
  readonly error: unknown;
  readonly onAgain: () => void;
}): React.JSX.Element {
  return (
    <DoorFrame title="Remuda is not reachable">
      <ProblemView
        error={props.error}
        actions={
          <Button variant="link" isInline onClick={props.onAgain}>
            Try again now
          </Button>
        }
      />
    </DoorFrame>
  );
}
