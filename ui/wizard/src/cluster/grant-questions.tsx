import { FormGroup, FormSelect, FormSelectOption } from '@patternfly/react-core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { GrantView, Role } from '../../../../daemon/api/types.ts';
import { Question } from '../administration/question.tsx';
import { RoleSelect } from '../administration/role-select.tsx';
import { call } from '../api/http.ts';
import { TextField } from '../door/text-field.tsx';
import { texts } from './texts.ts';

const { grants: words } = texts;

interface GrantQuestionProps {
  readonly cluster: string;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

const pathOf = (cluster: string): string => `/api/v1/clusters/${encodeURIComponent(cluster)}/grants`;
const holderOf = ({ principal, group }: GrantView): string =>
  group ?? (principal ?? '').replace(/^(user|token):/, '');

/** How a grant names the one that it is for. */
const holders = {
  person: (name: string) => ({ principal: `user:${name}` }),
  service: (name: string) => ({ principal: `token:${name}` }),
  group: (name: string) => ({ group: name }),
} as const;
type HolderKind = keyof typeof holders;
const kinds: readonly HolderKind[] = ['person', 'service', 'group'];

/** Gives a role in a cluster, or another one in place of the one that was given. */
export function GiveRole(
  props: GrantQuestionProps & { readonly grant?: GrantView | undefined },
): React.JSX.Element {
  const { cluster, grant, onClose, onDone } = props;
  const [kind, setKind] = useState<HolderKind>('person');
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>(grant?.role ?? 'user');
  const give = useMutation({
    mutationFn: () => {
      const { principal, group } = grant ?? {};
      const known = principal === undefined ? { group } : { principal };
      const holder = grant === undefined ? holders[kind](name.trim()) : known;
      return call('PUT', pathOf(cluster), { body: { ...holder, role } });
    },
    onSuccess: onDone,
  });
  return (
    <Question
      title={grant === undefined ? words.giveTitle(cluster) : words.changeTitle(holderOf(grant), cluster)}
      action={grant === undefined ? words.giveAction : words.changeAction}
      onAct={give.mutate}
      onClose={onClose}
      isBusy={give.isPending}
      isIncomplete={grant === undefined ? name.trim() === '' : grant.role === role}
      error={give.error}
      focusOn={grant === undefined ? 'grant-name' : 'grant-role'}
    >
      {grant === undefined ? <Holder kind={kind} name={name} onKind={setKind} onName={setName} /> : undefined}
      <RoleSelect
        id="grant-role"
        label={words.columns.role}
        value={role}
        meanings={words.roles}
        onChange={setRole}
      />
    </Question>
  );
}

function Holder(props: {
  readonly kind: HolderKind;
  readonly name: string;
  readonly onKind: (kind: HolderKind) => void;
  readonly onName: (name: string) => void;
}): React.JSX.Element {
  const { kind, name, onKind, onName } = props;
  return (
    <>
      <FormGroup label={words.holder} fieldId="grant-holder">
        <FormSelect
          id="grant-holder"
          value={kind}
          onChange={(_event, chosen) => onKind(kinds.find((each) => each === chosen) ?? kind)}
        >
          {kinds.map((each) => (
            <FormSelectOption key={each} value={each} label={words.kinds[each]} />
          ))}
        </FormSelect>
      </FormGroup>
      <TextField
        id="grant-name"
        label={words.holderName}
        help={words.holderHelp[kind]}
        value={name}
        onChange={onName}
      />
    </>
  );
}

/** Asks before a role is taken away. */
export function TakeRole(props: GrantQuestionProps & { readonly grant: GrantView }): React.JSX.Element {
  const { cluster, grant, onClose, onDone } = props;
  const take = useMutation({
    mutationFn: () => call('DELETE', `${pathOf(cluster)}/${encodeURIComponent(grant.id)}`),
    onSuccess: onDone,
  });
  return (
    <Question
      title={words.takeTitle(holderOf(grant), cluster)}
      action={words.takeAction}
      onAct={take.mutate}
      onClose={onClose}
      isDanger
      isBusy={take.isPending}
      error={take.error}
    >
      <p>{words.takeBody}</p>
    </Question>
  );
}
