import { Alert, Content } from '@patternfly/react-core';
import type { ReactNode } from 'react';
import type { ProblemDetails } from '../../../../daemon/api/types.ts';
import { Refusal, ServerAway } from '../api/http.ts';

/** One problem as the daemon tells it. */
export type ProblemReport = ProblemDetails['problems'][number];

/** What went wrong, where, why, what to do, and the code to look up: always in this order. */
export function ProblemReportView(props: {
  readonly report: ProblemReport;
  readonly isInline?: boolean;
  readonly actions?: ReactNode;
}): React.JSX.Element {
  const { report, actions } = props;
  const place = placeText(report);
  return (
    <Alert
      // What passes by itself is no alarm.
      variant={report.kind === 'transient' ? 'warning' : 'danger'}
      isInline
      component="p"
      title={report.summary}
      className="remuda-problem"
      {...(actions === undefined ? {} : { actionLinks: actions })}
    >
      {place === '' ? undefined : <p className="remuda-problem-place">{place}</p>}
      {report.remedy === undefined ? undefined : <p>{report.remedy}</p>}
      <LastLines report={report} />
      <p className="remuda-problem-code">{report.code}</p>
    </Alert>
  );
}

/** Whatever a call threw, as problems; nothing when there is none. */
export function ProblemView(props: {
  readonly error: unknown;
  readonly actions?: ReactNode;
}): React.JSX.Element | undefined {
  const { error, actions } = props;
  if (error === undefined || error === null) return undefined;
  return (
    <div className="remuda-problems">
      {reportsOf(error).map((report) => (
        <ProblemReportView
          key={`${report.code} ${report.summary}`}
          report={report}
          {...(actions === undefined ? {} : { actions })}
        />
      ))}
    </div>
  );
}

/** Problems of a failed call, for people: those of the daemon, or our own words for a daemon that is away. */
export function reportsOf(error: unknown): readonly ProblemReport[] {
  if (error instanceof Refusal) {
    const { problems, title, detail, type, changes } = error.details;
    if (problems.length > 0) return problems;
    const code = type.split(':').at(-1) ?? type;
    const remedy = changes.length > 0 ? changes.join('; ') : detail;
    return [{ kind: 'user', code, summary: title, ...(remedy === title ? {} : { remedy }) }];
  }
  if (error instanceof ServerAway)
    return [
      {
        kind: 'transient',
        code: 'UI-001',
        summary: 'The Remuda daemon does not answer just now.',
        remedy:
          'Running operations go on without this page. Check the connection; this page tries again by itself.',
      },
    ];
  return [
    {
      kind: 'fault',
      code: 'UI-002',
      summary: 'This page failed by our own mistake, not yours.',
      remedy: `Reload the page. If it comes again, report these words: ${String(error)}`,
    },
  ];
}

function placeText({ place, machine, command, value }: ProblemReport): string {
  const parts = [
    machine === undefined ? undefined : `Machine ${machine}`,
    place?.document,
    place?.field,
    place?.line === undefined ? undefined : `line ${place.line}`,
    value === undefined || place?.confidential ? undefined : `value “${value}”`,
    command === undefined ? undefined : `command ${command}`,
  ];
  return parts.filter((part) => part !== undefined).join(' · ');
}

function LastLines({ report }: { readonly report: ProblemReport }): React.JSX.Element | undefined {
  if (!report.lastLines || report.lastLines.length === 0) return undefined;
  return (
    <Content component="pre" className="remuda-last-lines">
      {report.lastLines.join('\n')}
    </Content>
  );
}
