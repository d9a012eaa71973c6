import { useState } from 'react';
import type { Invitation, UserAnswer } from '../../../../daemon/api/types.ts';
import { Time } from '../time/time.tsx';
import { AddQuestion } from './add-question.tsx';
import { Outcome } from './question.tsx';
import { ShownOnce } from './shown-once.tsx';
import { peopleTexts as words } from './texts.ts';

/** Adds somebody and shows the invitation with which she chooses her own password. */
export function AddPerson({ onClose }: { readonly onClose: () => void }): React.JSX.Element {
  const [added, setAdded] = useState<UserAnswer>();
  if (added?.invitation !== undefined)
    return <InvitationShown name={added.user.name} invitation={added.invitation} onClose={onClose} />;
  return (
    <AddQuestion<UserAnswer>
      id="person"
      path="/api/v1/users"
      words={words}
      onAdded={setAdded}
      onClose={onClose}
    />
  );
}

/** An invitation, once. */
export function InvitationShown(props: {
  readonly name: string;
  readonly invitation: Invitation;
  readonly onClose: () => void;
}): React.JSX.Element {
  const { name, invitation, onClose } = props;
  const title = words.invitation(name);
  return (
    <Outcome title={title} onClose={onClose}>
      <ShownOnce label={title} secret={invitation.code}>
        <p>{words.invitationNext}</p>
        <p className="remuda-subtle">
          {words.invitationEnds} <Time at={invitation.expiresAt} form="full" />
        </p>
      </ShownOnce>
    </Outcome>
  );
}
