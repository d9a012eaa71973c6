import { Alert, Button, ClipboardCopy, Form } from '@patternfly/react-core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { RecoveryCodes, SecondFactor } from '../../../../daemon/api/types.ts';
import { call, post } from '../api/http.ts';
import { TextField } from '../door/text-field.tsx';
import { ProblemView } from '../problem/problem-view.tsx';
import { useSession } from '../session/session.ts';
import { QrCode } from './qr-code.tsx';
import { texts } from './texts.ts';

const path = '/api/v1/session/second-factor';

/** Turns the one-time code at sign-in on and off; both need the password once more. */
export function SecondFactorPart(): React.JSX.Element {
  const { session } = useSession();
  const [password, setPassword] = useState('');
  const client = useQueryClient();
  const start = useMutation({ mutationFn: () => post<SecondFactor>(path, { password }) });
  const remove = useMutation({
    mutationFn: () => call('DELETE', path, { body: { password } }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['session'] }),
  });
  const isOn = session.secondFactor;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isOn) remove.mutate();
    else start.mutate();
  };
  return (
    <section aria-labelledby="second-part">
      <h2 id="second-part">{texts.second}</h2>
      <p className="remuda-lead">{isOn ? texts.secondOn : texts.secondOff}</p>
      {start.data === undefined ? (
        <Form onSubmit={submit}>
          <TextField
            id="factor-password"
            label={texts.current}
            value={password}
            onChange={setPassword}
            autoComplete="current-password"
            isSecret
          />
          <ProblemView error={start.error ?? remove.error} />
          <div>
            <Button type="submit" variant="secondary" isDisabled={password === ''}>
              {isOn ? texts.turnOff : texts.turnOn}
            </Button>
          </div>
        </Form>
      ) : (
        <Confirm factor={start.data} />
      )}
    </section>
  );
}

function Confirm({ factor }: { readonly factor: SecondFactor }): React.JSX.Element {
  const [code, setCode] = useState('');
  const confirm = useMutation({
    mutationFn: async () => (await call<RecoveryCodes>('PUT', path, { body: { code: code.trim() } })).body,
  });
  if (confirm.data)
    return (
      <Alert component="p" isInline variant="success" title={texts.recovery}>
        <pre className="remuda-recovery">{confirm.data.recoveryCodes.join('\n')}</pre>
      </Alert>
    );
  return (
    <Form
      onSubmit={(event) => {
        event.preventDefault();
        confirm.mutate();
      }}
    >
      <p>{texts.scan}</p>
      <QrCode text={factor.uri} label={texts.qr} />
      <p>{texts.enter}</p>
      {/* A field would cut it short, and who types it has to see all of it. */}
      <ClipboardCopy
        variant="inline-compact"
        isCode
        isBlock
        className="remuda-key"
        hoverTip="Copy"
        clickTip="Copied"
        copyAriaLabel={texts.copyKey}
      >
        {factor.secret}
      </ClipboardCopy>
      <TextField
        id="code"
        label={texts.code}
        value={code}
        onChange={setCode}
        autoComplete="one-time-code"
        isCode
        hasFocus
      />
      <ProblemView error={confirm.error} />
      <div>
        <Button type="submit" isDisabled={code.trim() === ''} isLoading={confirm.isPending}>
          {texts.confirm}
        </Button>
      </div>
    </Form>
  );
}
