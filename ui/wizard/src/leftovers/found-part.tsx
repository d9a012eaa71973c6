import { Alert, Button } from '@patternfly/react-core';
import { Td, Tr } from '@patternfly/react-table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Stray } from '../../../../daemon/api/types.ts';
import { get } from '../api/http.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { useHasRole } from '../session/session.ts';
import { HeadedTable } from '../shell/headed-table.tsx';
import { Loading } from '../shell/loading.tsx';
import { Time } from '../time/time.tsx';
import { leftoverTexts } from './leftover-texts.ts';
import { SweepQuestion } from './sweep-question.tsx';

const words = leftoverTexts.found;
const { columns } = words;

interface StrayList {
  readonly strays: readonly Stray[];
  readonly unseen: readonly { readonly provider: string; readonly why: string }[];
}

/** What is at the providers and belongs to no cluster of ours; only administrators may look for it. */
export function FoundPart(): React.JSX.Element {
  const maySweep = useHasRole('admin');
  return (
    <section className="remuda-leftovers" aria-labelledby="remuda-found-title">
      <h2 id="remuda-found-title">{words.title}</h2>
      <p className="remuda-subtle">{words.help}</p>
      {maySweep ? <Looking /> : <Alert component="p" isInline isPlain variant="info" title={words.needed} />}
    </section>
  );
}

function Looking(): React.JSX.Element {
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ['strays'],
    queryFn: ({ signal }) => get<StrayList>('/api/v1/strays', { signal }),
    // Each look asks every provider: again only when somebody asks.
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    gcTime: 0,
    retry: false,
  });
  return (
    <>
      <ProblemView error={error} />
      {isFetching ? (
        <>
          <p>{words.looking}</p>
          <Loading />
        </>
      ) : undefined}
      {data === undefined || isFetching ? undefined : <Found list={data} />}
      <div>
        <Button variant="link" isInline isDisabled={isFetching} onClick={() => void refetch()}>
          {words.look}
        </Button>
      </div>
    </>
  );
}

function Found({ list: { strays, unseen } }: { readonly list: StrayList }): React.JSX.Element {
  const isUnknown = strays.some(({ forgottenAt, isReleased }) => forgottenAt === undefined && !isReleased);
  return (
    <>
      {unseen.map(({ provider, why }) => (
        <Alert key={provider} isInline variant="warning" component="p" title={words.unseen(provider)}>
          {why}
        </Alert>
      ))}
      {isUnknown ? <Alert isInline variant="info" component="p" title={words.adopt} /> : undefined}
      {strays.length === 0 ? (
        <p>{words.none}</p>
      ) : (
        <HeadedTable name={{ label: words.table }} columns={columns}>
          {strays.map((stray) => (
            <Row key={`${stray.provider} ${stray.uid}`} stray={stray} />
          ))}
        </HeadedTable>
      )}
    </>
  );
}

function Row({ stray }: { readonly stray: Stray }): React.JSX.Element {
  const { name, uid, provider, forgottenAt } = stray;
  return (
    <Tr>
      <Td dataLabel={columns.cluster}>
        <strong>{name}</strong>
        <div className="remuda-subtle remuda-uid">{uid}</div>
      </Td>
      <Td dataLabel={columns.what}>
        <Things things={stray.things} />
      </Td>
      <Td dataLabel={columns.provider}>{provider}</Td>
      <Td dataLabel={columns.known}>
        {forgottenAt === undefined ? words.never : <Time at={forgottenAt} form="full" />}
      </Td>
      <Td dataLabel={columns.now}>
        <WayOn stray={stray} />
      </Td>
    </Tr>
  );
}

/** `3 machines`, with their names to unfold. */
function Things({ things }: Pick<Stray, 'things'>): React.JSX.Element {
  const byType = [...Map.groupBy(things, ({ type }) => type)].sort(([one], [other]) =>
    one.localeCompare(other),
  );
  const counts = byType.map(([type, of]) => `${of.length} ${type}${of.length === 1 ? '' : 's'}`).join(', ');
  return (
    <details>
      <summary>{counts}</summary>
      <ul>
        {byType.flatMap(([type, of]) =>
          of.map(({ id, name }) => (
            <li key={`${type} ${id}`}>
              {type} {name}
              {id === name ? undefined : <span className="remuda-subtle"> {id}</span>}
            </li>
          )),
        )}
      </ul>
    </details>
  );
}

function WayOn({ stray }: { readonly stray: Stray }): React.JSX.Element {
  const [isAsking, setAsking] = useState(false);
  const { name, uid, isReleased, operation } = stray;
  if (isReleased) return <span className="remuda-subtle">{words.released}</span>;
  if (operation !== undefined) return <Link href={`/operations/${operation}`}>{words.running}</Link>;
  return (
    <>
      <Button
        variant="link"
        isInline
        isDanger
        aria-label={words.removeOf(name, uid)}
        onClick={() => setAsking(true)}
      >
        {words.remove}
      </Button>
      {isAsking ? <SweepQuestion stray={stray} onClose={() => setAsking(false)} /> : undefined}
    </>
  );
}
