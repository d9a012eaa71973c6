import { Label } from '@patternfly/react-core';
import { Td, Tr } from '@patternfly/react-table';
import { Link } from 'wouter';
import type { OperationView } from '../../../../daemon/api/types.ts';
import { useOperations } from '../api/queries.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { principalName } from '../session/principal-name.ts';
import { HeadedTable } from '../shell/headed-table.tsx';
import { durationText, Time } from '../time/time.tsx';
import { texts } from './texts.ts';

const { operationColumns: columns } = texts;
const statuses = {
  planned: undefined,
  waiting: 'warning',
  running: 'info',
  succeeded: 'success',
  failed: 'danger',
  cancelled: undefined,
} as const;

/** What was done with a cluster, newest first. */
export function OperationsTab({ cluster }: { readonly cluster: string }): React.JSX.Element {
  const { data = [], error } = useOperations(cluster);
  if (error) return <ProblemView error={error} />;
  if (data.length === 0) return <p className="remuda-subtle">{texts.noOperations}</p>;
  return (
    <HeadedTable name={{ label: texts.tabs.operations }} columns={columns}>
      {data.map((operation) => (
        <Row key={operation.id} operation={operation} />
      ))}
    </HeadedTable>
  );
}

function Row({ operation }: { readonly operation: OperationView }): React.JSX.Element {
  const { id, kind, state, principal, createdAt, startedAt = createdAt, duration } = operation;
  const status = statuses[state];
  return (
    <Tr>
      <Td dataLabel={columns.kind}>
        <Link href={`/operations/${id}`} className="remuda-name">
          {texts.kinds[kind]}
        </Link>
      </Td>
      <Td dataLabel={columns.state}>
        <Label isCompact {...(status === undefined ? { color: 'grey' } : { status })}>
          {texts.states[state]}
        </Label>
      </Td>
      <Td dataLabel={columns.by}>{principalName(principal)}</Td>
      <Td dataLabel={columns.started}>
        <Time at={startedAt} />
      </Td>
      <Td dataLabel={columns.duration}>{durationText(duration)}</Td>
    </Tr>
  );
}
