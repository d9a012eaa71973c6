import { Checkbox, FormGroup } from '@patternfly/react-core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { IssuedToken } from '../../../../daemon/api/types.ts';
import { post } from '../api/http.ts';
import { TextField } from '../door/text-field.tsx';
import { accountPath, administrationKey } from './queries.ts';
import { Outcome, Question } from './question.tsx';
import { ShownOnce } from './shown-once.tsx';
import { programTexts as words } from './texts.ts';

/** Days a token is good for, when nobody says otherwise; a year is the most (the daemon's bound). */
const usualDays = 90;
const mostDays = 366;

interface Wish {
  readonly name: string;
  readonly days: string;
  readonly clusters: string;
  readonly isReadOnly: boolean;
}

/** Makes a token of a service account and shows it once. */
export function NewToken(props: {
  readonly account: string;
  readonly onClose: () => void;
}): React.JSX.Element {
  const { account, onClose } = props;
  const client = useQueryClient();
  const [wish, setWish] = useState<Wish>({
    name: '',
    days: String(usualDays),
    clusters: '',
    isReadOnly: false,
  });
  const issue = useMutation({
    mutationFn: () => post<IssuedToken>(`${accountPath(account)}/tokens`, requestOf(wish)),
    onSuccess: () => client.invalidateQueries({ queryKey: administrationKey }),
  });
  if (issue.data !== undefined)
    return (
      <Outcome title={words.newTokenFor(account)} onClose={onClose}>
        <ShownOnce label={issue.data.view.name} secret={issue.data.token} />
      </Outcome>
    );
  const days = Number(wish.days);
  return (
    <Question
      title={words.newTokenFor(account)}
      action={words.issue}
      onAct={issue.mutate}
      onClose={onClose}
      isBusy={issue.isPending}
      isIncomplete={wish.name.trim() === '' || !(days > 0 && days <= mostDays)}
      error={issue.error}
      focusOn="token-name"
    >
      <WishFields wish={wish} onChange={setWish} />
    </Question>
  );
}

function WishFields(props: {
  readonly wish: Wish;
  readonly onChange: (wish: Wish) => void;
}): React.JSX.Element {
  const { wish, onChange } = props;
  const put = (part: 'name' | 'days' | 'clusters') => (value: string) => onChange({ ...wish, [part]: value });
  return (
    <>
      <TextField
        id="token-name"
        label={words.name}
        help={words.nameHelp}
        value={wish.name}
        onChange={put('name')}
      />
      <TextField
        id="token-days"
        label={words.days}
        help={words.daysHelp}
        value={wish.days}
        onChange={put('days')}
        inputMode="numeric"
      />
      <FormGroup>
        <Checkbox
          id="token-read-only"
          label={words.readOnly}
          isChecked={wish.isReadOnly}
          onChange={(_event, isReadOnly) => onChange({ ...wish, isReadOnly })}
        />
      </FormGroup>
      <TextField
        id="token-clusters"
        label={words.clusters}
        help={words.clustersHelp}
        value={wish.clusters}
        onChange={put('clusters')}
        isOptional
      />
    </>
  );
}

function requestOf({ name, days, clusters, isReadOnly }: Wish): unknown {
  const names = clusters
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  const scope = {
    ...(isReadOnly ? { verbs: ['read'] } : {}),
    ...(names.length === 0 ? {} : { clusters: names }),
  };
  return { name: name.trim(), days: Number(days), ...(Object.keys(scope).length === 0 ? {} : { scope }) };
}
