import { Alert } from '@patternfly/react-core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Role, UserAnswer, UserView } from '../../../../daemon/api/types.ts';
import { call } from '../api/http.ts';
import { useSession } from '../session/session.ts';
import { InvitationShown } from './add-person.tsx';
import { administrationKey } from './queries.ts';
import { Question } from './question.tsx';
import { RoleSelect } from './role-select.tsx';
import { peopleTexts as words, texts } from './texts.ts';

/** What is asked before it is done. */
export type PersonQuestionKind = keyof typeof words.questions;

/** Path of one person. */
const personPath = ({ name }: UserView): string => `/api/v1/users/${encodeURIComponent(name)}`;

/** Asks before something is done about a person, and shows what came of it or why it could not be. */
export function PersonQuestion(props: {
  readonly kind: PersonQuestionKind;
  readonly person: UserView;
  readonly onClose: () => void;
}): React.JSX.Element {
  const { kind, person, onClose } = props;
  const { session } = useSession();
  const client = useQueryClient();
  const [role, setRole] = useState<Role>(person.role);
  const { title, body, action } = words.questions[kind];
  const act = useMutation({
    mutationFn: () => answer(kind, person, role),
    onSuccess: async (answered) => {
      await client.invalidateQueries({ queryKey: administrationKey });
      if (answered?.invitation === undefined) onClose();
    },
  });
  const invitation = act.data?.invitation;
  if (invitation !== undefined)
    return <InvitationShown name={person.name} invitation={invitation} onClose={onClose} />;
  const isSelf = person.id === session.principal.id && kind !== 'invite' && kind !== 'enable';
  return (
    <Question
      title={title(person.name)}
      action={action}
      onAct={act.mutate}
      onClose={onClose}
      isDanger={kind === 'remove' || kind === 'disable'}
      isBusy={act.isPending}
      isIncomplete={kind === 'role' && role === person.role}
      error={act.error}
      {...(kind === 'role' ? { focusOn: 'new-role' } : {})}
    >
      {kind === 'role' ? (
        <RoleSelect id="new-role" label={texts.role} value={role} meanings={texts.roles} onChange={setRole} />
      ) : undefined}
      <p>{body}</p>
      {isSelf ? <Alert component="p" isInline variant="warning" title={words.self} /> : undefined}
    </Question>
  );
}

async function answer(
  kind: PersonQuestionKind,
  person: UserView,
  role: Role,
): Promise<UserAnswer | undefined> {
  const path = personPath(person);
  if (kind === 'remove') {
    await call('DELETE', path);
    return undefined;
  }
  if (kind === 'endSessions') {
    await call('DELETE', `${path}/sessions`);
    return undefined;
  }
  const changes = {
    role: { role },
    disable: { isDisabled: true },
    enable: { isDisabled: false },
    invite: { invite: true },
  } as const;
  return (await call<UserAnswer>('PUT', path, { body: changes[kind] })).body;
}
