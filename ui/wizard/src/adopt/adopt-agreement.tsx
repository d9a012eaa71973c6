import { Button } from '@patternfly/react-core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { IntentAnswer, PlanAnswer } from '../../../../daemon/api/types.ts';
import { post } from '../api/http.ts';
import { NameField } from '../cluster/name-field.tsx';
import { PlanView } from '../plan/plan-view.tsx';
import { ProblemReportView, ProblemView } from '../problem/problem-view.tsx';
import { adoptTexts as words } from './adopt-texts.ts';
import { type Adoption, requestOf } from './adoption.ts';

interface Props {
  readonly adoption: Adoption;
  readonly answer: PlanAnswer;
}

/** What adopting does, with whom each machine says it is; and the consent to exactly that. */
export function AdoptAgreement({ adoption, answer }: Props): React.JSX.Element {
  const { problems, plans } = answer;
  return (
    <>
      {problems.length === 0 ? undefined : <h2 className="remuda-adopt-title">{words.blocked}</h2>}
      {problems.map((problem) => (
        <ProblemReportView key={problem.code + problem.summary} report={problem} />
      ))}
      {plans.length === 0 ? undefined : <h2 className="remuda-adopt-title">{words.plan}</h2>}
      {plans.map(({ plan, isUnchanged }) => (
        <PlanView key={plan.cluster.uid} plan={plan} isUnchanged={isUnchanged} />
      ))}
      {problems.length === 0 ? <Consent adoption={adoption} answer={answer} /> : undefined}
    </>
  );
}

function Consent({ adoption, answer }: Props): React.JSX.Element {
  const [typed, setTyped] = useState('');
  const [key] = useState(() => crypto.randomUUID());
  const [, go] = useLocation();
  const [name] = answer.needsConfirmation;
  const begin = useMutation({
    mutationFn: () =>
      post<IntentAnswer>(
        '/api/v1/adoptions',
        { ...requestOf(adoption), planHash: answer.hash, ...(name === undefined ? {} : { confirm: typed }) },
        { headers: { 'Idempotency-Key': key } },
      ),
    onSuccess: ({ operation }) => {
      if (operation !== undefined) go(`/operations/${operation.id}`);
    },
  });
  const isOpen = !begin.isPending && (name === undefined || typed === name);
  return (
    <form
      className="remuda-adopt-consent"
      onSubmit={(event) => {
        event.preventDefault();
        if (isOpen) begin.mutate();
      }}
    >
      {name === undefined ? undefined : (
        <NameField label={words.confirm(name)} typed={typed} onType={setTyped} />
      )}
      <ProblemView error={begin.error} />
      <div>
        <Button type="submit" isDisabled={!isOpen} isLoading={begin.isPending}>
          {words.begin}
        </Button>
      </div>
    </form>
  );
}
