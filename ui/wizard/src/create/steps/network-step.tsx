import { Form, FormFieldGroup, FormFieldGroupHeader } from '@patternfly/react-core';
import { useProviders } from '../../api/queries.ts';
import { valueAt } from '../../answer-file/stream.ts';
import { useAnswer } from '../answer.ts';
import { Field } from '../field.tsx';
import { texts } from '../texts.ts';

const nodeNetwork = ['ranges', 'prefix', 'gateway', 'dns', 'ntp'] as const;

/** Networks inside the cluster, that of the machines where the provider does not know it, and add-ons. */
export function NetworkStep(): React.JSX.Element {
  const isLab = useIsLab();
  const header = (id: 'clusterNetwork' | 'nodeNetwork' | 'addons'): React.JSX.Element => (
    <FormFieldGroupHeader titleText={{ text: texts.sections[id], id }} />
  );
  return (
    <Form>
      <FormFieldGroup header={header('clusterNetwork')}>
        <Field kind="Cluster" path={['spec', 'clusterNetwork', 'pods', 'cidrBlocks']} />
        <Field kind="Cluster" path={['spec', 'clusterNetwork', 'services', 'cidrBlocks']} />
        <Field kind="Cluster" path={['spec', 'clusterNetwork', 'serviceDomain']} />
      </FormFieldGroup>
      {isLab ? undefined : (
        <FormFieldGroup header={header('nodeNetwork')}>
          {nodeNetwork.map((name) => (
            <Field key={name} kind="Cluster" path={['spec', 'nodeNetwork', name]} />
          ))}
        </FormFieldGroup>
      )}
      <FormFieldGroup header={header('addons')}>
        <Field kind="Cluster" path={['spec', 'addons', 'network', 'type']} />
        <Field kind="Cluster" path={['spec', 'addons', 'dns', 'enabled']} />
      </FormFieldGroup>
    </Form>
  );
}

/** The lab brings its own network. */
function useIsLab(): boolean {
  const answer = useAnswer();
  const { data: known = [] } = useProviders();
  const own = answer.documentOf('Provider');
  const name = valueAt(answer.documentOf('Cluster')?.value, ['spec', 'provider']);
  if (own !== undefined && own.name === name) return valueAt(own.value, ['spec', 'type']) === 'lab';
  return known.find((provider) => provider.name === name)?.type === 'lab';
}
