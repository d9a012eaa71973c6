import { Page, PageSection, SkipToContent } from '@patternfly/react-core';
import { lazy, Suspense } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { useLiveRenewal } from '../api/renewal.ts';
import { AwayBanner } from './away-banner.tsx';
import { Loading } from './loading.tsx';
import { Header } from './header.tsx';
import { NotFound } from './not-found.tsx';

const ClustersPage = lazy(async () => ({
  default: (await import('../clusters/clusters-page.tsx')).ClustersPage,
}));
const ClusterPage = lazy(async () => ({
  default: (await import('../cluster/cluster-page.tsx')).ClusterPage,
}));
const RestorePage = lazy(async () => ({
  default: (await import('../restore/restore-page.tsx')).RestorePage,
}));
const RotationPage = lazy(async () => ({
  default: (await import('../rotation/rotation-page.tsx')).RotationPage,
}));
const AdoptPage = lazy(async () => ({ default: (await import('../adopt/adopt-page.tsx')).AdoptPage }));
const SuppliesPage = lazy(async () => ({
  default: (await import('../supplies/supplies-page.tsx')).SuppliesPage,
}));
const LeftoversPage = lazy(async () => ({
  default: (await import('../leftovers/leftovers-page.tsx')).LeftoversPage,
}));
const AccountPage = lazy(async () => ({
  default: (await import('../account/account-page.tsx')).AccountPage,
}));
const AdministrationPage = lazy(async () => ({
  default: (await import('../administration/administration-page.tsx')).AdministrationPage,
}));
const NewPage = lazy(async () => ({ default: (await import('../create/new-page.tsx')).NewPage }));
const CreatePage = lazy(async () => ({ default: (await import('../create/create-page.tsx')).CreatePage }));
const RunPage = lazy(async () => ({ default: (await import('../done/run-page.tsx')).RunPage }));
const OperationPage = lazy(async () => ({
  default: (await import('../run/operation-page.tsx')).OperationPage,
}));

const contentId = 'content';

/** The frame around every page behind the door, and which address shows which page. */
export function Inside(): React.JSX.Element {
  const awaySince = useLiveRenewal();
  return (
    <Page
      masthead={<Header />}
      skipToContent={<SkipToContent href={`#${contentId}`}>Skip to content</SkipToContent>}
      mainContainerId={contentId}
      isContentFilled
    >
      <AwayBanner since={awaySince} />
      <Suspense fallback={<Loading />}>
        <Places />
      </Suspense>
    </Page>
  );
}

function Places(): React.JSX.Element {
  return (
    <Switch>
      <Route path="/">
        <Redirect to="/clusters" replace />
      </Route>
      <Route path="/clusters">
        <ClustersPage />
      </Route>
      <Route path="/clusters/:name/restore">{({ name }) => <RestorePage key={name} cluster={name} />}</Route>
      <Route path="/clusters/:name/rotation">
        {({ name }) => <RotationPage key={name} cluster={name} />}
      </Route>
      <Route path="/clusters/:name/:tab?">
        {({ name, tab }) => <ClusterPage key={name} name={name} {...(tab === undefined ? {} : { tab })} />}
      </Route>
      <Route path="/adopt">
        <AdoptPage />
      </Route>
      <Route path="/supplies">
        <SuppliesPage />
      </Route>
      <Route path="/leftovers">
        <LeftoversPage />
      </Route>
      <Route path="/administration/:part?">
        {({ part }) => <AdministrationPage {...(part === undefined ? {} : { part })} />}
      </Route>
      <Route path="/account">
        <AccountPage />
      </Route>
      <Route path="/new">
        <NewPage />
      </Route>
      <Route path="/create/:draft/:step?">
        {({ draft, step }) => <CreatePage key={draft} draft={draft} step={step ?? ''} />}
      </Route>
      <Route path="/run/:operation">
        {({ operation }) => <RunPage key={operation} operation={operation} />}
      </Route>
      <Route path="/operations/:id">{({ id }) => <OperationPage key={id} id={id} />}</Route>
      <Route>
        <PageSection isFilled>
          <NotFound />
        </PageSection>
      </Route>
    </Switch>
  );
}
