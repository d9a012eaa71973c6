import { ExpandableSection, Form } from '@patternfly/react-core';
import { usePayloads } from '../../api/queries.ts';
import { Field } from '../field.tsx';
import { versionsOnBoard } from '../template.ts';
import { texts } from '../texts.ts';
import { AuthoritySection } from './authority-section.tsx';

/** Name, version, address, what protects the cluster, and who signs for it. */
export function ClusterStep(): React.JSX.Element {
  const { data: payloads = [] } = usePayloads();
  const versions = versionsOnBoard(payloads);
  return (
    <Form>
      <Field kind="Cluster" path={['metadata', 'name']} />
      <Field
        kind="Cluster"
        path={['spec', 'kubernetes', 'version']}
        {...(versions.length === 0 ? {} : { choices: versions })}
        help="Versions whose payload is on board and verified."
      />
      <Field kind="Cluster" path={['spec', 'controlPlane', 'endpoint', 'host']} />
      <Field kind="Cluster" path={['spec', 'deletion', 'protected']} />
      <ExpandableSection toggleText={texts.sections.more} isIndented>
        <div className="remuda-stack">
          <Field kind="Cluster" path={['spec', 'controlPlane', 'endpoint', 'port']} />
          <Field kind="Cluster" path={['spec', 'controlPlane', 'certSANs']} />
          <Field kind="Cluster" path={['spec', 'upgrade', 'strategy']} />
          <Field kind="Cluster" path={['spec', 'deletion', 'volumes']} />
        </div>
      </ExpandableSection>
      <AuthoritySection />
    </Form>
  );
}
