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
import { ProblemView } from '../problem/problem-view.tsx';
import { Agreement } from './agreement.tsx';

/** What one may do to an operation; the words of the API's routes. */
export type Action = 'resume' | 'cancel' | 'approve' | 'override-window';

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

type TypedProps = AskedProps & { readonly onYes: (confirm: string) => void };

/** A question that is answered by typing the cluster's name. */
function TypedQuestion(
  props: TypedProps & { readonly title: string; readonly yes: string; readonly children: ReactNode },
): React.JSX.Element {
  const { operation, onYes, children, ...asked } = props;
  const [typed, setTyped] = useState('');
  const { name } = operation.cluster;
  return (
    <Question {...asked} isDangerous isDisabled={typed !== name} onYes={() => onYes(typed)}>
      {children}
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

function Approval(props: TypedProps): React.JSX.Element {
  const names = props.operation.toApprove ?? [];
  return (
    <TypedQuestion {...props} title="Approve this plan" yes="Approve">
      {names.length === 0 ? (
        <p>No machine is destroyed; what cannot be taken back stands in the plan.</p>
      ) : (
        <>
          <p>These machines are destroyed and cannot be had back:</p>
          <ul className="remuda-destroys">
            {names.map((machine) => (
              <li key={machine}>{machine}</li>
            ))}
          </ul>
        </>
      )}
      <Agreement operation={props.operation} />
    </TypedQuestion>
  );
}

function Override(props: TypedProps): React.JSX.Element {
  return (
    <TypedQuestion {...props} title="Go on outside the maintenance windows?" yes="Go on now">
      <p>
        This operation, and no other, disturbs what runs from now on, whenever it is, to its end. That you let
        it is written down.
      </p>
    </TypedQuestion>
  );
}

/** What is asked before an action is done. `onYes` gets the body of the request. */
export function RunQuestion(
  props: AskedProps & { readonly action: Action; readonly onYes: (body: unknown) => void },
): React.JSX.Element | undefined {
  const { action, onYes, ...asked } = props;
  const { planHash } = asked.operation;
  switch (action) {
    case 'cancel':
      return <Stopping {...asked} onYes={() => onYes(undefined)} />;
    case 'approve':
      return <Approval {...asked} onYes={(confirm) => onYes({ confirm, planHash })} />;
    case 'override-window':
      return <Override {...asked} onYes={(confirm) => onYes({ confirm })} />;
    case 'resume':
      return undefined;
  }
}
