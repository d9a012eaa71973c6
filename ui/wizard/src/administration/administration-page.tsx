import { PageSection, Tab, Tabs, TabTitleText, Title } from '@patternfly/react-core';
import { useLocation } from 'wouter';
import { useHasRole } from '../session/session.ts';
import { NotFound } from '../shell/not-found.tsx';
import { AuditPart } from './audit-part.tsx';
import { DirectoriesPart } from './directories-part.tsx';
import { PeoplePart } from './people-part.tsx';
import { PoliciesPart } from './policies-part.tsx';
import { ProgramsPart } from './programs-part.tsx';
import { texts } from './texts.ts';
import './administration.css';

const everything = ['people', 'programs', 'directories', 'policies', 'audit'] as const;
type PartName = (typeof everything)[number];
/** What also those may read who administer nothing. */
const forViewers: readonly PartName[] = ['policies'];

const contents: Readonly<Record<PartName, () => React.JSX.Element>> = {
  people: PeoplePart,
  programs: ProgramsPart,
  directories: DirectoriesPart,
  policies: PoliciesPart,
  audit: AuditPart,
};

/** Who may come in, what is allowed, and who did what; the part is in the address. */
export function AdministrationPage({ part }: { readonly part?: string }): React.JSX.Element {
  const isAdministrator = useHasRole('admin');
  const mayRead = useHasRole('viewer');
  const [, go] = useLocation();
  const parts: readonly PartName[] = isAdministrator ? everything : forViewers;
  const present = part === undefined ? parts[0] : parts.find((each) => each === part);
  if (!mayRead || present === undefined)
    return (
      <PageSection isFilled>
        <NotFound />
      </PageSection>
    );
  const Content = contents[present];
  return (
    <PageSection isWidthLimited isFilled aria-label={texts.title}>
      <Title headingLevel="h1">{texts.title}</Title>
      <Tabs
        activeKey={present}
        onSelect={(_event, key) => go(`/administration/${String(key)}`)}
        aria-label={`Parts of ${texts.title}`}
        className="remuda-tabs"
      >
        {parts.map((each) => (
          <Tab key={each} eventKey={each} title={<TabTitleText>{texts.parts[each]}</TabTitleText>}>
            {each === present ? (
              <div className="remuda-administration">
                <Content />
              </div>
            ) : undefined}
          </Tab>
        ))}
      </Tabs>
    </PageSection>
  );
}
