import { Alert } from '@patternfly/react-core';
import { useState } from 'react';
import type { OperationDetail } from '../../../../daemon/api/types.ts';
import { ProblemReportView } from '../problem/problem-view.tsx';

/** An agent that restarts is back within this time; longer, and somebody should look. Milliseconds. */
const usually = 60_000;

const words = {
  title: 'The site’s agent is coming back',
  body: 'Running steps go on at the machines, and the rest follows as soon as it is here. There is nothing to do.',
} as const;

/** A run that waits for its agent: a quiet notice at first, and what to do about it when it stays away. */
export function AgentAway(props: {
  readonly operation: OperationDetail;
  readonly now: number;
}): React.JSX.Element {
  const { operation, now } = props;
  const [since] = useState(now);
  if (operation.problem !== undefined && now - since > usually)
    return <ProblemReportView report={operation.problem} />;
  return (
    <Alert variant="info" isInline component="p" title={words.title} className="remuda-agent-away">
      <p>{words.body}</p>
    </Alert>
  );
}
