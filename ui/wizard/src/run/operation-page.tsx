import { PageSection } from '@patternfly/react-core';
import { useOperation } from '../api/queries.ts';
import { DeletionProof } from '../done/deletion-proof.tsx';
import { RunView } from './run-view.tsx';

/** The page of one operation; at the end of a deletion with the proof of what became of everything. */
export function OperationPage({ id }: { readonly id: string }): React.JSX.Element {
  const { data } = useOperation(id);
  const isDeletion = data?.kind === 'delete' && data.state === 'succeeded';
  return (
    <PageSection isFilled hasBodyWrapper={false} className="remuda-run-page">
      {isDeletion ? <DeletionProof operation={data} /> : undefined}
      <RunView operation={id} />
    </PageSection>
  );
}
