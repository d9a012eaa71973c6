import { Alert, Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { OperationView, PlanAnswer } from '../../../../daemon/api/types.ts';
import { post } from '../api/http.ts';
import { ProblemReportView, ProblemView } from '../problem/problem-view.tsx';
import { Loading } from '../shell/loading.tsx';
import { NameField } from './name-field.tsx';
import { texts } from './texts.ts';

const { deletion: words } = texts;

/** Shows what would be removed, and asks for the cluster's name before anything is. */
export function DeleteQuestion(props: {
  readonly name: string;
  readonly onClose: () => void;
}): React.JSX.Element {
  const { name, onClose } = props;
  const [typed, setTyped] = useState('');
  const [key] = useState(() => crypto.randomUUID());
  const [, go] = useLocation();
  const path = `/api/v1/clusters/${encodeURIComponent(name)}`;
  const plan = useQuery({
    queryKey: ['deletion', name],
    queryFn: ({ signal }) => post<PlanAnswer>(`${path}/deletion-plan`, {}, { signal }),
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  const remove = useMutation({
    mutationFn: () =>
      post<OperationView>(
        `${path}/delete`,
        { confirm: typed, ...(plan.data === undefined ? {} : { planHash: plan.data.hash }) },
        { headers: { 'Idempotency-Key': key } },
      ),
    onSuccess: (operation) => go(`/operations/${operation.id}`),
  });
  const isPossible = plan.data !== undefined && plan.data.problems.length === 0;
  return (
    <Modal variant="medium" isOpen onClose={onClose} aria-labelledby="delete-title">
      <ModalHeader title={words.title(name)} titleIconVariant="warning" labelId="delete-title" />
      <ModalBody>
        <ProblemView error={plan.error ?? remove.error} />
        {plan.isPending ? <Planning /> : undefined}
        {plan.data?.problems.map((problem) => (
          <ProblemReportView key={problem.code + problem.summary} report={problem} />
        ))}
        {isPossible ? <WhatGoes plan={plan.data} /> : undefined}
        {isPossible ? <NameField label={words.confirm(name)} typed={typed} onType={setTyped} /> : undefined}
      </ModalBody>
      <ModalFooter>
        <Button
          variant="danger"
          isDisabled={!isPossible || typed !== name || remove.isPending}
          isLoading={remove.isPending}
          onClick={() => remove.mutate()}
        >
          {words.action}
        </Button>
        <Button variant="link" onClick={onClose}>
          {words.cancel}
        </Button>
      </ModalFooter>
    </Modal>
  );
}

function Planning(): React.JSX.Element {
  return (
    <>
      <p>{words.planning}</p>
      <Loading />
    </>
  );
}

function WhatGoes({ plan }: { readonly plan: PlanAnswer }): React.JSX.Element {
  const plans = plan.plans.map((each) => each.plan);
  const changes = plans.flatMap((each) => each.changes);
  return (
    <div className="remuda-what-goes">
      <p>{words.body}</p>
      <ul>
        {changes.map(({ subject, detail }) => (
          <li key={`${subject} ${detail}`}>
            <strong>{subject}</strong> {detail}
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
