import { Alert, AlertActionLink } from '@patternfly/react-core';
import { useState } from 'react';
import type { ClusterDetail } from '../../../../daemon/api/types.ts';
import { valueAt } from '../answer-file/stream.ts';
import { useMachines } from '../api/queries.ts';
import { useHasRole } from '../session/session.ts';
import { IntentQuestion } from './intent-question.tsx';

const words = {
  title: (version: string) => `Upgraded to Kubernetes ${version}, and not finalized yet`,
  kept: (names: string) => `Kept for the way back, sealed off and without work: ${names}.`,
  back: 'To go back, apply the answer file with the version from before. When all is well, finalize: what is kept is destroyed, and the next upgrade may come.',
  action: 'Finalize…',
  question: (cluster: string) => `Finalize the upgrade of ${cluster}?`,
  now: 'Finalize',
  nothing: 'Nothing is kept any more.',
  needed: 'Finalizing needs the role operator. An administrator can give it to you.',
} as const;

/** What is left of an upgrade, and how it ends; nothing for clusters that have none open. */
export function UpgradeBanner({
  cluster,
}: {
  readonly cluster: ClusterDetail;
}): React.JSX.Element | undefined {
  const [isAsking, setAsking] = useState(false);
  const mayFinalize = useHasRole('operator', cluster.name);
  const { data: machines = [] } = useMachines();
  if (cluster.phase !== 'AwaitingFinalize') return undefined;
  const kept = machines.filter((one) => one.cluster === cluster.name && one.departure === 'kept');
  const version = String(valueAt(cluster.desired, ['spec', 'kubernetes', 'version']) ?? '');
  return (
    <>
      <Alert
        isInline
        variant="info"
        component="p"
        title={words.title(version)}
        {...(mayFinalize
          ? {
              actionLinks: <AlertActionLink onClick={() => setAsking(true)}>{words.action}</AlertActionLink>,
            }
          : {})}
      >
        {kept.length === 0 ? undefined : <p>{words.kept(kept.map(({ name }) => name).join(', '))}</p>}
        <p>{words.back}</p>
        {mayFinalize ? undefined : <p>{words.needed}</p>}
      </Alert>
      {isAsking ? (
        <IntentQuestion
          cluster={cluster.name}
          intent={{ kind: 'finalize' }}
          words={{ title: words.question(cluster.name), action: words.now, nothing: words.nothing }}
          onClose={() => setAsking(false)}
        />
      ) : undefined}
    </>
  );
}
