import { Button, Label } from '@patternfly/react-core';
import { Td, Tr } from '@patternfly/react-table';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { DriftView, LastDrift } from '../../../../daemon/api/types.ts';
import { get, post } from '../api/http.ts';
import { keys } from '../api/queries.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { Permitted } from '../session/permitted.tsx';
import { useHasRole } from '../session/session.ts';
import { HeadedTable } from '../shell/headed-table.tsx';
import { Time } from '../time/time.tsx';
import { healthTexts } from './health-texts.ts';

const { drift: texts } = healthTexts;
const { columns } = texts;

/** What of a cluster is not as its answer file asks, field by field. */
export function DriftTab({ cluster }: { readonly cluster: string }): React.JSX.Element {
  const client = useQueryClient();
  const mayLook = useHasRole('viewer', cluster);
  const path = `/api/v1/clusters/${encodeURIComponent(cluster)}/drift`;
  const queryKey = [...keys.cluster(cluster), 'drift'];
  const { data, error } = useQuery({
    queryKey,
    queryFn: ({ signal }) => get<LastDrift>(path, { signal, isBackground: true }),
  });
  const look = useMutation({
    mutationFn: () => post<DriftView>(path, undefined),
    onSuccess: () => client.invalidateQueries({ queryKey }),
  });
  return (
    <div className="remuda-drift">
      <p>{texts.what}</p>
      <div className="remuda-buttons">
        <Permitted isAllowed={mayLook} needed="viewer" cluster={cluster}>
          <Button isDisabled={!mayLook} isLoading={look.isPending} onClick={() => look.mutate()}>
            {texts.look}
          </Button>
        </Permitted>
      </div>
      <ProblemView error={look.error ?? error} />
      {look.data === undefined || look.data.unmet.length === 0 ? undefined : (
        <p>{texts.gone(look.data.unmet.join(', '))}</p>
      )}
      {data === undefined ? undefined : <Found drift={data.drift} />}
    </div>
  );
}

function Found({ drift }: { readonly drift: LastDrift['drift'] }): React.JSX.Element {
  if (drift === undefined) return <p className="remuda-subtle">{texts.never}</p>;
  const { at, checked, items } = drift;
  return (
    <>
      <p>
        {items.length === 0 ? texts.none(checked) : texts.found(items.length, checked)}{' '}
        <span className="remuda-subtle">
          {texts.looked} <Time at={at} />
        </span>
      </p>
      {items.length === 0 ? undefined : (
        <HeadedTable name={{ label: texts.table }} columns={columns}>
          {items.map((item) => (
            <Row key={item.step} item={item} />
          ))}
        </HeadedTable>
      )}
    </>
  );
}

const looks = { different: 'warning', unsettled: 'info', unknown: undefined } as const;

function Row({ item }: { readonly item: DriftView['items'][number] }): React.JSX.Element {
  const { subject, title, state, differences, since, remedy } = item;
  const look = looks[state];
  return (
    <Tr>
      <Td dataLabel={columns.subject}>{subject}</Td>
      <Td dataLabel={columns.what}>
        <Label isCompact {...(look === undefined ? { color: 'grey' } : { status: look })}>
          {texts.states[state]}
        </Label>{' '}
        {title}
        {differences.map((difference) => (
          <div key={difference} className="remuda-subtle">
            {difference}
          </div>
        ))}
      </Td>
      <Td dataLabel={columns.since}>
        <Time at={since} />
      </Td>
      <Td dataLabel={columns.remedy}>{state === 'different' ? remedy.what : ''}</Td>
    </Tr>
  );
}
