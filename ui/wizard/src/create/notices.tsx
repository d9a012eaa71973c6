import { Alert, AlertActionLink } from '@patternfly/react-core';
import { ProblemReportView, ProblemView, type ProblemReport } from '../problem/problem-view.tsx';
import { useAnswer } from './answer.ts';
import type { OpenDraft } from './draft.ts';
import { texts } from './texts.ts';

/** What concerns the whole draft: others at work on it, words that were not saved, problems that no form shows. */
export function Notices(props: {
  readonly draft: OpenDraft;
  readonly elsewhere: readonly ProblemReport[];
  readonly checkError: unknown;
}): React.JSX.Element {
  const { draft, elsewhere, checkError } = props;
  const { file } = useAnswer();
  const clusters = file.documents.filter(({ kind }) => kind === 'Cluster').length;
  const others = draft.others.map(({ name }) => name).join(', ');
  return (
    <div className="remuda-notices" aria-live="polite">
      {others === '' ? undefined : (
        <Alert component="p" isInline variant="info" title={texts.othersHere(others)}>
          {texts.othersHint}
        </Alert>
      )}
      {draft.saving === 'conflict' ? (
        <Alert
          component="p"
          isInline
          variant="warning"
          title={texts.conflict}
          actionLinks={
            <>
              <AlertActionLink onClick={() => draft.settle('theirs')}>{texts.theirs}</AlertActionLink>
              <AlertActionLink onClick={() => draft.settle('mine')}>{texts.mine}</AlertActionLink>
            </>
          }
        />
      ) : undefined}
      {clusters > 1 ? (
        <Alert component="p" isInline isPlain variant="info" title={texts.several(clusters)} />
      ) : undefined}
      {elsewhere.map((problem) => (
        <ProblemReportView key={`${problem.code}${problem.summary}${problem.place?.line}`} report={problem} />
      ))}
      <ProblemView error={checkError} />
    </div>
  );
}
