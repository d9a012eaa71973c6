import { Alert, Button, Checkbox } from '@patternfly/react-core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { IntentAnswer, PlanAnswer } from '../../../../daemon/api/types.ts';
import { post } from '../api/http.ts';
import { NameField } from '../cluster/name-field.tsx';
import { texts } from '../cluster/texts.ts';
import { PlanView } from '../plan/plan-view.tsx';
import { ProblemReportView, ProblemView } from '../problem/problem-view.tsx';
import { Permitted } from '../session/permitted.tsx';
import { useHasRole } from '../session/session.ts';
import { Loading } from '../shell/loading.tsx';
import { rotationTexts as words } from './rotation-texts.ts';
import type { Stage } from './stages.ts';

interface Props {
  readonly cluster: string;
  readonly stage: Stage;
}

const pathOf = (cluster: string): string => `/api/v1/clusters/${encodeURIComponent(cluster)}`;

/** Looks at what the stage would do and what holds it, and begins exactly that when somebody agrees. */
export function StageAgreement({ cluster, stage }: Props): React.JSX.Element {
  const [endsCredentials, setEndsCredentials] = useState(false);
  const wish = { stage, endsCredentials };
  const plan = useQuery({
    queryKey: ['rotation', cluster, wish],
    queryFn: ({ signal }) => post<PlanAnswer>(`${pathOf(cluster)}/rotation-plan`, wish, { signal }),
    // Each look visits every machine: again only when somebody asks.
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    gcTime: 0,
    retry: false,
  });
  return (
    <div className="remuda-rotation-agreement">
      {stage === 'drop' ? (
        <Checkbox
          id="rotation-end-credentials"
          label={words.ends.label}
          description={words.ends.help}
          isChecked={endsCredentials}
          onChange={(_event, isChecked) => setEndsCredentials(isChecked)}
        />
      ) : undefined}
      <div aria-live="polite" className="remuda-rotation-agreement">
        {plan.isPending || plan.isRefetching ? <Looking /> : <Found answer={plan.data} error={plan.error} />}
      </div>
      {plan.data === undefined || plan.isRefetching ? undefined : (
        <Consent
          key={`${plan.data.hash} ${endsCredentials}`}
          cluster={cluster}
          wish={wish}
          answer={plan.data}
        />
      )}
      <div>
        <Button variant="link" isInline onClick={() => void plan.refetch()} isDisabled={plan.isFetching}>
          {words.look}
        </Button>
      </div>
    </div>
  );
}

function Looking(): React.JSX.Element {
  return (
    <>
      <p>{words.planning}</p>
      <Loading />
    </>
  );
}

/** What holds the stage, by name; and its plan, which stands back while something does. */
function Found(props: { readonly answer: PlanAnswer | undefined; readonly error: unknown }) {
  const { answer, error } = props;
  const { problems = [], plans = [] } = answer ?? {};
  if (plans.length > 0 && plans.every(({ isUnchanged }) => isUnchanged))
    return <Alert component="p" isInline isPlain variant="success" title={words.nothing} />;
  const shown = plans.map(({ plan }) => <PlanView key={plan.cluster.uid} plan={plan} />);
  return (
    <>
      {error !== null || problems.length > 0 ? <h3>{words.blocked}</h3> : undefined}
      <ProblemView error={error} />
      {problems.map((problem) => (
        <ProblemReportView key={problem.code + problem.summary} report={problem} />
      ))}
      {problems.length === 0 ? (
        shown
      ) : (
        <details>
          <summary>{words.would}</summary>
          {shown}
        </details>
      )}
    </>
  );
}

interface Wish {
  readonly stage: Stage;
  readonly endsCredentials: boolean;
}

function Consent(props: { readonly cluster: string; readonly wish: Wish; readonly answer: PlanAnswer }) {
  const { cluster, wish, answer } = props;
  const [typed, setTyped] = useState('');
  const [key] = useState(() => crypto.randomUUID());
  const [, go] = useLocation();
  const mayRotate = useHasRole('operator', cluster);
  const needsName = answer.needsConfirmation.includes(cluster);
  const begin = useMutation({
    mutationFn: () =>
      post<IntentAnswer>(
        `${pathOf(cluster)}/rotations`,
        { ...wish, planHash: answer.hash, ...(needsName ? { confirm: typed } : {}) },
        { headers: { 'Idempotency-Key': key } },
      ),
    onSuccess: ({ operation }) => {
      if (operation !== undefined) go(`/operations/${operation.id}`);
    },
  });
  if (answer.problems.length > 0 || answer.plans.every(({ isUnchanged }) => isUnchanged)) return undefined;
  const isOpen = mayRotate && !begin.isPending && (!needsName || typed === cluster);
  return (
    <form
      className="remuda-rotation-agreement"
      onSubmit={(event) => {
        event.preventDefault();
        if (isOpen) begin.mutate();
      }}
    >
      {needsName ? (
        <NameField label={texts.deletion.confirm(cluster)} typed={typed} onType={setTyped} />
      ) : undefined}
      <ProblemView error={begin.error} />
      <div>
        <Permitted isAllowed={mayRotate} needed="operator" cluster={cluster}>
          <Button
            type="submit"
            {...(wish.stage === 'drop' ? { variant: 'danger' as const } : {})}
            isDisabled={!isOpen}
            isLoading={begin.isPending}
          >
            {words.begin[wish.stage]}
          </Button>
        </Permitted>
      </div>
    </form>
  );
}
