import { Button, Form, FormGroup, ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';
import { PlusCircleIcon } from '@patternfly/react-icons';
import { isSection, valueAt } from '../../answer-file/stream.ts';
import { useAnswer } from '../answer.ts';
import { Field } from '../field.tsx';
import { FormSection } from '../form-section.tsx';
import { texts } from '../texts.ts';
import { MachineSize } from './machine-size.tsx';
import { WorkerGroup } from './worker-group.tsx';

const words = {
  masters: 'Number of masters',
  quorum: {
    1: 'One master: no high availability. If it is lost, so is the cluster’s state, unless you have a backup.',
    3: 'Three masters survive the loss of one. The right choice for almost everybody.',
    5: 'Five masters survive the loss of two, at the price of slower writes.',
    7: 'Seven masters survive the loss of three. Rarely worth it.',
  } as Readonly<Record<number, string>>,
  addGroup: 'Add a group of workers',
  noWorkers: 'No workers: applications will only run where masters allow it.',
  total: (machines: number) => `${machines} ${machines === 1 ? 'machine' : 'machines'} in all.`,
} as const;

/** How many masters, which workers, and of what size. */
export function MachinesStep(): React.JSX.Element {
  const answer = useAnswer();
  const cluster = answer.documentOf('Cluster')?.value;
  const masters = Number(valueAt(cluster, ['spec', 'controlPlane', 'replicas']) ?? 3);
  const workers = valueAt(cluster, ['spec', 'workers']);
  const groups = Array.isArray(workers) ? workers.filter(isSection) : [];
  const total = groups.reduce((sum, group) => sum + (Number(group['replicas']) || 0), masters);
  const add = (): void => {
    const taken = new Set(groups.map((group) => group['name']));
    let name = 'general';
    for (let number = 2; taken.has(name); number += 1) name = `workers-${number}`;
    answer.write('Cluster', ['spec', 'workers'], [...groups, { name, replicas: 1 }]);
  };
  return (
    <Form>
      <FormSection id="masters" title={texts.sections.controlPlane}>
        <Masters replicas={masters} />
        <MachineSize path={['spec', 'controlPlane', 'machine']} title={texts.sections.controlPlane} />
        <Field kind="Cluster" path={['spec', 'controlPlane', 'antiAffinity']} />
      </FormSection>
      <FormSection
        id="workers"
        title={texts.sections.workers}
        intro={groups.length === 0 ? words.noWorkers : words.total(total)}
      >
        <div className="remuda-stack">
          {groups.map((group, place) => (
            <WorkerGroup
              // By place, not by name: the name is typed here, and a new key a letter would take the focus away.
              // oxlint-disable-next-line react/no-array-index-key -- for the reason above
              key={place}
              place={place}
              name={String(group['name'] ?? '')}
              onRemove={() => answer.write('Cluster', ['spec', 'workers', place], undefined)}
            />
          ))}
        </div>
        <div>
          <Button variant="link" isInline icon={<PlusCircleIcon />} onClick={add}>
            {words.addGroup}
          </Button>
        </div>
      </FormSection>
    </Form>
  );
}

/** Only the numbers that make sense to etcd; what another number would mean is the daemon's to say. */
function Masters({ replicas }: { readonly replicas: number }): React.JSX.Element {
  const answer = useAnswer();
  const path = ['spec', 'controlPlane', 'replicas'];
  const problems = answer.problemsAt('Cluster', path);
  return (
    <FormGroup label={words.masters} role="group" fieldId="masters-count">
      <ToggleGroup aria-label={words.masters}>
        {[1, 3, 5, 7].map((count) => (
          <ToggleGroupItem
            key={count}
            text={String(count)}
            buttonId={`masters-${count}`}
            isSelected={count === replicas}
            onChange={() => answer.write('Cluster', path, count)}
          />
        ))}
      </ToggleGroup>
      <p className="remuda-quorum" aria-live="polite">
        {words.quorum[replicas] ??
          problems.map(({ summary, remedy }) => `${summary} ${remedy ?? ''}`).join(' ')}
      </p>
    </FormGroup>
  );
}
