import { Alert, Button } from '@patternfly/react-core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { IntentAnswer, RestorePlanAnswer } from '../../../../daemon/api/types.ts';
import { post, Refusal } from '../api/http.ts';
import { NameField } from '../cluster/name-field.tsx';
import { PlanView } from '../plan/plan-view.tsx';
import { ProblemReportView, ProblemView } from '../problem/problem-view.tsx';
import { Loading } from '../shell/loading.tsx';
import { type RestoreChoice, requestOf } from './choice.ts';
import { restoreTexts as words } from './restore-texts.ts';

interface Props {
  readonly cluster: string;
  readonly choice: RestoreChoice;
}

const pathOf = (cluster: string): string => `/api/v1/clusters/${encodeURIComponent(cluster)}`;

/** Looks at what the choice would lose and do, and begins exactly that when somebody has agreed by name. */
export function RestoreAgreement({ cluster, choice }: Props): React.JSX.Element {
  const plan = useQuery({
    queryKey: ['restore', cluster, choice],
    queryFn: ({ signal }) =>
      post<RestorePlanAnswer>(`${pathOf(cluster)}/restore-plan`, requestOf(choice), { signal }),
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    gcTime: 0,
    retry: false,
  });
  const { data } = plan;
  const isPossible = data !== undefined && data.problems.length === 0;
  return (
    <div aria-live="polite">
      {plan.isPending ? (
        <>
          <p>{words.planning}</p>
          <Loading />
        </>
      ) : undefined}
      <ProblemView error={plan.error} />
      {isSilent(plan.error) ? <p>{words.lost.hint}</p> : undefined}
      {data?.problems.map((problem) => (
        <ProblemReportView key={problem.code + problem.summary} report={problem} />
      ))}
      {isPossible ? <Consent cluster={cluster} choice={choice} answer={data} /> : undefined}
    </div>
  );
}

/** A machine is silent that nobody gave up (daemon/planning/restore-machines.ts). */
const isSilent = (error: unknown): boolean =>
  error instanceof Refusal && error.details.problems.some(({ code }) => code === 'PLAN-030');

function Consent({ cluster, choice, answer }: Props & { readonly answer: RestorePlanAnswer }) {
  const [typed, setTyped] = useState('');
  const [key] = useState(() => crypto.randomUUID());
  const [, go] = useLocation();
  const begin = useMutation({
    mutationFn: () =>
      post<IntentAnswer>(
        `${pathOf(cluster)}/restores`,
        { ...requestOf(choice), confirm: typed, planHash: answer.hash },
        { headers: { 'Idempotency-Key': key } },
      ),
    onSuccess: ({ operation }) => {
      if (operation !== undefined) go(`/operations/${operation.id}`);
    },
  });
  const isOpen = typed === cluster && !begin.isPending;
  return (
    <>
      <Loss lines={answer.loss} />
      <h2 className="remuda-restore-title">{words.plan}</h2>
      {answer.plans.map(({ plan, isUnchanged }) => (
        <PlanView key={plan.cluster.uid} plan={plan} isUnchanged={isUnchanged} />
      ))}
      <form
        className="remuda-restore-consent"
        onSubmit={(event) => {
          event.preventDefault();
          if (isOpen) begin.mutate();
        }}
      >
        <NameField label={words.confirm(cluster)} typed={typed} onType={setTyped} />
        <ProblemView error={begin.error} />
        <Button type="submit" variant="danger" isDisabled={!isOpen} isLoading={begin.isPending}>
          {words.begin}
        </Button>
      </form>
    </>
  );
}

function Loss({ lines }: { readonly lines: readonly string[] }): React.JSX.Element {
  return (
    <Alert isInline variant="danger" component="h2" title={words.loss} className="remuda-restore-loss">
      <ul>
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </Alert>
  );
}
