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
        <Switch>
          <Route path="/">
            <Redirect to="/clusters" replace />
          </Route>
          <Route path="/clusters">
            <ClustersPage />
          </Route>
          <Route path="/operations/:id">{({ id }) => <OperationPage id={id} />}</Route>
          <Route>
            <PageSection isFilled>
              <NotFound />
            </PageSection>
          </Route>
        </Switch>
      </Suspense>
    </Page>
  );
}
