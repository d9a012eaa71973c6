import { Alert, Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { IntentAnswer, PlanAnswer } from '../../../../daemon/api/types.ts';
import { post } from '../api/http.ts';
import { ProblemReportView, ProblemView } from '../problem/problem-view.tsx';
import { Loading } from '../shell/loading.tsx';
import { NameField } from './name-field.tsx';
import { texts } from './texts.ts';
import './cluster.css';

/** What the question says; the rest it reads from the plan. */
interface Words {
  readonly title: string;
  /** Said above what the plan changes. */
  readonly intro?: string;
  /** Label of the button that begins it. */
  readonly action: string;
  /** What is said when there is nothing to do. */
  readonly nothing: string;
}

/** Shows what a wish would do, and begins exactly that when somebody agrees: by the cluster's name where the plan asks for it. */
export function AgreementQuestion(props: {
  readonly cluster: string;
  /** Paths of the API that plan the wish and begin it, and the wish as both of them take it. */
  readonly plan: string;
  readonly begin: string;
  readonly body: object;
  readonly words: Words;
  readonly onClose: () => void;
}): React.JSX.Element {
  const { cluster, body, words, onClose } = props;
  const [key] = useState(() => crypto.randomUUID());
  const [typed, setTyped] = useState('');
  const [, go] = useLocation();
  const plan = useQuery({
    queryKey: ['agreement', props.plan, body],
    queryFn: ({ signal }) => post<PlanAnswer>(props.plan, body, { signal }),
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  const needsName = plan.data?.needsConfirmation.includes(cluster) === true;
  const agreed = { ...body, ...hashOf(plan.data), ...(needsName ? { confirm: typed } : {}) };
  const begin = useMutation({
    mutationFn: () => post<IntentAnswer>(props.begin, agreed, { headers: { 'Idempotency-Key': key } }),
    onSuccess: ({ operation }) => (operation ? go(`/operations/${operation.id}`) : onClose()),
  });
  const problems = plan.data?.problems ?? [];
  const isIdle = plan.data?.plans.every(({ isUnchanged }) => isUnchanged) === true;
  const isPossible = plan.data !== undefined && problems.length === 0 && !isIdle;
  const isAgreed = isPossible && (!needsName || typed === cluster);
  return (
    <Modal variant="medium" isOpen onClose={onClose} aria-labelledby="intent-title">
      <ModalHeader title={words.title} labelId="intent-title" />
      <ModalBody>
        <ProblemView error={plan.error ?? begin.error} />
        {plan.isPending ? <Planning /> : undefined}
        {plan.data === undefined ? undefined : <Found answer={plan.data} isIdle={isIdle} words={words} />}
        {isPossible && needsName ? (
          <NameField label={texts.deletion.confirm(cluster)} typed={typed} onType={setTyped} />
        ) : undefined}
      </ModalBody>
      <ModalFooter>
        <Button
          {...(needsName ? { variant: 'danger' as const } : {})}
          isDisabled={!isAgreed || begin.isPending}
          isLoading={begin.isPending}
          onClick={() => begin.mutate()}
        >
          {words.action}
        </Button>
        <Button variant="link" onClick={onClose}>
          {texts.intent.close}
        </Button>
      </ModalFooter>
    </Modal>
  );
}

const hashOf = (plan: PlanAnswer | undefined) => (plan === undefined ? {} : { planHash: plan.hash });

/** What holds it, that there is nothing to do, or what it would do. */
function Found(props: { readonly answer: PlanAnswer; readonly isIdle: boolean; readonly words: Words }) {
  const { answer, isIdle, words } = props;
  if (answer.problems.length > 0)
    return answer.problems.map((problem) => (
      <ProblemReportView key={problem.code + problem.summary} report={problem} />
    ));
  if (isIdle) return <p>{words.nothing}</p>;
  return (
    <>
      {words.intro === undefined ? undefined : <p>{words.intro}</p>}
      <WhatChanges plan={answer} />
    </>
  );
}

function Planning(): React.JSX.Element {
  return (
    <>
      <p>{texts.intent.planning}</p>
      <Loading />
    </>
  );
}

function WhatChanges({ plan }: { readonly plan: PlanAnswer }): React.JSX.Element {
  const plans = plan.plans.map((each) => each.plan);
  return (
    <div className="remuda-what-goes">
      <ul>
        {plans
          .flatMap(({ changes }) => changes)
          .map(({ action, subject, detail }) => (
            <li key={`${subject} ${detail}`}>
              <strong>{subject}</strong> {action === 'destroy' ? texts.intent.destroyed : ''}
              {detail}
            </li>
          ))}
      </ul>
      {plans
        .flatMap(({ notices }) => notices)
        .map((notice) => (
          <Alert component="p" key={notice} isInline isPlain variant="info" title={notice} />
        ))}
    </div>
  );
}
