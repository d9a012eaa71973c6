import { Alert, Button, Checkbox, EmptyState, EmptyStateBody, Label, Spinner } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import type { PreflightAnswer } from '../../../../../daemon/api/types.ts';
import { post } from '../../api/http.ts';
import { ProblemReportView, ProblemView } from '../../problem/problem-view.tsx';
import { useAnswer } from '../answer.ts';

const words = {
  running: 'Looking at the site…',
  runningBody: 'Usually a few seconds.',
  again: 'Check again',
  passed: 'All checks passed',
  failed: (count: number) => `${count} ${count === 1 ? 'check needs' : 'checks need'} attention`,
  later: 'These come later, on the machines themselves',
  bypass: 'Go on all the same',
  outcome: { passed: 'Passed', failed: 'Failed', bypassed: 'Bypassed' },
  field: 'Field',
} as const;

type Finding = PreflightAnswer['clusters'][number]['checks'][number]['findings'][number];

/** Asks for the checks of a text; an answer is kept while the text and what is bypassed stay. */
export const usePreflight = (text: string, bypass: readonly string[]) =>
  useQuery({
    queryKey: ['preflight', text, ...bypass],
    queryFn: ({ signal }) =>
      post<PreflightAnswer>('/api/v1/preflight', { text, file: '-', bypass }, { signal }),
    staleTime: 60_000,
    retry: false,
  });

/** What the checks found, and which of them a person may go past. */
export function PreflightStep(props: {
  readonly bypass: readonly string[];
  readonly onBypass: (checks: readonly string[]) => void;
}): React.JSX.Element {
  const { bypass, onBypass } = props;
  const { text } = useAnswer();
  const { data, error, isFetching, refetch } = usePreflight(text, bypass);
  const again = (
    <Button variant="link" isInline onClick={() => void refetch()} isDisabled={isFetching}>
      {words.again}
    </Button>
  );
  if (error) return <ProblemView error={error} actions={again} />;
  if (data === undefined)
    return (
      <EmptyState titleText={words.running} icon={Spinner} headingLevel="h3">
        <EmptyStateBody>{words.runningBody}</EmptyStateBody>
      </EmptyState>
    );
  const findings = data.clusters.flatMap(({ checks }) => checks.flatMap((check) => check.findings));
  const troubles = data.clusters.flatMap(({ checks }) => checks.flatMap((check) => check.problem ?? []));
  const failed = findings.filter(({ outcome }) => outcome === 'failed');
  const later = [...new Set(data.clusters.flatMap((cluster) => cluster.later))];
  return (
    <div className="remuda-stack" aria-busy={isFetching}>
      <Alert
        component="p"
        isInline
        variant={data.isPassed ? 'success' : 'danger'}
        title={
          data.isPassed ? words.passed : words.failed(failed.length + troubles.length + data.problems.length)
        }
        actionLinks={again}
        aria-live="polite"
      />
      {[...data.problems, ...troubles].map((problem) => (
        <ProblemReportView key={problem.code + problem.summary} report={problem} />
      ))}
      <ul className="remuda-findings">
        {[...findings].sort(byOutcome).map((finding) => (
          <FindingRow
            key={`${finding.check} ${finding.subject}`}
            finding={finding}
            onBypass={(isOn) =>
              onBypass(isOn ? [...bypass, finding.check] : bypass.filter((check) => check !== finding.check))
            }
          />
        ))}
      </ul>
      <Later checks={later} />
    </div>
  );
}

function Later({ checks }: { readonly checks: readonly string[] }): React.JSX.Element | undefined {
  if (checks.length === 0) return undefined;
  return (
    <details className="remuda-later">
      <summary>
        {words.later} ({checks.length})
      </summary>
      <ul>
        {checks.map((check) => (
          <li key={check}>{check}</li>
        ))}
      </ul>
    </details>
  );
}

const order = ['failed', 'bypassed', 'passed'];
const byOutcome = (a: Finding, b: Finding): number => order.indexOf(a.outcome) - order.indexOf(b.outcome);
const statuses = { passed: 'success', failed: 'danger', bypassed: 'warning' } as const;

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function FindingRow(props: {
  readonly finding: Finding;
  readonly onBypass: (isOn: boolean) => void;
}): React.JSX.Element {
  const { finding } = props;
  return (
    <li className="remuda-finding">
      <Label variant="outline" status={statuses[finding.outcome]} isCompact>
        {words.outcome[finding.outcome]}
      </Label>
      <div>
        <p>{sentence(finding.saw)}</p>
        {finding.outcome === 'passed' || finding.remedy === undefined ? undefined : <p>{finding.remedy}</p>}
        {finding.severity === 'bypassable' && finding.outcome !== 'passed' ? (
          <Checkbox
            id={`bypass-${finding.check}-${finding.subject}`}
            label={words.bypass}
            isChecked={finding.outcome === 'bypassed'}
            onChange={(_event, isOn) => props.onBypass(isOn)}
          />
        ) : undefined}
      </div>
      <span className="remuda-subtle">
        {finding.subject === 'cluster' ? '' : `${finding.subject} · `}
        {finding.check}
      </span>
    </li>
  );
}
