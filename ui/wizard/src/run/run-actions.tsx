import { useMutation } from '@tanstack/react-query';
import { Button } from '@patternfly/react-core';
import { useState } from 'react';
import type { OperationDetail } from '../../../../daemon/api/types.ts';
import { post } from '../api/http.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { useHasRole } from '../session/session.ts';
import { type Action, RunQuestion } from './run-questions.tsx';

/** Actions that make sense in the operation's state. */
function sensible(operation: OperationDetail): readonly Action[] {
  if (operation.isResumable) return ['resume'];
  if (operation.isCancelling === true) return [];
  if (operation.state === 'waiting' && operation.waitingFor === 'approval') return ['approve', 'cancel'];
  if (operation.state === 'waiting' && operation.waitingFor === 'window')
    return ['override-window', 'cancel'];
  const isOpen =
    operation.state === 'running' || operation.state === 'waiting' || operation.state === 'planned';
  return isOpen ? ['cancel'] : [];
}

/** Buttons for what can be done now; who may not do it sees them disabled and is told which role it needs. */
export function RunActions(props: {
  readonly operation: OperationDetail;
  readonly onChanged: () => void;
}): React.JSX.Element | undefined {
  const { operation, onChanged } = props;
  const [asked, setAsked] = useState<Action>();
  const isOperator = useHasRole('operator', operation.cluster.name);
  const isAdmin = useHasRole('admin', operation.cluster.name);
  const mayDo = (action: Action): boolean => (action === 'override-window' ? isAdmin : isOperator);
  const act = useMutation({
    mutationFn: ({ action, body }: { readonly action: Action; readonly body: unknown }) =>
      post(`/api/v1/operations/${encodeURIComponent(operation.id)}/${action}`, body),
    onSuccess: () => {
      setAsked(undefined);
      onChanged();
    },
  });
  const actions = sensible(operation);
  if (actions.length === 0) return undefined;
  const lacks = actions.find((action) => !mayDo(action));
  const begin = (action: Action): void => {
    act.reset();
    if (action === 'resume') act.mutate({ action, body: undefined });
    else setAsked(action);
  };
  const asking = { operation, error: act.error, isBusy: act.isPending, onNo: () => setAsked(undefined) };
  return (
    <div className="remuda-run-actions">
      {lacks === undefined ? undefined : (
        <span className="remuda-quiet" id="remuda-role-needed">
          Needs the role {isOperator ? 'admin' : 'operator'}
        </span>
      )}
      {actions.map((action) => (
        <Button
          key={action}
          variant={action === 'approve' || action === 'resume' ? 'primary' : 'secondary'}
          isAriaDisabled={!mayDo(action)}
          isLoading={act.isPending && act.variables.action === action}
          {...(mayDo(action) ? {} : { 'aria-describedby': 'remuda-role-needed' })}
          onClick={() => begin(action)}
        >
          {buttonTexts[action]}
        </Button>
      ))}
      {asked === undefined && act.error !== null ? <ProblemView error={act.error} /> : undefined}
      {asked === undefined ? undefined : (
        <RunQuestion {...asking} action={asked} onYes={(body) => act.mutate({ action: asked, body })} />
      )}
    </div>
  );
}

const buttonTexts = {
  resume: 'Resume',
  cancel: 'Stop',
  approve: 'Approve…',
  'override-window': 'Go on now…',
} as const;
