import { ActionGroup, Button, Form } from '@patternfly/react-core';
import { type FormEvent, useState } from 'react';
import type { Door, SessionView } from '../../../../daemon/api/types.ts';
import { post, Refusal } from '../api/http.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { Time } from '../time/time.tsx';
import { DoorFrame } from './door-frame.tsx';
import { ServerLine } from './server-line.tsx';
import { TextField } from './text-field.tsx';
import { texts } from './texts.ts';

/** NIST SP 800-63B §3.1.1.2, as the daemon asks for it. */
const shortestPassword = 15;
const { claim: words } = texts;

interface ClaimPageProps {
  readonly door: Door;
  readonly onSignedIn: (session: SessionView) => void;
  /** Somebody else was faster. */
  readonly onLate: () => void;
}

interface Typed {
  readonly code: string;
  readonly name: string;
  readonly password: string;
}

/** The first visitor proves that the machine is hers and becomes its administrator. */
export function ClaimPage({ door, onSignedIn, onLate }: ClaimPageProps): React.JSX.Element {
  const [typed, setTyped] = useState<Typed>({ code: '', name: '', password: '' });
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const isComplete = typed.code !== '' && typed.name !== '' && typed.password.length >= shortestPassword;
  const claim = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!isComplete || isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      const { code, name, password } = typed;
      onSignedIn(await post<SessionView>('/api/v1/door/claim', { code, name, password }));
    } catch (refusal) {
      setError(refusal);
      setBusy(false);
    }
  };
  if (error instanceof Refusal && error.details.status === 409) return <Late door={door} onGoOn={onLate} />;
  return (
    <DoorFrame title={words.title} intro={words.intro} footer={<ServerLine door={door} />}>
      <Form onSubmit={(event) => void claim(event)}>
        <ClaimFields typed={typed} onChange={(part, value) => setTyped({ ...typed, [part]: value })} />
        <ProblemView error={error} />
        <ActionGroup>
          <Button type="submit" isBlock isDisabled={!isComplete} isLoading={isBusy}>
            {words.submit}
          </Button>
        </ActionGroup>
      </Form>
    </DoorFrame>
  );
}

function ClaimFields(props: {
  readonly typed: Typed;
  readonly onChange: (part: keyof Typed, value: string) => void;
}): React.JSX.Element {
  const { typed, onChange } = props;
  const missing = Math.max(0, shortestPassword - typed.password.length);
  const field = (part: keyof Typed) => ({
    id: part,
    label: words[part],
    value: typed[part],
    onChange: (value: string) => onChange(part, value),
  });
  return (
    <>
      <TextField {...field('code')} help={words.codeHelp} autoComplete="one-time-code" isCode hasFocus />
      <TextField {...field('name')} help={words.nameHelp} autoComplete="username" />
      <TextField
        {...field('password')}
        help={typed.password !== '' && missing > 0 ? words.short(missing) : words.passwordHelp}
        autoComplete="new-password"
        isSecret
      />
    </>
  );
}

function Late({ door, onGoOn }: { readonly door: Door; readonly onGoOn: () => void }): React.JSX.Element {
  return (
    <DoorFrame title={words.late} footer={<ServerLine door={door} />}>
      {door.claimedAt === undefined ? undefined : (
        <p>
          {words.lateWhen} <Time at={door.claimedAt} form="full" />
        </p>
      )}
      <p>{words.lateBody}</p>
      <Button onClick={onGoOn}>{words.goOn}</Button>
    </DoorFrame>
  );
}
