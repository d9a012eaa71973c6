import { Alert, FormGroup, Radio } from '@patternfly/react-core';
import { valueAt } from '../../answer-file/stream.ts';
import { useAnswer } from '../answer.ts';
import { Field, FieldProblems } from '../field.tsx';
import { FormSection } from '../form-section.tsx';
import { texts } from '../texts.ts';
import { MachineSize } from './machine-size.tsx';
import { MemberCount } from './member-count.tsx';

const words = {
  intro:
    'etcd is the database in which Kubernetes keeps everything that it knows of the cluster. It has several members, and works as long as more than half of them do.',
  where: 'Where etcd runs',
  stacked: 'On the masters',
  stackedHelp: 'Each master has a member. Right for almost everybody: no further machines, nothing to plan.',
  external: 'On machines of its own',
  externalHelp:
    'For large clusters, or where etcd is to have disks and memory of its own. Masters then come and go without a question to etcd.',
  fixed: 'This cannot be changed once the cluster is made. The number and the size of the machines can.',
  members: 'Machines of etcd',
  size: 'Size of a machine of etcd',
  meanings: {
    1: 'One machine: if it is lost, so is the cluster’s state, unless you have a backup.',
    3: 'Three machines survive the loss of one. The right choice for almost everybody.',
    5: 'Five machines survive the loss of two, at the price of slower writes.',
    7: 'Seven machines survive the loss of three. Rarely worth it.',
  } as Readonly<Record<number, string>>,
} as const;

const path = ['spec', 'etcd'] as const;

/** How many machines etcd has of its own, as the file stands: none where each master has a member. */
export const etcdMachines = (cluster: unknown): number =>
  valueAt(cluster, [...path, 'topology']) === 'external'
    ? Number(valueAt(cluster, [...path, 'replicas']) ?? 3)
    : 0;

/** On the masters or apart, and then how many machines of what size (row H4). */
export function EtcdSection(): React.JSX.Element {
  const answer = useAnswer();
  const cluster = answer.documentOf('Cluster')?.value;
  const isApart = valueAt(cluster, [...path, 'topology']) === 'external';
  return (
    <FormSection id="etcd" title={texts.sections.etcd} intro={words.intro}>
      <FormGroup label={words.where} role="radiogroup" fieldId="etcd-topology" isStack>
        <Radio
          id="etcd-stacked"
          name="etcd-topology"
          label={words.stacked}
          description={words.stackedHelp}
          isChecked={!isApart}
          onChange={() => answer.write('Cluster', path, undefined)}
        />
        <Radio
          id="etcd-external"
          name="etcd-topology"
          label={words.external}
          description={words.externalHelp}
          isChecked={isApart}
          onChange={() => answer.write('Cluster', path, { topology: 'external', replicas: 3 })}
        />
        <FieldProblems kind="Cluster" path={[...path, 'topology']} />
      </FormGroup>
      {isApart ? (
        <>
          <Alert component="p" isInline isPlain variant="info" title={words.fixed} />
          <MemberCount
            id="etcd"
            label={words.members}
            path={[...path, 'replicas']}
            count={etcdMachines(cluster)}
            meanings={words.meanings}
          />
          <MachineSize path={[...path, 'machine']} label={words.size} />
          <Field kind="Cluster" path={[...path, 'antiAffinity']} />
        </>
      ) : undefined}
    </FormSection>
  );
}
