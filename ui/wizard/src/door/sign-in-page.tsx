import { ActionGroup, Button, Form, FormGroup, FormSelect, FormSelectOption } from '@patternfly/react-core';
import { type FormEvent, useState } from 'react';
import type { Door, SessionView } from '../../../../daemon/api/types.ts';
import { post, Refusal } from '../api/http.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { DoorFrame } from './door-frame.tsx';
import { ServerLine } from './server-line.tsx';
import { TextField } from './text-field.tsx';
import { texts } from './texts.ts';

/** Answer that asks for a one-time code beside the password. */
const secondFactorNeeded = 428;

interface SignInPageProps {
  readonly door: Door;
  readonly onSignedIn: (session: SessionView) => void;
  /** Somebody comes for the first time, with an invitation. */
  readonly onInvited: () => void;
}

/** Name and password, then the one-time code of those who have one. */
export function SignInPage({ door, onSignedIn, onInvited }: SignInPageProps): React.JSX.Element {
  const [typed, setTyped] = useState({ name: '', password: '', directory: '', code: '' });
  const [isCodeAsked, setCodeAsked] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const put = (part: keyof typeof typed) => (value: string) => setTyped({ ...typed, [part]: value });
  const signIn = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      const { name, password, directory, code } = typed;
      const asked = {
        name,
        password,
        ...(directory === '' ? {} : { directory }),
        ...(isCodeAsked ? { code: code.trim() } : {}),
      };
      onSignedIn(await post<SessionView>('/api/v1/session', asked));
    } catch (refusal) {
      if (refusal instanceof Refusal && refusal.details.status === secondFactorNeeded && !isCodeAsked)
        setCodeAsked(true);
      else setError(refusal);
    } finally {
      setBusy(false);
    }
  };
  const { signIn: words } = texts;
  return (
    <DoorFrame title={words.title} footer={<ServerLine door={door} />}>
      <Form onSubmit={(event) => void signIn(event)}>
        {isCodeAsked ? (
          <CodeField value={typed.code} onChange={put('code')} />
        ) : (
          <NameFields door={door} typed={typed} put={put} />
        )}
        <ProblemView error={error} />
        <ActionGroup>
          <Button
            type="submit"
            isBlock
            isLoading={isBusy}
            isDisabled={typed.name === '' || typed.password === ''}
          >
            {isCodeAsked ? words.codeSubmit : words.submit}
          </Button>
          <Button variant="link" onClick={isCodeAsked ? () => setCodeAsked(false) : onInvited}>
            {isCodeAsked ? words.back : words.invited}
          </Button>
        </ActionGroup>
      </Form>
    </DoorFrame>
  );
}

function CodeField(props: {
  readonly value: string;
  readonly onChange: (value: string) => void;
}): React.JSX.Element {
  return (
    <TextField
      id="code"
      label={texts.signIn.code}
      help={texts.signIn.codeHelp}
      value={props.value}
      onChange={props.onChange}
      autoComplete="one-time-code"
      isCode
      hasFocus
    />
  );
}

function NameFields(props: {
  readonly door: Door;
  readonly typed: { readonly name: string; readonly password: string; readonly directory: string };
  readonly put: (part: 'name' | 'password' | 'directory') => (value: string) => void;
}): React.JSX.Element {
  const { door, typed, put } = props;
  const { signIn: words } = texts;
  return (
    <>
      {door.directories.length === 0 ? undefined : (
        <FormGroup label={words.directory} fieldId="directory">
          <FormSelect
            id="directory"
            value={typed.directory}
            onChange={(_event, value) => put('directory')(value)}
          >
            <FormSelectOption value="" label={words.local} />
            {door.directories.map(({ name, title }) => (
              <FormSelectOption key={name} value={name} label={title} />
            ))}
          </FormSelect>
        </FormGroup>
      )}
      <TextField
        id="name"
        label={words.name}
        value={typed.name}
        onChange={put('name')}
        autoComplete="username"
        hasFocus
      />
      <TextField
        id="password"
        label={words.password}
        value={typed.password}
        onChange={put('password')}
        autoComplete="current-password"
        isSecret
      />
    </>
  );
}
