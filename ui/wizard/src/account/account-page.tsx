import { PageSection, Title } from '@patternfly/react-core';
import { useSession } from '../session/session.ts';
import { PasswordPart } from './password-part.tsx';
import { SecondFactorPart } from './second-factor-part.tsx';
import { SessionsPart } from './sessions-part.tsx';
import { texts } from './texts.ts';
import './account.css';

/** One's own password, second factor and sessions. People of a directory have the first two there. */
export function AccountPage(): React.JSX.Element {
  const { session } = useSession();
  const isLocal = session.principal.source === 'local';
  return (
    <PageSection isWidthLimited isFilled aria-label={texts.title}>
      <Title headingLevel="h1">{texts.title}</Title>
      <div className="remuda-account">
        {isLocal ? <PasswordPart /> : undefined}
        {isLocal ? <SecondFactorPart /> : undefined}
        <SessionsPart />
      </div>
    </PageSection>
  );
}
