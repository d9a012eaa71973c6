import { Button } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import type { PlanAnswer } from '../../../../../daemon/api/types.ts';
import { post } from '../../api/http.ts';
import { YamlEditor } from '../../editor/yaml-editor.tsx';
import { PlanView } from '../../plan/plan-view.tsx';
import { ProblemReportView, ProblemView } from '../../problem/problem-view.tsx';
import { Loading } from '../../shell/loading.tsx';
import { useAnswer } from '../answer.ts';

/** Asks what apply would do. */
export const usePlan = (text: string) =>
  useQuery({
    queryKey: ['plan', text],
    queryFn: ({ signal }) => post<PlanAnswer>('/api/v1/plans', { text, file: '-' }, { signal }),
    staleTime: 60_000,
    retry: false,
  });

/** The plan as a tree, and beside it the file it comes from. */
export function ReviewStep(): React.JSX.Element {
  const answer = useAnswer();
  const { data, error, refetch, isFetching } = usePlan(answer.text);
  const again = (
    <Button variant="link" isInline onClick={() => void refetch()} isDisabled={isFetching}>
      Plan again
    </Button>
  );
  return (
    <div className="remuda-review remuda-wide">
      <section aria-label="Plan" className="remuda-review-plan">
        <ProblemView error={error} actions={again} />
        {data?.problems.map((problem) => (
          <ProblemReportView key={problem.code + problem.summary} report={problem} />
        ))}
        {data?.plans.map(({ cluster, plan, isUnchanged }) => (
          <PlanView key={cluster} plan={plan} isUnchanged={isUnchanged} />
        ))}
        {data === undefined && !error ? <Loading /> : undefined}
      </section>
      <section aria-label="Answer file" className="remuda-review-yaml">
        <YamlEditor text={answer.text} problems={answer.problems} label="Answer file, to be read" />
      </section>
    </div>
  );
}
