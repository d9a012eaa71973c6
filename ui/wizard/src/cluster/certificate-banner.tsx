import { Alert } from '@patternfly/react-core';
import { Link } from 'wouter';
import type { ClusterView } from '../../../../daemon/api/types.ts';
import { Time } from '../time/time.tsx';
import { texts } from './texts.ts';

const { certificateTab: words } = texts;
const variants = { notice: 'info', warning: 'warning', critical: 'danger', expired: 'danger' } as const;

/** Says that certificates are near their end, and where new ones come from; nothing while none is. */
export function CertificateBanner({
  cluster: { name, certificates },
}: {
  readonly cluster: Pick<ClusterView, 'name' | 'certificates'>;
}): React.JSX.Element | undefined {
  if (certificates?.first === undefined || certificates.level === 'ok') return undefined;
  const { level, count, first } = certificates;
  return (
    <Alert
      isInline
      component="p"
      variant={variants[level]}
      title={words.banner(count, level === 'expired')}
      actionLinks={<Link href={`/clusters/${name}/certificates`}>{words.see}</Link>}
    >
      {`${first.name} on ${first.machine}: `}
      <Time at={first.notAfter} form="full" />
    </Alert>
  );
}
