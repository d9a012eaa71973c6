import { PageSection, Title } from '@patternfly/react-core';

/** All clusters. */
export function ClustersPage(): React.JSX.Element {
  return (
    <PageSection>
      <Title headingLevel="h1">Clusters</Title>
    </PageSection>
  );
}
