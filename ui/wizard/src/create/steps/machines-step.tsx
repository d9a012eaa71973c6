import { Button, Form } from '@patternfly/react-core';
import { PlusCircleIcon } from '@patternfly/react-icons';
import { isSection, valueAt } from '../../answer-file/stream.ts';
import { useAnswer } from '../answer.ts';
import { Field } from '../field.tsx';
import { FormSection } from '../form-section.tsx';
import { texts } from '../texts.ts';
import { EtcdSection, etcdMachines } from './etcd-section.tsx';
import { MachineSize } from './machine-size.tsx';
import { MemberCount } from './member-count.tsx';
import { WorkerGroup } from './worker-group.tsx';

const words = {
  masters: 'Number of masters',
  size: 'Size of a master',
  quorum: {
    1: 'One master: no high availability. If it is lost, so is the cluster’s state, unless you have a backup.',
    3: 'Three masters survive the loss of one. The right choice for almost everybody.',
    5: 'Five masters survive the loss of two, at the price of slower writes.',
    7: 'Seven masters survive the loss of three. Rarely worth it.',
  } as Readonly<Record<number, string>>,
  /** Where etcd has machines of its own, masters hold no majority. */
  serving: {
    1: 'One master: while it is away, nobody reaches the API.',
    3: 'One of three masters is enough for the API to answer.',
    5: 'One of five masters is enough for the API to answer.',
    7: 'One of seven masters is enough for the API to answer.',
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
  const etcd = etcdMachines(cluster);
  const total = groups.reduce((sum, group) => sum + (Number(group['replicas']) || 0), masters + etcd);
  const add = (): void => {
    const taken = new Set(groups.map((group) => group['name']));
    let name = 'general';
    for (let number = 2; taken.has(name); number += 1) name = `workers-${number}`;
    answer.write('Cluster', ['spec', 'workers'], [...groups, { name, replicas: 1 }]);
  };
  return (
    <Form>
      <FormSection id="masters" title={texts.sections.controlPlane}>
        <MemberCount
          id="masters"
          label={words.masters}
          path={['spec', 'controlPlane', 'replicas']}
          count={masters}
          meanings={etcd === 0 ? words.quorum : words.serving}
        />
        <MachineSize path={['spec', 'controlPlane', 'machine']} label={words.size} />
        <Field kind="Cluster" path={['spec', 'controlPlane', 'antiAffinity']} />
      </FormSection>
      <EtcdSection />
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
