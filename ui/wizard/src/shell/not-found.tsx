import { EmptyState, EmptyStateActions, EmptyStateBody, EmptyStateFooter } from '@patternfly/react-core';
import { PathMissingIcon } from '@patternfly/react-icons';
import { Link } from 'wouter';

/** An address that shows nothing, or something one may not see. */
export function NotFound(): React.JSX.Element {
  return (
    <EmptyState titleText="There is nothing at this address" headingLevel="h1" icon={PathMissingIcon}>
      <EmptyStateBody>It may have been deleted, or it was never yours to see.</EmptyStateBody>
      <EmptyStateFooter>
        <EmptyStateActions>
          <Link href="/clusters">Go to your clusters</Link>
        </EmptyStateActions>
      </EmptyStateFooter>
    </EmptyState>
  );
}
