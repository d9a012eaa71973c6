import {
  FormGroup,
  FormHelperText,
  FormSelect,
  FormSelectOption,
  HelperText,
  HelperTextItem,
} from '@patternfly/react-core';
import type { Role } from '../../../../daemon/api/types.ts';

const roles: readonly Role[] = ['admin', 'operator', 'viewer', 'user'];

/** One of the roles, with what it means under it. */
export function RoleSelect(props: {
  readonly id: string;
  readonly label: string;
  readonly value: Role;
  readonly meanings: Readonly<Record<Role, string>>;
  readonly onChange: (role: Role) => void;
}): React.JSX.Element {
  const { id, label, value, meanings, onChange } = props;
  return (
    <FormGroup label={label} fieldId={id}>
      <FormSelect
        id={id}
        value={value}
        aria-describedby={`${id}-help`}
        onChange={(_event, chosen) => onChange(roles.find((role) => role === chosen) ?? value)}
      >
        {roles.map((role) => (
          <FormSelectOption key={role} value={role} label={role} />
        ))}
      </FormSelect>
      <FormHelperText>
        <HelperText id={`${id}-help`} isLiveRegion>
          <HelperTextItem>{meanings[value]}</HelperTextItem>
        </HelperText>
      </FormHelperText>
    </FormGroup>
  );
}
