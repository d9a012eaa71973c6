import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Invitation, Role, UserAnswer } from '../../../../daemon/api/types.ts';
import { post } from '../api/http.ts';
import { TextField } from '../door/text-field.tsx';
import { Time } from '../time/time.tsx';
import { administrationKey } from './queries.ts';
import { Outcome, Question } from './question.tsx';
import { RoleSelect } from './role-select.tsx';
import { ShownOnce } from './shown-once.tsx';
import { peopleTexts as words, texts } from './texts.ts';

/** Adds somebody and shows the invitation with which she chooses her own password. */
export function AddPerson({ onClose }: { readonly onClose: () => void }): React.JSX.Element {
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const add = useMutation({
    mutationFn: () => post<UserAnswer>('/api/v1/users', { name: name.trim(), role }),
    onSuccess: () => client.invalidateQueries({ queryKey: administrationKey }),
  });
  if (add.data?.invitation !== undefined)
    return <InvitationShown name={add.data.user.name} invitation={add.data.invitation} onClose={onClose} />;
  return (
    <Question
      title={words.add}
      action={words.add}
      onAct={add.mutate}
      onClose={onClose}
      isBusy={add.isPending}
      isIncomplete={name.trim() === ''}
      error={add.error}
      focusOn="person-name"
    >
      <TextField id="person-name" label={words.name} help={words.nameHelp} value={name} onChange={setName} />
      <RoleSelect
        id="person-role"
        label={texts.role}
        value={role}
        meanings={texts.roles}
        onChange={setRole}
      />
    </Question>
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
