import { Progress, ProgressMeasureLocation, ProgressSize } from '@patternfly/react-core';
import { Link } from 'wouter';
import type { OperationView } from '../../../../daemon/api/types.ts';
import { texts } from './texts.ts';

const verbs = {
  create: 'Making it',
  update: 'Changing it',
  delete: 'Deleting it',
  backup: 'Backing it up',
  adopt: 'Adopting it',
  eject: 'Ejecting it',
  finalize: 'Finalizing its upgrade',
  restore: 'Restoring its data',
  renew: 'Renewing its certificates',
  rotate: 'Rotating its authorities',
} as const;
const waits = {
  approval: 'waits for approval',
  agent: 'waits for the agent',
  operation: 'waits its turn',
  space: 'waits for disk space',
  window: 'waits for its maintenance window',
  pause: 'pauses between two machines',
} as const;

/** Whether an operation is under way. */
export const isUnderWay = ({ state }: OperationView): boolean =>
  state === 'planned' || state === 'waiting' || state === 'running';

/** What is done with a cluster just now, with how far it has come. */
export function Running({ operation }: { readonly operation: OperationView | undefined }): React.JSX.Element {
  if (operation === undefined || (!isUnderWay(operation) && operation.state !== 'failed'))
    return <span className="remuda-subtle">{texts.idle}</span>;
  const { steps, kind, state, waitingFor, id } = operation;
  const share = steps.total === 0 ? 0 : Math.round((steps.ended / steps.total) * 100);
  const detail = waitingFor === undefined ? `${steps.ended} of ${steps.total} steps` : waits[waitingFor];
  const text = state === 'failed' ? `${verbs[kind]}: stopped` : `${verbs[kind]}: ${detail}`;
  return (
    <Link href={`/operations/${id}`} className="remuda-running">
      <span>{text}</span>
      <Progress
        aria-label={text}
        value={share}
        size={ProgressSize.sm}
        measureLocation={ProgressMeasureLocation.none}
        {...(state === 'failed' ? { variant: 'danger' as const } : {})}
      />
    </Link>
  );
}
