import { Alert, Button, Form } from '@patternfly/react-core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api/http.ts';
import { TextField } from '../door/text-field.tsx';
import { ProblemView } from '../problem/problem-view.tsx';
import { texts } from './texts.ts';

/** NIST SP 800-63B §3.1.1.2, as the daemon asks for it. */
const shortestPassword = 15;

/** Changes one's own password. */
export function PasswordPart(): React.JSX.Element {
  const [typed, setTyped] = useState({ current: '', next: '' });
  const change = useMutation({
    mutationFn: () => call('PUT', '/api/v1/session/password', { body: typed }),
    onSuccess: () => setTyped({ current: '', next: '' }),
  });
  return (
    <section aria-labelledby="password-part">
      <h2 id="password-part">{texts.password}</h2>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <TextField
          id="current"
          label={texts.current}
          value={typed.current}
          onChange={(current) => setTyped({ ...typed, current })}
          autoComplete="current-password"
          isSecret
        />
        <TextField
          id="next"
          label={texts.next}
          help={texts.nextHelp}
          value={typed.next}
          onChange={(next) => setTyped({ ...typed, next })}
          autoComplete="new-password"
          isSecret
        />
        <ProblemView error={change.error} />
        {change.isSuccess ? (
          <Alert component="p" isInline variant="success" title={texts.changed} />
        ) : undefined}
        <div>
          <Button
            type="submit"
            variant="secondary"
            isDisabled={typed.current === '' || typed.next.length < shortestPassword}
            isLoading={change.isPending}
          >
            {texts.change}
          </Button>
        </div>
      </Form>
    </section>
  );
}
