import './run.css';
import { Button } from '@patternfly/react-core';
import { useMemo } from 'react';
import type { OperationDetail } from '../../../../daemon/api/types.ts';
import { useCluster } from '../api/queries.ts';
import { ProblemReportView, ProblemView } from '../problem/problem-view.tsx';
import { Loading } from '../shell/loading.tsx';
import { DeletionProof } from '../done/deletion-proof.tsx';
import { RestoreFindings } from '../restore/restore-findings.tsx';
import { AgentAway } from './agent-away.tsx';
import { Agreement } from './agreement.tsx';
import { Held } from './held.tsx';
import { LogPanel } from './log/log-panel.tsx';
import { useRunPosition } from './log/position.ts';
import { endpointOf } from './endpoint.ts';
import { machinesOf } from './machines.ts';
import { phasesOf } from './phases.ts';
import { RunHeader } from './run-header.tsx';
import { StepTree } from './step-tree.tsx';
import { Topology } from './topology.tsx';
import { useNow } from './use-now.ts';
import { type Run, useRun } from './use-run.ts';

/** Live view of one operation: its steps, its machines and its log. */
export function RunView(props: {
  /** Its id. */
  readonly operation: string;
  /** Shown on a page that has a title and a way back of its own. */
  readonly isPart?: boolean;
}): React.JSX.Element {
  const { operation: id, isPart = false } = props;
  // Another operation is another run with a log of its own: nothing of the last one stays.
  return <OneRun key={id} id={id} isPart={isPart} />;
}

function OneRun({ id, isPart }: { readonly id: string; readonly isPart: boolean }): React.JSX.Element {
  const run = useRun(id);
  if (run.operation === undefined)
    return run.error === null ? <Loading /> : <ProblemView error={run.error} />;
  return <Shown run={run} operation={run.operation} isPart={isPart} />;
}

function Shown(props: {
  readonly run: Run;
  readonly operation: OperationDetail;
  readonly isPart: boolean;
}): React.JSX.Element {
  const { run, operation, isPart } = props;
  const named = useCluster(operation.cluster.name).data;
  // After a deletion the name may be another cluster's.
  const cluster = named?.uid === operation.cluster.uid ? named : undefined;
  const now = useNow(operation.endedAt === undefined && run.awaySince === undefined, run.skew);
  const [position, setPosition] = useRunPosition(operation.id);
  const observed = cluster?.observed;
  const machines = useMemo(() => machinesOf(operation, observed), [operation, observed]);
  const phases = useMemo(() => phasesOf(operation.stepList), [operation]);
  const names = useMemo(() => machines.map(({ name }) => name), [machines]);
  const endpoint = useMemo(() => endpointOf(operation, cluster), [operation, cluster]);
  const { filter } = position;
  return (
    <div className={isPart ? 'remuda-run remuda-run-part' : 'remuda-run'}>
      <RunHeader operation={operation} now={now} isPart={isPart} onChanged={run.renew} />
      <Failures
        operation={operation}
        now={now}
        onShowLog={(step) => setPosition({ filter: { ...filter, step } })}
      />
      <DeletionProof operation={operation} />
      <RestoreFindings operation={operation} />
      <div className="remuda-run-body">
        <section className="remuda-panel remuda-steps" aria-labelledby="remuda-steps-title">
          <div className="remuda-panel-head">
            <h2 id="remuda-steps-title">Steps</h2>
          </div>
          <StepTree
            phases={phases}
            now={now}
            toggled={position.toggled}
            onToggle={(phase, isOpen) => setPosition({ toggled: { ...position.toggled, [phase]: isOpen } })}
            selected={filter.step}
            onSelect={(step) => setPosition({ filter: { ...filter, step } })}
          />
        </section>
        <div className="remuda-run-side">
          <Topology
            machines={machines}
            endpoint={endpoint}
            seenAt={observed?.at}
            selected={filter.machine}
            onSelect={(machine) => setPosition({ filter: { ...filter, machine } })}
          />
          <LogPanel
            run={run}
            operation={operation}
            machines={names}
            position={position}
            onPosition={setPosition}
          />
        </div>
      </div>
    </div>
  );
}

/** Failed steps whose problems are shown whole; the tree has the summaries of all. */
const mostFailures = 3;

/** Why it failed, on top of everything: cause, remedy, code, and the way to the lines of the step. */
function Failures(props: {
  readonly operation: OperationDetail;
  readonly now: number;
  readonly onShowLog: (step: string) => void;
}): React.JSX.Element | undefined {
  const { operation, now, onShowLog } = props;
  const failed = operation.stepList.filter((step) => step.state === 'failed' && step.problem !== undefined);
  if (operation.state === 'waiting' && operation.waitingFor === 'agent')
    return <AgentAway operation={operation} now={now} />;
  const { waitingFor } = operation;
  if (operation.state === 'waiting' && (waitingFor === 'window' || waitingFor === 'pause'))
    return <Held operation={operation} cause={waitingFor} now={now} />;
  if (failed.length === 0)
    return (
      <>
        {operation.problem === undefined ? undefined : <ProblemReportView report={operation.problem} />}
        <Agreement operation={operation} />
      </>
    );
  return (
    <div className="remuda-failures">
      {failed.slice(0, mostFailures).map(
        ({ id, title, problem }) =>
          problem && (
            <ProblemReportView
              key={id}
              report={problem}
              actions={
                <Button variant="link" isInline onClick={() => onShowLog(id)}>
                  Show the log of “{title}”
                </Button>
              }
            />
          ),
      )}
      {failed.length > mostFailures ? (
        <p className="remuda-quiet">{failed.length - mostFailures} more steps failed: see the steps below.</p>
      ) : undefined}
    </div>
  );
}
