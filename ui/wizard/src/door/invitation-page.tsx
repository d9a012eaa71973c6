import { ActionGroup, Button, Form } from '@patternfly/react-core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { Door, SessionView } from '../../../../daemon/api/types.ts';
import { post } from '../api/http.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { DoorFrame } from './door-frame.tsx';
import { ServerLine } from './server-line.tsx';
import { TextField } from './text-field.tsx';
import { texts } from './texts.ts';

/** NIST SP 800-63B §3.1.1.2, as the daemon asks for it. */
const shortestPassword = 15;
const { claim, invitation: words } = texts;

/** Somebody with an invitation chooses her own password and is signed in. */
export function InvitationPage(props: {
  readonly door: Door;
  readonly onSignedIn: (session: SessionView) => void;
  readonly onBack: () => void;
}): React.JSX.Element {
  const { door, onSignedIn, onBack } = props;
  const [code, setCode] = useState('');
  const [password, setPassword] = useState('');
  const accept = useMutation({
    mutationFn: () => post<SessionView>('/api/v1/door/invitation', { code: code.trim(), password }),
    onSuccess: onSignedIn,
  });
  const missing = Math.max(0, shortestPassword - password.length);
  const isComplete = code.trim() !== '' && missing === 0;
  return (
    <DoorFrame title={words.title} intro={words.intro} footer={<ServerLine door={door} />}>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          if (isComplete && !accept.isPending) accept.mutate();
        }}
      >
        <TextField
          id="invitation-code"
          label={words.code}
          help={words.codeHelp}
          value={code}
          onChange={setCode}
          autoComplete="one-time-code"
          isCode
          hasFocus
        />
        <TextField
          id="invitation-password"
          label={claim.password}
          help={password !== '' && missing > 0 ? claim.short(missing) : claim.passwordHelp}
          value={password}
          onChange={setPassword}
          autoComplete="new-password"
          isSecret
        />
        <ProblemView error={accept.error} />
        <ActionGroup>
          <Button type="submit" isBlock isDisabled={!isComplete} isLoading={accept.isPending}>
            {words.submit}
          </Button>
          <Button variant="link" onClick={onBack}>
            {words.back}
          </Button>
        </ActionGroup>
      </Form>
    </DoorFrame>
  );
}
