import { useMemo, useState } from 'react';
import { setValue } from '../answer-file/patch.ts';
import { fieldName, type Path, readAnswerFile, valueAt } from '../answer-file/stream.ts';
import type { ProblemReport } from '../problem/problem-view.tsx';
import type { Answer, FormKind } from './answer.ts';
import { useAnswerFileSchema } from './schema.ts';
import { type DraftStep, stepOf } from './steps.ts';

interface AnswerFileState {
  readonly answer: Answer;
  /** Problems of a step, whether shown yet or not. */
  readonly problemsOf: (step: DraftStep, among?: readonly ProblemReport[]) => readonly ProblemReport[];
  /** Problems that no form shows. */
  readonly elsewhere: readonly ProblemReport[];
  /** From now on the problems of the step are shown. */
  readonly reveal: (step: DraftStep) => void;
  readonly revealed: ReadonlySet<DraftStep>;
}

/** The forms' view of a text: which document they show, what is wrong where, and what of that is to be seen yet. */
export function useAnswerFile(
  text: string,
  setText: (text: string) => void,
  problems: readonly ProblemReport[],
  passed: readonly DraftStep[],
): AnswerFileState {
  const { data: schema } = useAnswerFileSchema();
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const [revealed, setRevealed] = useState<ReadonlySet<DraftStep>>(new Set(passed));
  const file = useMemo(() => readAnswerFile(text), [text]);
  const cluster = file.documents.find(({ kind }) => kind === 'Cluster');
  const wanted = valueAt(cluster?.value, ['spec', 'provider']);
  const own = file.documents.filter(({ kind }) => kind === 'Provider');
  const shown = { Cluster: cluster, Provider: own.find(({ name }) => name === wanted) ?? own[0] };
  const providers = new Set(own.map(({ index }) => `document ${index + 1}`));

  const isOf = (kind: FormKind, problem: ProblemReport): boolean => {
    const { document } = problem.place ?? {};
    const ours = shown[kind];
    return (
      ours !== undefined && (document === `${kind}/${ours.name}` || document === `document ${ours.index + 1}`)
    );
  };
  const answer: Answer = {
    text,
    file,
    schema,
    problems,
    setText,
    documentOf: (kind) => shown[kind],
    write(kind, path, value) {
      const document = shown[kind];
      if (document !== undefined && !file.isUnreadable) setText(setValue(text, document.index, path, value));
    },
    problemsAt(kind, path) {
      const name = fieldName(path);
      return problems.filter((problem) => {
        const step = stepOf(problem, providers);
        const isShown = touched.has(`${kind}-${name}`) || (step !== undefined && revealed.has(step));
        return isShown && isOf(kind, problem) && isAt(problem, path, shown[kind]?.value);
      });
    },
    touch: (kind, ...paths) =>
      setTouched(new Set([...touched, ...paths.map((path) => `${kind}-${fieldName(path)}`)])),
  };
  return {
    answer,
    problemsOf: (step, among = problems) => among.filter((problem) => stepOf(problem, providers) === step),
    elsewhere: problems.filter((problem) => stepOf(problem, providers) === undefined),
    reveal: (step) => setRevealed((before) => new Set([...before, step])),
    revealed,
  };
}

/** Whether a problem speaks of the field: entries of lists go by number, or by name. */
function isAt(problem: ProblemReport, path: Path, document: unknown): boolean {
  const field = problem.place?.field;
  if (field === undefined) return false;
  if (field === fieldName(path)) return true;
  const named = path.map((part, place) => {
    if (typeof part !== 'number') return part;
    const name = valueAt(document, [...path.slice(0, place + 1), 'name']);
    return typeof name === 'string' ? { name } : part;
  });
  const text = named
    .map((part, place) => {
      if (typeof part === 'object') return `[${part.name}]`;
      return typeof part === 'number' ? `[${part}]` : `${place === 0 ? '' : '.'}${part}`;
    })
    .join('');
  return field === text;
}
