import { EmptyState, EmptyStateBody, EmptyStateFooter, PageSection } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { ProblemView } from '../problem/problem-view.tsx';
import { Loading } from '../shell/loading.tsx';
import { openDraft } from './draft.ts';
import { DraftView } from './draft-view.tsx';
import './create.css';

/** The wizard at one draft; the step is in the address. */
export function CreatePage(props: { readonly draft: string; readonly step: string }): React.JSX.Element {
  const { draft, step } = props;
  const { data, error } = useQuery({
    queryKey: ['drafts', 'open', draft],
    queryFn: async () => (await openDraft(draft)) ?? null,
    staleTime: Infinity,
    gcTime: 0,
  });
  if (error)
    return (
      <PageSection isFilled>
        <ProblemView error={error} />
      </PageSection>
    );
  if (data === undefined) return <Loading />;
  if (data === null)
    return (
      <PageSection isFilled>
        <EmptyState titleText="This draft is no longer there" headingLevel="h1">
          <EmptyStateBody>It was applied or discarded, perhaps in another window.</EmptyStateBody>
          <EmptyStateFooter>
            <Link href="/clusters">Go to your clusters</Link>
          </EmptyStateFooter>
        </EmptyState>
      </PageSection>
    );
  return <DraftView key={draft} id={draft} start={data} step={step} />;
}
