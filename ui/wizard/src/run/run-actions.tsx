import { useMutation } from '@tanstack/react-query';
import {
  Button,
  Form,
  FormGroup,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  TextInput,
} from '@patternfly/react-core';
import { type ReactNode, useState } from 'react';
import type { OperationDetail } from '../../../../daemon/api/types.ts';
import { post } from '../api/http.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { useHasRole } from '../session/session.ts';

type Action = 'resume' | 'cancel' | 'approve';

/** Actions that make sense in the operation's state. */
function sensible(operation: OperationDetail): readonly Action[] {
  if (operation.isResumable) return ['resume'];
  if (operation.isCancelling === true) return [];
  if (operation.state === 'waiting' && operation.waitingFor === 'approval') return ['approve', 'cancel'];
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
  const isAllowed = useHasRole('operator', operation.cluster.name);
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
  const begin = (action: Action): void => {
    act.reset();
    if (action === 'resume') act.mutate({ action, body: undefined });
    else setAsked(action);
  };
  const asking = { operation, error: act.error, isBusy: act.isPending, onNo: () => setAsked(undefined) };
  return (
    <div className="remuda-run-actions">
      {isAllowed ? undefined : (
        <span className="remuda-quiet" id="remuda-role-needed">
          Needs the role operator
        </span>
      )}
      {actions.map((action) => (
        <Button
          key={action}
          variant={action === 'cancel' ? 'secondary' : 'primary'}
          isAriaDisabled={!isAllowed}
          isLoading={act.isPending && act.variables.action === action}
          {...(isAllowed ? {} : { 'aria-describedby': 'remuda-role-needed' })}
          onClick={() => begin(action)}
        >
          {buttonTexts[action]}
        </Button>
      ))}
      {asked === undefined && act.error !== null ? <ProblemView error={act.error} /> : undefined}
      {asked === 'cancel' ? (
        <Stopping {...asking} onYes={() => act.mutate({ action: 'cancel', body: undefined })} />
      ) : undefined}
      {asked === 'approve' ? (
        <Approval {...asking} onYes={(confirm) => act.mutate({ action: 'approve', body: { confirm } })} />
      ) : undefined}
    </div>
  );
}

const buttonTexts = { resume: 'Resume', cancel: 'Stop', approve: 'Approve…' } as const;

interface AskedProps {
  readonly operation: OperationDetail;
  readonly error: unknown;
  readonly isBusy: boolean;
  readonly onNo: () => void;
}

function Question(
  props: Omit<AskedProps, 'operation'> & {
    readonly title: string;
    readonly yes: string;
    readonly isDangerous?: boolean;
    readonly isDisabled?: boolean;
    readonly onYes: () => void;
    readonly children: ReactNode;
  },
): React.JSX.Element {
  const { title, yes, isDangerous = false, isDisabled = false, error, isBusy, onYes, onNo, children } = props;
  return (
    <Modal variant="small" isOpen onClose={onNo} aria-labelledby="remuda-question">
      <ModalHeader title={title} labelId="remuda-question" />
      <ModalBody>
        {children}
        <ProblemView error={error} />
      </ModalBody>
      <ModalFooter>
        <Button
          variant={isDangerous ? 'danger' : 'primary'}
          isLoading={isBusy}
          isDisabled={isDisabled}
          onClick={onYes}
        >
          {yes}
        </Button>
        <Button variant="link" onClick={onNo}>
          Go on as it is
        </Button>
      </ModalFooter>
    </Modal>
  );
}

function Stopping({ operation, ...asked }: AskedProps & { readonly onYes: () => void }): React.JSX.Element {
  return (
    <Question
      {...asked}
      title={`Stop this operation on ${operation.cluster.name}?`}
      yes="Stop it"
      isDangerous
    >
      Waits end at once, a step that is changing something ends first. What is done stays done, and you can
      resume later.
    </Question>
  );
}

function Approval(props: AskedProps & { readonly onYes: (confirm: string) => void }): React.JSX.Element {
  const { operation, onYes, ...asked } = props;
  const [typed, setTyped] = useState('');
  const { name } = operation.cluster;
  return (
    <Question
      {...asked}
      title="Approve what this plan destroys"
      yes="Approve"
      isDangerous
      isDisabled={typed !== name}
      onYes={() => onYes(typed)}
    >
      <p>These machines are destroyed and cannot be had back:</p>
      <ul className="remuda-destroys">
        {(operation.toApprove ?? []).map((machine) => (
          <li key={machine}>{machine}</li>
        ))}
      </ul>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          if (typed === name) onYes(typed);
        }}
      >
        <FormGroup label={`Type the cluster’s name, ${name}, to agree`} fieldId="remuda-confirm">
          <TextInput
            id="remuda-confirm"
            value={typed}
            onChange={(_event, value) => setTyped(value)}
            autoComplete="off"
          />
        </FormGroup>
      </Form>
    </Question>
  );
}
