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

interface ClaimPageProps {
  readonly door: Door;
  readonly onSignedIn: (session: SessionView) => void;
  /** Somebody else was faster. */
  readonly onLate: () => void;
}

/** The first visitor proves that the machine is hers and becomes its administrator. */
export function ClaimPage({ door, onSignedIn, onLate }: ClaimPageProps): React.JSX.Element {
  const [typed, setTyped] = useState({ code: '', name: '', password: '', again: '' });
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const put = (part: keyof typeof typed) => (value: string) => setTyped({ ...typed, [part]: value });
  const missing = Math.max(0, shortestPassword - typed.password.length);
  const differs = typed.again !== '' && typed.again !== typed.password;
  const isComplete =
    typed.code !== '' && typed.name !== '' && missing === 0 && typed.again === typed.password;
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
    } finally {
      setBusy(false);
    }
  };
  if (error instanceof Refusal && error.details.status === 409) return <Late door={door} onGoOn={onLate} />;
  const { claim: words } = texts;
  return (
    <DoorFrame title={words.title} intro={words.intro} footer={<ServerLine door={door} />}>
      <Form onSubmit={(event) => void claim(event)}>
        <TextField
          id="code"
          label={words.code}
          help={words.codeHelp}
          value={typed.code}
          onChange={put('code')}
          autoComplete="one-time-code"
          isCode
          hasFocus
        />
        <TextField
          id="name"
          label={words.name}
          help={words.nameHelp}
          value={typed.name}
          onChange={put('name')}
          autoComplete="username"
        />
        <TextField
          id="password"
          label={words.password}
          help={typed.password !== '' && missing > 0 ? words.short(missing) : words.passwordHelp}
          value={typed.password}
          onChange={put('password')}
          autoComplete="new-password"
          isSecret
        />
        <TextField
          id="again"
          label={words.again}
          value={typed.again}
          onChange={put('again')}
          autoComplete="new-password"
          isSecret
          {...(differs ? { problem: words.mismatch } : {})}
        />
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

function Late({ door, onGoOn }: { readonly door: Door; readonly onGoOn: () => void }): React.JSX.Element {
  const { claim: words } = texts;
  return (
    <DoorFrame title={words.late} footer={<ServerLine door={door} />}>
      <p>
        {door.claimedAt === undefined ? (
          words.lateBody('a moment ago')
        ) : (
          <>
            {words.lateBody('')} <Time at={door.claimedAt} />
          </>
        )}
      </p>
      <Button onClick={onGoOn}>{words.goOn}</Button>
    </DoorFrame>
  );
}
