import {
  Button,
  FormGroup,
  FormHelperText,
  HelperText,
  HelperTextItem,
  InputGroup,
  InputGroupItem,
  TextInput,
} from '@patternfly/react-core';
import { EyeIcon, EyeSlashIcon } from '@patternfly/react-icons';
import { useEffect, useRef, useState } from 'react';

interface TextFieldProps {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly help?: string;
  readonly problem?: string;
  readonly autoComplete?: string;
  readonly isSecret?: boolean;
  /** Monospaced: read off a screen, character by character. */
  readonly isCode?: boolean;
  readonly hasFocus?: boolean;
  readonly isOptional?: boolean;
  readonly inputMode?: 'numeric' | 'text';
}

/** A labelled field with its help or its problem under it. Secrets can be looked at. */
export function TextField(props: TextFieldProps): React.JSX.Element {
  const { id, help, problem, isSecret = false } = props;
  const [isShown, setShown] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const { hasFocus = false } = props;
  useEffect(() => {
    if (hasFocus) input.current?.focus();
  }, [hasFocus]);
  const field = (
    <TextInput
      ref={input}
      id={id}
      name={id}
      isRequired={!(props.isOptional ?? false)}
      className={props.isCode ? 'remuda-code' : ''}
      type={isSecret && !isShown ? 'password' : 'text'}
      value={props.value}
      validated={problem === undefined ? 'default' : 'error'}
      autoComplete={props.autoComplete ?? 'off'}
      autoCapitalize="none"
      spellCheck={false}
      {...(props.inputMode === undefined ? {} : { inputMode: props.inputMode })}
      {...(help === undefined && problem === undefined ? {} : { 'aria-describedby': `${id}-help` })}
      onChange={(_event, value) => props.onChange(value)}
    />
  );
  return (
    <FormGroup label={props.label} fieldId={id}>
      {isSecret ? (
        <WithEye field={field} isShown={isShown} onToggle={() => setShown(!isShown)} label={props.label} />
      ) : (
        field
      )}
      {help === undefined && problem === undefined ? undefined : (
        <FormHelperText>
          <HelperText id={`${id}-help`}>
            <HelperTextItem variant={problem === undefined ? 'default' : 'error'}>
              {problem ?? help}
            </HelperTextItem>
          </HelperText>
        </FormHelperText>
      )}
    </FormGroup>
  );
}

function WithEye(props: {
  readonly field: React.JSX.Element;
  readonly label: string;
  readonly isShown: boolean;
  readonly onToggle: () => void;
}): React.JSX.Element {
  return (
    <InputGroup>
      <InputGroupItem isFill>{props.field}</InputGroupItem>
      <InputGroupItem>
        <Button
          variant="control"
          onClick={props.onToggle}
          aria-label={`${props.isShown ? 'Hide' : 'Show'}: ${props.label}`}
          icon={props.isShown ? <EyeSlashIcon /> : <EyeIcon />}
        />
      </InputGroupItem>
    </InputGroup>
  );
}
