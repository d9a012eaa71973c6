import { PageSection } from '@patternfly/react-core';
import { RunView } from './run-view.tsx';

/** The page of one operation. */
export function OperationPage({ id }: { readonly id: string }): React.JSX.Element {
  return (
    <PageSection isFilled hasBodyWrapper={false} className="remuda-run-page">
      <RunView operation={id} />
    </PageSection>
  );
}
