import { Label } from '@patternfly/react-core';
import type { HealthSummary } from '../../../../daemon/api/types.ts';

const looks = {
  Healthy: 'success',
  Degraded: 'warning',
  Unhealthy: 'danger',
  Unknown: undefined,
} as const;

/** How a cluster is between operations: a word, a colour and a sign; what is wrong is its title. */
export function HealthLabel({ health }: { readonly health: HealthSummary }): React.JSX.Element {
  const { status, message = '' } = health;
  const look = looks[status];
  return (
    <span title={message}>
      <Label isCompact {...(look === undefined ? { color: 'grey' } : { status: look })}>
        {status}
      </Label>
    </span>
  );
}
