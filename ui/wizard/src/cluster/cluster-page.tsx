import { Breadcrumb, BreadcrumbItem, Button, PageSection, Title } from '@patternfly/react-core';
import { useState } from 'react';
import { Link } from 'wouter';
import type { ClusterDetail } from '../../../../daemon/api/types.ts';
import { Refusal } from '../api/http.ts';
import { useCluster } from '../api/queries.ts';
import { HealthLabel } from '../clusters/health-label.tsx';
import { Health } from '../clusters/health.tsx';
import { isUnderWay, Running } from '../clusters/running.tsx';
import { ProblemView } from '../problem/problem-view.tsx';
import { Permitted } from '../session/permitted.tsx';
import { useHasRole } from '../session/session.ts';
import { AddressTabs } from '../shell/address-tabs.tsx';
import { Loading } from '../shell/loading.tsx';
import { NotFound } from '../shell/not-found.tsx';
import { AccessTab } from './access-tab.tsx';
import { BackupsTab } from './backups-tab.tsx';
import { CertificateBanner } from './certificate-banner.tsx';
import { CertificatesTab } from './certificates-tab.tsx';
import { DeleteQuestion } from './delete-question.tsx';
import { DriftTab } from './drift-tab.tsx';
import { EventsTab } from './events-tab.tsx';
import { MachinesTab } from './machines-tab.tsx';
import { OperationsTab } from './operations-tab.tsx';
import { OverviewTab } from './overview-tab.tsx';
import { UpgradeBanner } from './upgrade-banner.tsx';
import { texts } from './texts.ts';
import { YamlTab } from './yaml-tab.tsx';
import './cluster.css';

const tabs = [
  'overview',
  'machines',
  'drift',
  'certificates',
  'backups',
  'operations',
  'events',
  'access',
  'yaml',
] as const;
type TabName = (typeof tabs)[number];

/** Everything about one cluster; the tab is in the address. */
export function ClusterPage(props: { readonly name: string; readonly tab?: string }): React.JSX.Element {
  const { name, tab } = props;
  const { data, error } = useCluster(name);
  const present = tabs.find((each) => each === tab) ?? 'overview';
  if (error instanceof Refusal && error.details.status === 404)
    return (
      <PageSection isFilled>
        <NotFound />
      </PageSection>
    );
  return (
    <PageSection isWidthLimited isFilled aria-label={name}>
      <Breadcrumb>
        <BreadcrumbItem>
          <Link href="/clusters">Clusters</Link>
        </BreadcrumbItem>
        <BreadcrumbItem isActive>{name}</BreadcrumbItem>
      </Breadcrumb>
      <ProblemView error={error} />
      {data === undefined && !error ? <Loading /> : undefined}
      {data === undefined ? undefined : <Parts cluster={data} present={present} />}
    </PageSection>
  );
}

function Parts(props: { readonly cluster: ClusterDetail; readonly present: TabName }): React.JSX.Element {
  const { cluster, present } = props;
  return (
    <>
      <Head cluster={cluster} />
      <div className="remuda-banners">
        <UpgradeBanner cluster={cluster} />
        <CertificateBanner cluster={cluster} />
      </div>
      <AddressTabs
        label={`Parts of ${cluster.name}`}
        parts={tabs.map((name) => ({ name, title: texts.tabs[name] }))}
        present={present}
        addressOf={(name) => `/clusters/${cluster.name}/${name}`}
      >
        <TabContent tab={present} cluster={cluster} />
      </AddressTabs>
    </>
  );
}

function TabContent({
  tab,
  cluster,
}: {
  readonly tab: TabName;
  readonly cluster: ClusterDetail;
}): React.JSX.Element {
  const contents: Readonly<Record<TabName, () => React.JSX.Element>> = {
    overview: () => <OverviewTab cluster={cluster} />,
    machines: () => <MachinesTab cluster={cluster.name} />,
    certificates: () => <CertificatesTab cluster={cluster.name} />,
    backups: () => <BackupsTab cluster={cluster.name} />,
    drift: () => <DriftTab cluster={cluster.name} />,
    operations: () => <OperationsTab cluster={cluster.name} />,
    events: () => <EventsTab cluster={cluster.name} />,
    access: () => <AccessTab cluster={cluster.name} />,
    yaml: () => <YamlTab cluster={cluster} />,
  };
  return <div className="remuda-tab">{contents[tab]()}</div>;
}

function Head({ cluster }: { readonly cluster: ClusterDetail }): React.JSX.Element {
  const [isAsking, setAsking] = useState(false);
  const mayDelete = useHasRole('operator', cluster.name);
  const { operation } = cluster;
  return (
    <div className="remuda-page-head">
      <div className="remuda-cluster-title">
        <Title headingLevel="h1">{cluster.name}</Title>
        <Health phase={cluster.phase} />
        {cluster.health === undefined ? undefined : <HealthLabel health={cluster.health} />}
        {operation !== undefined && isUnderWay(operation) ? <Running operation={operation} /> : undefined}
      </div>
      <Permitted isAllowed={mayDelete} needed="operator" cluster={cluster.name}>
        <Button variant="secondary" isDanger isDisabled={!mayDelete} onClick={() => setAsking(true)}>
          {texts.delete}
        </Button>
      </Permitted>
      {isAsking ? <DeleteQuestion name={cluster.name} onClose={() => setAsking(false)} /> : undefined}
    </div>
  );
}
