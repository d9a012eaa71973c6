import { FormGroup, Radio } from '@patternfly/react-core';
import { type Path, valueAt } from '../../answer-file/stream.ts';
import { useAnswer } from '../answer.ts';
import { Field } from '../field.tsx';

const words = {
  size: 'Size of a machine',
  auto: 'Chosen for you',
  autoHelp: 'Masters by the number of machines; lab machines as the provider says.',
  own: 'CPUs and memory of my own',
} as const;

/** `size: auto`, or CPUs and memory: never both. */
export function MachineSize({
  path,
  label = words.size,
}: {
  readonly path: Path;
  /** Whose size it is, where a page asks for several. */
  readonly label?: string;
}): React.JSX.Element {
  const answer = useAnswer();
  const machine = valueAt(answer.documentOf('Cluster')?.value, path);
  const isOwn = valueAt(machine, ['cpus']) !== undefined || valueAt(machine, ['memory']) !== undefined;
  const id = path.join('-');
  return (
    <FormGroup label={label} role="radiogroup" fieldId={id} isStack>
      <Radio
        id={`${id}-auto`}
        name={id}
        label={words.auto}
        description={words.autoHelp}
        isChecked={!isOwn}
        onChange={() => answer.write('Cluster', path, undefined)}
      />
      <Radio
        id={`${id}-own`}
        name={id}
        label={words.own}
        isChecked={isOwn}
        onChange={() => answer.write('Cluster', path, { cpus: 2, memory: '4Gi' })}
        body={
          isOwn ? (
            <div className="remuda-pair">
              <Field kind="Cluster" path={[...path, 'cpus']} label="CPUs" />
              <Field kind="Cluster" path={[...path, 'memory']} label="Memory" help="Such as 4Gi or 512Mi." />
            </div>
          ) : undefined
        }
      />
    </FormGroup>
  );
}
