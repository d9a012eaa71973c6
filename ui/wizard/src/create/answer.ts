import { createContext, useContext } from 'react';
import type { AnswerDocument, AnswerFile, Path } from '../answer-file/stream.ts';
import type { ProblemReport } from '../problem/problem-view.tsx';
import type { AnswerFileSchema } from './schema.ts';

/** The kinds of documents that have forms. */
export type FormKind = 'Provider' | 'Cluster';

/** The answer file at hand: one text, which forms and editor show and change alike. */
export interface Answer {
  readonly text: string;
  readonly file: AnswerFile;
  readonly schema: AnswerFileSchema | undefined;
  /** Everything the daemon's validator says about the text, once it has looked at it. */
  readonly problems: readonly ProblemReport[];
  setText(text: string): void;
  /** The document the forms show; undefined when the text has none. */
  documentOf(kind: FormKind): AnswerDocument | undefined;
  /** Writes one value into the text; `undefined` takes it away. */
  write(kind: FormKind, path: Path, value: unknown): void;
  /** Problems to show at a field: those of fields and steps that were left once. */
  problemsAt(kind: FormKind, path: Path): readonly ProblemReport[];
  /** The person has left the field, or fields that are one to her. */
  touch(kind: FormKind, ...paths: readonly Path[]): void;
}

/** Set by the page of a draft; read by {@link useAnswer}. */
export const AnswerContext = createContext<Answer | undefined>(undefined);

/** The answer file at hand. @throws Error outside a draft: our own mistake. */
export function useAnswer(): Answer {
  const answer = useContext(AnswerContext);
  if (answer === undefined) throw new Error('this part belongs to a draft');
  return answer;
}
