import { useCallback, useEffect, useRef, useState } from 'react';
import { post } from '../api/http.ts';
import type { ProblemReport } from '../problem/problem-view.tsx';

/** A pause in typing after which the daemon is asked, milliseconds. */
const pause = 350;

/** What the daemon's validator says about a text. */
export interface Validation {
  /** Of the text it looked at last. */
  readonly problems: readonly ProblemReport[];
  /** Whether that was the present text. */
  readonly isCurrent: boolean;
  /** Why the daemon could not be asked. */
  readonly error: unknown;
  /** Asks at once; the answer is about exactly this text. @throws Refusal, ServerAway */
  check(text: string): Promise<readonly ProblemReport[]>;
}

const ask = async (text: string): Promise<readonly ProblemReport[]> =>
  (await post<{ readonly problems: readonly ProblemReport[] }>('/api/v1/validate', { text, file: '-' }))
    .problems;

/** Keeps asking the daemon's own validator about the text, a moment after each change. */
export function useValidation(text: string): Validation {
  const [found, setFound] = useState<{ readonly of: string; readonly problems: readonly ProblemReport[] }>();
  const [error, setError] = useState<unknown>();
  const latest = useRef(text);
  useEffect(() => {
    latest.current = text;
  });
  const check = useCallback(async (asked: string) => {
    try {
      const problems = await ask(asked);
      if (latest.current === asked) setFound({ of: asked, problems });
      setError(undefined);
      return problems;
    } catch (failure) {
      setError(failure);
      throw failure;
    }
  }, []);
  useEffect(() => {
    const timer = setTimeout(() => {
      check(text).catch(() => undefined);
    }, pause);
    return () => clearTimeout(timer);
  }, [check, text]);
  return { problems: found?.problems ?? [], isCurrent: found?.of === text, error, check };
}
