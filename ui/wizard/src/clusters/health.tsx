import { Label } from '@patternfly/react-core';
import type { ClusterView } from '../../../../daemon/api/types.ts';

type Phase = ClusterView['phase'];

const looks: Readonly<
  Record<
    Phase,
    { readonly text: string; readonly status?: 'success' | 'warning' | 'danger' | 'info' | 'custom' }
  >
> = {
  Pending: { text: 'Not begun' },
  Provisioning: { text: 'Being made', status: 'info' },
  Ready: { text: 'Ready', status: 'success' },
  Updating: { text: 'Being changed', status: 'info' },
  AwaitingFinalize: { text: 'Upgraded, to be finalized', status: 'warning' },
  Waiting: { text: 'Waits for you', status: 'warning' },
  Failed: { text: 'Stopped', status: 'danger' },
  Deleting: { text: 'Being deleted', status: 'info' },
  Deleted: { text: 'Deleted' },
};

/** The word for how a cluster is. */
export const healthText = (phase: Phase): string => looks[phase].text;

/** How a cluster is: a word, a colour and a sign, never the colour alone. */
export function Health({ phase }: { readonly phase: Phase }): React.JSX.Element {
  const { status } = looks[phase];
  return (
    <Label isCompact {...(status === undefined ? { color: 'grey' } : { status })}>
      {healthText(phase)}
    </Label>
  );
}
