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
  title,
}: {
  readonly path: Path;
  readonly title: string;
}): React.JSX.Element {
  const answer = useAnswer();
  const machine = valueAt(answer.documentOf('Cluster')?.value, path);
  const isOwn = valueAt(machine, ['cpus']) !== undefined || valueAt(machine, ['memory']) !== undefined;
  const id = path.join('-');
  return (
    <FormGroup label={words.size} role="radiogroup" fieldId={id}>
      <Radio
        id={`${id}-auto`}
        name={id}
        label={words.auto}
        description={words.autoHelp}
        isChecked={!isOwn}
        onChange={() => answer.write('Cluster', path, undefined)}
        aria-label={`${title}: ${words.auto}`}
      />
      <Radio
        id={`${id}-own`}
        name={id}
        label={words.own}
        isChecked={isOwn}
        onChange={() => answer.write('Cluster', path, { cpus: 2, memory: '4Gi' })}
        aria-label={`${title}: ${words.own}`}
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
