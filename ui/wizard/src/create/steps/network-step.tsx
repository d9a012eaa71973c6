import { Form } from '@patternfly/react-core';
import { useProviders } from '../../api/queries.ts';
import { valueAt } from '../../answer-file/stream.ts';
import { useAnswer } from '../answer.ts';
import { Field } from '../field.tsx';
import { FormSection } from '../form-section.tsx';
import { texts } from '../texts.ts';

const nodeNetwork = ['ranges', 'prefix', 'gateway', 'dns', 'ntp'] as const;

/** Networks inside the cluster, that of the machines where the provider does not know it, and add-ons. */
export function NetworkStep(): React.JSX.Element {
  const isLab = useIsLab();
  return (
    <Form>
      <FormSection id="clusterNetwork" title={texts.sections.clusterNetwork}>
        <Field kind="Cluster" path={['spec', 'clusterNetwork', 'pods', 'cidrBlocks']} />
        <Field kind="Cluster" path={['spec', 'clusterNetwork', 'services', 'cidrBlocks']} />
        <Field kind="Cluster" path={['spec', 'clusterNetwork', 'serviceDomain']} />
      </FormSection>
      {isLab ? undefined : (
        <FormSection id="nodeNetwork" title={texts.sections.nodeNetwork}>
          {nodeNetwork.map((name) => (
            <Field key={name} kind="Cluster" path={['spec', 'nodeNetwork', name]} />
          ))}
        </FormSection>
      )}
      <FormSection id="addons" title={texts.sections.addons}>
        <Field kind="Cluster" path={['spec', 'addons', 'network', 'type']} />
        <Field kind="Cluster" path={['spec', 'addons', 'dns', 'enabled']} />
      </FormSection>
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
