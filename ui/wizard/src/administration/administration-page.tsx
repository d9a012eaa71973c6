import { PageSection, Title } from '@patternfly/react-core';
import { useHasRole } from '../session/session.ts';
import { AddressTabs } from '../shell/address-tabs.tsx';
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
      <AddressTabs
        label={`Parts of ${texts.title}`}
        parts={parts.map((name) => ({ name, title: texts.parts[name] }))}
        present={present}
        addressOf={(name) => `/administration/${name}`}
      >
        <div className="remuda-administration">
          <Content />
        </div>
      </AddressTabs>
    </PageSection>
  );
}
