import { type ReactNode, createElement, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { ApplyAnswer } from '../../../../daemon/api/types.ts';
import { post } from '../api/http.ts';
import { queryClient } from '../api/queries.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import type { OpenDraft } from './draft.ts';
import { usePlan } from './steps/review-step.tsx';

interface Apply {
  readonly isReady: boolean;
  readonly isApplying: boolean;
  readonly problem: ReactNode;
  apply(): void;
}

/** Runs exactly the plan that was shown, once, and goes to its run. */
export function useApply(draft: OpenDraft, bypass: readonly string[]): Apply {
  const { data: plan } = usePlan(draft.text);
  const [isApplying, setApplying] = useState(false);
  const [error, setError] = useState<unknown>();
  const [, go] = useLocation();
  // The same wish under the same key: a second click, or a repeat after a lost answer, starts nothing twice.
  const wish = useRef({ text: '', key: '' });
  const run = async (): Promise<void> => {
    if (plan === undefined) return;
    if (wish.current.text !== draft.text) wish.current = { text: draft.text, key: crypto.randomUUID() };
    setApplying(true);
    setError(undefined);
    try {
      const answer = await post<ApplyAnswer>(
        '/api/v1/apply',
        { text: draft.text, file: '-', planHash: plan.hash, confirm: [], bypass },
        { headers: { 'Idempotency-Key': wish.current.key } },
      );
      await draft.discard();
      await queryClient.invalidateQueries();
      const [operation] = answer.operations;
      go(operation === undefined ? '/clusters' : `/run/${operation.id}`);
    } catch (refusal) {
      setError(refusal);
      setApplying(false);
      void queryClient.invalidateQueries({ queryKey: ['plan'] });
    }
  };
  const isReady =
    plan !== undefined &&
    plan.problems.length === 0 &&
    plan.needsConfirmation.length === 0 &&
    plan.plans.some(({ isUnchanged }) => !isUnchanged);
  return {
    isReady,
    isApplying,
    problem: error === undefined ? undefined : createElement(ProblemView, { error }),
    apply: () => void run(),
  };
}
