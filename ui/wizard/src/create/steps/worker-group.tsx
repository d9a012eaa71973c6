import { Button, ExpandableSection } from '@patternfly/react-core';
import { TrashIcon } from '@patternfly/react-icons';
import { Field } from '../field.tsx';
import { MachineSize } from './machine-size.tsx';

/** One group of equal workers. */
export function WorkerGroup(props: {
  readonly place: number;
  readonly name: string;
  readonly onRemove: () => void;
}): React.JSX.Element {
  const { place, name } = props;
  const path = ['spec', 'workers', place] as const;
  return (
    <fieldset className="remuda-group" aria-label={`Group ${name || place + 1}`}>
      <Field kind="Cluster" path={[...path, 'name']} label="Name of the group" isHelpHidden />
      <Field kind="Cluster" path={[...path, 'replicas']} label="Machines" isHelpHidden />
      <ExpandableSection toggleText="Size of its machines" isIndented>
        <MachineSize path={[...path, 'machine']} />
      </ExpandableSection>
      <Button
        variant="plain"
        aria-label={`Remove group ${name}`}
        icon={<TrashIcon />}
        onClick={props.onRemove}
        className="remuda-group-remove"
      />
    </fieldset>
  );
}
