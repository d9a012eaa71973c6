import { PageSection } from '@patternfly/react-core';
import { useState } from 'react';
import { useOperation } from '../api/queries.ts';
import { StepList, type StepState } from '../create/step-list.tsx';
import type { DraftStep } from '../create/steps.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { RunView } from '../run/run-view.tsx';
import { Loading } from '../shell/loading.tsx';
import { DoneView } from './done-view.tsx';
import '../create/create.css';
import './done.css';

/** The last two steps of the wizard: the run, and what one has when it is over. */
export function RunPage({ operation: id }: { readonly operation: string }): React.JSX.Element {
  const { data: operation, error } = useOperation(id);
  const [isRunShown, setRunShown] = useState(false);
  // Once it is shown it stays: that the daemon is away for a while is said by the banner and by the run itself.
  if (operation === undefined)
    return error ? (
      <PageSection isFilled>
        <ProblemView error={error} />
      </PageSection>
    ) : (
      <Loading />
    );
  const isDone = operation.state === 'succeeded';
  const present = isDone && !isRunShown ? 'done' : 'run';
  const stateOf = (step: DraftStep | 'run' | 'done'): StepState => {
    if (step === present) return 'present';
    if (step === 'done') return isDone ? 'passed' : 'ahead';
    if (step === 'run') return isDone ? 'passed' : 'ahead';
    return 'passed';
  };
  return (
    <div className="remuda-create">
      <header className="remuda-create-head">
        <h1>New cluster: {operation.cluster.name}</h1>
      </header>
      <StepList stateOf={stateOf} present={present} />
      <div className="remuda-create-body">
        <div className="remuda-create-step">
          <div className="remuda-full">
            {present === 'done' ? (
              <DoneView operation={operation} onShowRun={() => setRunShown(true)} />
            ) : (
              <RunView operation={id} isPart />
            )}
          </div>
        </div>
      </div>
    </div>
  );
}
