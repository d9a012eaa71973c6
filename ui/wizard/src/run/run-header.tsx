import { Breadcrumb, BreadcrumbItem, Title } from '@patternfly/react-core';
import { Link } from 'wouter';
import type { OperationDetail } from '../../../../daemon/api/types.ts';
import { principalName } from '../session/principal-name.ts';
import { durationText, Time } from '../time/time.tsx';
import { Glyph } from './glyph.tsx';
import type { Standing } from './machines.ts';
import { RunActions } from './run-actions.tsx';

const verbs = {
  create: 'Create',
  update: 'Update',
  delete: 'Delete',
  backup: 'Back up',
  adopt: 'Adopt',
  eject: 'Eject',
  finalize: 'Finalize',
  restore: 'Restore the data of',
  renew: 'Renew the certificates of',
  rotate: 'Rotate the authorities of',
} as const;

/** What an operation waits for, in words. */
const waits = {
  approval: 'Waits for approval',
  agent: 'Waits for the site’s agent',
  operation: 'Waits for another operation',
  space: 'Waits for disk space',
  window: 'Waits for its maintenance window',
  pause: 'Pauses between two machines',
} as const;

const states: Readonly<Record<OperationDetail['state'], readonly [Standing, string]>> = {
  planned: ['planned', 'Planned'],
  waiting: ['waiting', 'Waiting'],
  running: ['running', 'Running'],
  succeeded: ['done', 'Succeeded'],
  failed: ['failed', 'Failed'],
  cancelled: ['cancelled', 'Cancelled'],
};

/** What runs, how far it is, since when, and what one may do about it. */
export function RunHeader(props: {
  readonly operation: OperationDetail;
  readonly now: number;
  /** Shown on a page that has a title and a way back of its own. */
  readonly isPart: boolean;
  readonly onChanged: () => void;
}): React.JSX.Element {
  const { operation, now, isPart, onChanged } = props;
  const { cluster, kind, steps } = operation;
  return (
    <header className={`remuda-run-header remuda-run-${operation.state}`}>
      {isPart ? undefined : <Place operation={operation} />}
      <div className="remuda-run-title">
        <Title headingLevel={isPart ? 'h2' : 'h1'} size={isPart ? 'xl' : '2xl'}>
          {verbs[kind]} {cluster.name}
        </Title>
        <State operation={operation} />
        <RunActions operation={operation} onChanged={onChanged} />
      </div>
      <div className="remuda-run-progress">
        <progress value={steps.ended} max={Math.max(1, steps.total)} aria-label="Steps that have ended" />
        <p>
          <strong>
            {steps.ended} of {steps.total} steps
          </strong>
          <span>{timesText(operation, now)}</span>
          {operation.startedAt === undefined ? undefined : (
            <span>
              started <Time at={operation.startedAt} form="full" /> by {principalName(operation.principal)}
            </span>
          )}
        </p>
      </div>
    </header>
  );
}

function Place({ operation }: { readonly operation: OperationDetail }): React.JSX.Element {
  const { cluster, kind } = operation;
  return (
    <Breadcrumb>
      <BreadcrumbItem
        render={({ className }) => (
          <Link href="/clusters" className={className}>
            Clusters
          </Link>
        )}
      />
      <BreadcrumbItem
        render={({ className }) => (
          <Link href={`/clusters/${encodeURIComponent(cluster.name)}`} className={className}>
            {cluster.name}
          </Link>
        )}
      />
      <BreadcrumbItem isActive>{verbs[kind].replace(/ the .*/, '')}</BreadcrumbItem>
    </Breadcrumb>
  );
}

function State({ operation }: { readonly operation: OperationDetail }): React.JSX.Element {
  const [standing, word] = states[operation.state];
  const { waitingFor, isCancelling } = operation;
  const said = operation.state === 'waiting' && waitingFor !== undefined ? waits[waitingFor] : word;
  return (
    <span className={`remuda-state remuda-state-${standing}`} role="status">
      <Glyph standing={standing} />
      {isCancelling === true ? 'Stopping: running steps end first' : said}
    </span>
  );
}

function timesText({ startedAt, createdAt, endedAt }: OperationDetail, now: number): string {
  const from = Date.parse(startedAt ?? createdAt);
  if (endedAt !== undefined) return `took ${durationText(Date.parse(endedAt) - from)}`;
  return startedAt === undefined ? 'not started yet' : `for ${durationText(now - from)}`;
}
