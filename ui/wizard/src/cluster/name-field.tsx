import { FormGroup, TextInput } from '@patternfly/react-core';
import { useId } from 'react';

/** Where a name is typed by which somebody agrees to what cannot be undone. */
export function NameField(props: {
  readonly label: string;
  readonly typed: string;
  readonly onType: (typed: string) => void;
}): React.JSX.Element {
  const { label, typed, onType } = props;
  const id = useId();
  return (
    <FormGroup label={label} fieldId={id} className="remuda-confirm">
      <TextInput
        id={id}
        value={typed}
        onChange={(_event, value) => onType(value)}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
      />
    </FormGroup>
  );
}
