import { PageSection, Title } from '@patternfly/react-core';
import { SuppliesView } from './supplies-view.tsx';

/** The page of what clusters are made from. */
export function SuppliesPage(): React.JSX.Element {
  return (
    <PageSection isWidthLimited isFilled>
      <Title headingLevel="h1">Supplies</Title>
      <p className="remuda-lead">What this Remuda carries with it. Nothing is fetched from the internet.</p>
      <SuppliesView />
    </PageSection>
  );
}
