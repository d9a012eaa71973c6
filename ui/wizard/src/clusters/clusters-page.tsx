import {
  Button,
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
  PageSection,
  Title,
} from '@patternfly/react-core';
import { ClusterIcon, PlusCircleIcon } from '@patternfly/react-icons';
import { Link, useLocation } from 'wouter';
import { useClusters } from '../api/queries.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { Permitted } from '../session/permitted.tsx';
import { useHasRole } from '../session/session.ts';
import { Loading } from '../shell/loading.tsx';
import { ClusterTable } from './cluster-table.tsx';
import { DraftList } from './draft-list.tsx';
import { texts } from './texts.ts';
import './clusters.css';

/** All clusters one may see, and the drafts of those to come. */
export function ClustersPage(): React.JSX.Element {
  const { data, error } = useClusters();
  const isSomething = data !== undefined && data.length > 0;
  return (
    <PageSection isWidthLimited isFilled aria-label={texts.title}>
      <div className="remuda-page-head">
        <Title headingLevel="h1">{texts.title}</Title>
        {isSomething ? (
          <div className="remuda-buttons">
            <CreateButton />
            <AdoptLink />
          </div>
        ) : undefined}
      </div>
      <ProblemView error={error} />
      {data === undefined && !error ? <Loading /> : undefined}
      {data?.length === 0 ? <Nothing /> : undefined}
      {isSomething ? <ClusterTable clusters={data} /> : undefined}
      <DraftList />
    </PageSection>
  );
}

/** Where a cluster is taken in that runs already. */
function AdoptLink(): React.JSX.Element | undefined {
  const mayAdopt = useHasRole('admin');
  return mayAdopt ? (
    <Link className="pf-v6-c-button pf-m-link" href="/adopt">
      {texts.adopt}
    </Link>
  ) : undefined;
}

function CreateButton(): React.JSX.Element {
  const [, go] = useLocation();
  const mayCreate = useHasRole('operator');
  return (
    <Permitted isAllowed={mayCreate} needed="operator">
      <Button icon={<PlusCircleIcon />} isDisabled={!mayCreate} onClick={() => go('/new')}>
        {texts.create}
      </Button>
    </Permitted>
  );
}

function Nothing(): React.JSX.Element {
  const seesEverything = useHasRole('viewer');
  return (
    <EmptyState titleText={texts.emptyTitle} headingLevel="h2" icon={ClusterIcon}>
      <EmptyStateBody>{seesEverything ? texts.emptyBody : texts.emptyUser}</EmptyStateBody>
      {seesEverything ? (
        <EmptyStateFooter>
          <EmptyStateActions>
            <CreateButton />
          </EmptyStateActions>
          <EmptyStateActions>
            <AdoptLink />
          </EmptyStateActions>
        </EmptyStateFooter>
      ) : undefined}
    </EmptyState>
  );
}
