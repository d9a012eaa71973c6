import { Card, CardBody, CardTitle, Label } from '@patternfly/react-core';
import { Td, Tr } from '@patternfly/react-table';
import { useQuery } from '@tanstack/react-query';
import type { ClusterHealth, HealthCondition } from '../../../../daemon/api/types.ts';
import { get } from '../api/http.ts';
import { keys } from '../api/queries.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { HeadedTable } from '../shell/headed-table.tsx';
import { Time } from '../time/time.tsx';
import { healthTexts as texts } from './health-texts.ts';

const { columns } = texts;

/** Every condition of a cluster with since when it is so, and what to do about those that are bad. */
export function HealthCard({ cluster }: { readonly cluster: string }): React.JSX.Element {
  const { data, error } = useQuery({
    queryKey: [...keys.cluster(cluster), 'health'],
    queryFn: ({ signal }) =>
      get<ClusterHealth>(`/api/v1/clusters/${encodeURIComponent(cluster)}/health`, {
        signal,
        isBackground: true,
      }),
    refetchInterval: 30_000,
  });
  return (
    <Card>
      <CardTitle>{texts.title}</CardTitle>
      <CardBody>
        <ProblemView error={error} />
        {data === undefined ? undefined : (
          <HeadedTable name={{ label: texts.title }} columns={columns}>
            {data.conditions.map((condition) => (
              <Row key={condition.type} condition={condition} />
            ))}
          </HeadedTable>
        )}
      </CardBody>
    </Card>
  );
}

const looks = { True: 'success', warning: 'warning', critical: 'danger', Unknown: undefined } as const;

/** How bad it is; what is false without a word on that is a warning. */
const stateOf = ({ status, severity }: HealthCondition): keyof typeof looks =>
  status === 'False' ? (severity ?? 'warning') : status;

function Row({ condition }: { readonly condition: HealthCondition }): React.JSX.Element {
  const { type, message, remedy, lastTransitionTime } = condition;
  const state = stateOf(condition);
  const look = looks[state];
  return (
    <Tr>
      <Td dataLabel={columns.condition}>{texts.types[type]}</Td>
      <Td dataLabel={columns.status}>
        <Label isCompact {...(look === undefined ? { color: 'grey' } : { status: look })}>
          {texts.states[state]}
        </Label>
      </Td>
      <Td dataLabel={columns.since}>
        <Time at={lastTransitionTime} />
      </Td>
      <Td dataLabel={columns.message}>
        {message}
        {remedy === undefined ? undefined : (
          <div className="remuda-subtle">
            {texts.todo} {remedy}
          </div>
        )}
      </Td>
    </Tr>
  );
}
