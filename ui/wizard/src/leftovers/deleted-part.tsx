import { Label } from '@patternfly/react-core';
import { Td, Tr } from '@patternfly/react-table';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { LeftoverView } from '../../../../daemon/api/types.ts';
import { list } from '../api/http.ts';
import { keys } from '../api/queries.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { principalName } from '../session/principal-name.ts';
import { HeadedTable } from '../shell/headed-table.tsx';
import { Loading } from '../shell/loading.tsx';
import { Time } from '../time/time.tsx';
import { leftoverTexts } from './leftover-texts.ts';

const words = leftoverTexts.deleted;
const { columns } = words;

/** What deletions could not remove, and what a policy kept: those first for whom somebody has to do something. */
export function DeletedPart(): React.JSX.Element {
  const { data, error } = useQuery({
    // A deletion or a sweep that ends says something new.
    queryKey: [...keys.operations, 'leftovers'],
    queryFn: ({ signal }) => list<LeftoverView>('/api/v1/leftovers', { signal, isBackground: true }),
  });
  const sorted = [...(data ?? [])].sort((one, other) => rank[one.list] - rank[other.list]);
  return (
    <section className="remuda-leftovers" aria-labelledby="remuda-deleted-title">
      <h2 id="remuda-deleted-title">{words.title}</h2>
      <p className="remuda-subtle">{words.help}</p>
      <ProblemView error={error} />
      {data === undefined && !error ? <Loading /> : undefined}
      {data?.length === 0 ? <p>{words.none}</p> : undefined}
      {sorted.length === 0 ? undefined : (
        <HeadedTable name={{ label: words.table }} columns={columns}>
          {sorted.map((leftover) => (
            <Row key={`${leftover.uid} ${leftover.type} ${leftover.id}`} leftover={leftover} />
          ))}
        </HeadedTable>
      )}
    </section>
  );
}

const rank = { left: 0, kept: 1 } as const;

function Row({ leftover }: { readonly leftover: LeftoverView }): React.JSX.Element {
  const { cluster, uid, provider, operation, principal, at, type, id, name, why } = leftover;
  return (
    <Tr>
      <Td dataLabel={columns.what}>
        <strong>
          {type} {name}
        </strong>
        {id === name ? undefined : <div className="remuda-subtle">{id}</div>}
      </Td>
      <Td dataLabel={columns.cluster}>
        <Link href={`/operations/${operation}`} aria-label={words.proof(cluster)}>
          {cluster}
        </Link>
        <div className="remuda-subtle remuda-uid">{uid}</div>
      </Td>
      <Td dataLabel={columns.list}>
        <Label isCompact {...(leftover.list === 'left' ? { status: 'warning' } : { color: 'grey' })}>
          {words.lists[leftover.list]}
        </Label>
      </Td>
      <Td dataLabel={columns.why}>{why}</Td>
      <Td dataLabel={columns.provider}>{provider}</Td>
      <Td dataLabel={columns.at}>
        <Time at={at} form="full" />
        <div className="remuda-subtle">{words.by(principalName(principal))}</div>
      </Td>
    </Tr>
  );
}
