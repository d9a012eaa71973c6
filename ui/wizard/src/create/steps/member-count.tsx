import { FormGroup, ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';
import type { Path } from '../../answer-file/stream.ts';
import { useAnswer } from '../answer.ts';
import { FieldProblems } from '../field.tsx';

/** Only the numbers that make sense to etcd; what another number would mean is the daemon's to say. */
export function MemberCount(props: {
  readonly id: string;
  readonly label: string;
  readonly path: Path;
  readonly count: number;
  /** What each number means for whoever loses machines. */
  readonly meanings: Readonly<Record<number, string>>;
}): React.JSX.Element {
  const { id, label, path, count, meanings } = props;
  const answer = useAnswer();
  return (
    <FormGroup label={label} role="group" fieldId={`${id}-count`}>
      <ToggleGroup aria-label={label}>
        {[1, 3, 5, 7].map((each) => (
          <ToggleGroupItem
            key={each}
            text={String(each)}
            buttonId={`${id}-${each}`}
            isSelected={each === count}
            onChange={() => answer.write('Cluster', path, each)}
          />
        ))}
      </ToggleGroup>
      <p className="remuda-quorum" aria-live="polite">
        {meanings[count]}
      </p>
      <FieldProblems kind="Cluster" path={path} />
    </FormGroup>
  );
}
