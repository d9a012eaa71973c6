import { PageSection, Title } from '@patternfly/react-core';
import { DeletedPart } from './deleted-part.tsx';
import { FoundPart } from './found-part.tsx';
import { leftoverTexts as words } from './leftover-texts.ts';
import './leftovers.css';

/** What is left of clusters that are gone, where, and the way to remove it. */
export function LeftoversPage(): React.JSX.Element {
  return (
    <PageSection isWidthLimited isFilled aria-label={words.title}>
      <div className="remuda-page-head">
        <Title headingLevel="h1">{words.title}</Title>
      </div>
      <p className="remuda-subtle">{words.intro}</p>
      <FoundPart />
      <DeletedPart />
    </PageSection>
  );
}
