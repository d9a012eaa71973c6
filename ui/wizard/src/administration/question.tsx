import { Button, Form, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { type ReactNode, useId } from 'react';
import { ProblemView } from '../problem/problem-view.tsx';
import { texts } from './texts.ts';

/** A dialog that asks before something is done, and says why it could not be. Enter is its action. */
export function Question(props: {
  readonly title: string;
  readonly action: string;
  readonly onAct: () => void;
  readonly onClose: () => void;
  readonly isDanger?: boolean;
  readonly isBusy: boolean;
  readonly isIncomplete?: boolean;
  /** Id of the field that is typed into first. */
  readonly focusOn?: string;
  readonly error: unknown;
  readonly children: ReactNode;
}): React.JSX.Element {
  const { title, action, onAct, onClose, isDanger = false, isBusy, isIncomplete = false } = props;
  const id = useId();
  const isDisabled = isIncomplete || isBusy;
  return (
    <Modal
      variant="small"
      isOpen
      onClose={onClose}
      aria-labelledby={`${id}-title`}
      {...(props.focusOn === undefined ? {} : { elementToFocus: `#${props.focusOn}` })}
    >
      <ModalHeader
        title={title}
        labelId={`${id}-title`}
        {...(isDanger ? { titleIconVariant: 'warning' as const } : {})}
      />
      <ModalBody>
        <Form
          id={`${id}-form`}
          onSubmit={(event) => {
            event.preventDefault();
            if (!isDisabled) onAct();
          }}
        >
          {props.children}
          <ProblemView error={props.error} />
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button
          type="submit"
          form={`${id}-form`}
          variant={isDanger ? 'danger' : 'primary'}
          isDisabled={isDisabled}
          isLoading={isBusy}
        >
          {action}
        </Button>
        <Button variant="link" onClick={onClose}>
          {texts.cancel}
        </Button>
      </ModalFooter>
    </Modal>
  );
}

/** A dialog that shows what came of it; it closes only when somebody says so. */
export function Outcome(props: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}): React.JSX.Element {
  const id = useId();
  return (
    // What is shown once is not to be lost by a stray Escape: only the button closes.
    <Modal variant="small" isOpen aria-labelledby={id}>
      <ModalHeader title={props.title} labelId={id} />
      <ModalBody>{props.children}</ModalBody>
      <ModalFooter>
        <Button onClick={props.onClose}>{texts.done}</Button>
      </ModalFooter>
    </Modal>
  );
}
