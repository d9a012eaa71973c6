import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Role } from '../../../../daemon/api/types.ts';
import { post } from '../api/http.ts';
import { TextField } from '../door/text-field.tsx';
import { administrationKey } from './queries.ts';
import { Question } from './question.tsx';
import { RoleSelect } from './role-select.tsx';
import { texts } from './texts.ts';

/** Asks for the name and the role of somebody or something new, and adds it at a path of the API. */
export function AddQuestion<Answer>(props: {
  /** Begins the ids of its fields. */
  readonly id: string;
  readonly path: string;
  readonly words: { readonly add: string; readonly name: string; readonly nameHelp: string };
  readonly onAdded: (answer: Answer) => void;
  readonly onClose: () => void;
}): React.JSX.Element {
  const { id, path, words, onAdded, onClose } = props;
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const add = useMutation({
    mutationFn: () => post<Answer>(path, { name: name.trim(), role }),
    onSuccess: async (answer) => {
      await client.invalidateQueries({ queryKey: administrationKey });
      onAdded(answer);
    },
  });
  return (
    <Question
      title={words.add}
      action={words.add}
      onAct={add.mutate}
      onClose={onClose}
      isBusy={add.isPending}
      isIncomplete={name.trim() === ''}
      error={add.error}
      focusOn={`${id}-name`}
    >
      <TextField id={`${id}-name`} label={words.name} help={words.nameHelp} value={name} onChange={setName} />
      <RoleSelect
        id={`${id}-role`}
        label={texts.role}
        value={role}
        meanings={texts.roles}
        onChange={setRole}
      />
    </Question>
  );
}
