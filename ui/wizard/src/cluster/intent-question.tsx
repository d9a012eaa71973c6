import { Alert, Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { IntentAnswer, IntentRequest, PlanAnswer } from '../../../../daemon/api/types.ts';
import { post } from '../api/http.ts';
import { ProblemReportView, ProblemView } from '../problem/problem-view.tsx';
import { Loading } from '../shell/loading.tsx';
import { NameField } from './name-field.tsx';
import { texts } from './texts.ts';

/** What the question says; the rest it reads from the plan. */
interface Words {
  readonly title: string;
  /** Label of the button that begins it. */
  readonly action: string;
  /** What is said when there is nothing to do. */
  readonly nothing: string;
}

/** Shows what an operation that is wanted once would do, and begins exactly that. */
export function IntentQuestion(props: {
  readonly cluster: string;
  readonly intent: IntentRequest['intent'];
  readonly words: Words;
  readonly onClose: () => void;
}): React.JSX.Element {
  const { cluster, intent, words, onClose } = props;
  const [key] = useState(() => crypto.randomUUID());
  const [typed, setTyped] = useState('');
  const [, go] = useLocation();
  const path = `/api/v1/clusters/${encodeURIComponent(cluster)}`;
  const plan = useQuery({
    queryKey: ['intent', cluster, intent],
    queryFn: ({ signal }) => post<PlanAnswer>(`${path}/operation-plan`, { intent }, { signal }),
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  const needsName = plan.data?.needsConfirmation.includes(cluster) === true;
  const agreed = { intent, ...hashOf(plan.data), ...(needsName ? { confirm: typed } : {}) };
  const begin = useMutation({
    mutationFn: () =>
      post<IntentAnswer>(`${path}/operations`, agreed, { headers: { 'Idempotency-Key': key } }),
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
        {problems.map((problem) => (
          <ProblemReportView key={problem.code + problem.summary} report={problem} />
        ))}
        {isIdle ? <p>{words.nothing}</p> : undefined}
        {isPossible ? <WhatChanges plan={plan.data} /> : undefined}
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
