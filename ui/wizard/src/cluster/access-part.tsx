import { Button } from '@patternfly/react-core';
import { Td, Tr } from '@patternfly/react-table';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { AccessEntry, GrantView } from '../../../../daemon/api/types.ts';
import { get } from '../api/http.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { principalName } from '../session/principal-name.ts';
import { Permitted } from '../session/permitted.tsx';
import { useHasRole } from '../session/session.ts';
import { HeadedTable } from '../shell/headed-table.tsx';
import { Time } from '../time/time.tsx';
import { type AccessRow, accessRows } from './access-rows.ts';
import { GiveRole, TakeRole } from './grant-questions.tsx';
import { texts } from './texts.ts';

const { grants: words } = texts;
const { columns } = words;

/** Who can get into this cluster, through what; its administrators give and take roles here. */
export function AccessPart({ cluster }: { readonly cluster: string }): React.JSX.Element {
  const client = useQueryClient();
  const mayGrant = useHasRole('admin', cluster);
  const [asked, setAsked] = useState<Asked>();
  const grants = useItems<GrantView>(cluster, 'grants', grantsPath(cluster));
  const access = useItems<AccessEntry>(cluster, 'access', '/api/v1/access-list');
  const close = (): void => setAsked(undefined);
  const renew = async (): Promise<void> => {
    await client.invalidateQueries({ queryKey: ['grants', cluster] });
    close();
  };
  const question = { cluster, onClose: close, onDone: renew };
  const rows = accessRows(
    (access.data ?? []).filter((entry) => entry.cluster === cluster),
    grants.data ?? [],
  );
  return (
    <section className="remuda-access" aria-labelledby="who-gets-in">
      <div className="remuda-access-head">
        <h2 id="who-gets-in">{words.title}</h2>
        <Permitted isAllowed={mayGrant} needed="admin" cluster={cluster}>
          <Button variant="secondary" isDisabled={!mayGrant} onClick={() => setAsked({ kind: 'give' })}>
            {words.give}
          </Button>
        </Permitted>
      </div>
      <p className="remuda-lead">{words.intro}</p>
      <ProblemView error={grants.error ?? access.error} />
      {grants.data === undefined || access.data === undefined ? undefined : (
        <Rows rows={rows} mayGrant={mayGrant} onAsk={setAsked} />
      )}
      {asked?.kind === 'give' ? <GiveRole {...question} {...asked} /> : undefined}
      {asked?.kind === 'take' ? <TakeRole {...question} grant={asked.grant} /> : undefined}
    </section>
  );
}

type Asked =
  | { readonly kind: 'give'; readonly grant?: GrantView }
  | { readonly kind: 'take'; readonly grant: GrantView };

const grantsPath = (cluster: string): string => `/api/v1/clusters/${encodeURIComponent(cluster)}/grants`;

const useItems = <Item,>(cluster: string, name: string, path: string) =>
  useQuery({
    queryKey: ['grants', cluster, name],
    queryFn: async ({ signal }) =>
      (await get<{ readonly items: readonly Item[] }>(path, { signal, isBackground: true })).items,
  });

interface RowsProps {
  readonly mayGrant: boolean;
  readonly onAsk: (asked: Asked) => void;
}

function Rows({
  rows,
  ...rest
}: RowsProps & {
  readonly rows: readonly AccessRow[];
}): React.JSX.Element {
  return (
    <HeadedTable name={{ by: 'who-gets-in' }} columns={columns} actions="Actions">
      {rows.map((row) => (
        <Row key={row.key} row={row} {...rest} />
      ))}
    </HeadedTable>
  );
}

function Row({ row, mayGrant, onAsk }: RowsProps & { readonly row: AccessRow }): React.JSX.Element {
  const { name, kind, role, through, credentials, lastUsedAt, grant } = row;
  return (
    <Tr>
      <Td dataLabel={columns.who}>
        <span className="remuda-name">{name}</span>
        <div className="remuda-subtle">{words.kinds[kind]}</div>
      </Td>
      <Td dataLabel={columns.role}>{role}</Td>
      <Td dataLabel={columns.through}>
        {words.through[through]}
        {grant === undefined ? undefined : (
          <div className="remuda-subtle">
            {words.by} {principalName(grant.grantedBy)}, <Time at={grant.at} />
          </div>
        )}
      </Td>
      <Td dataLabel={columns.credentials}>{credentials}</Td>
      <Td dataLabel={columns.used}>
        {lastUsedAt === undefined ? texts.access.never : <Time at={lastUsedAt} />}
      </Td>
      <Td isActionCell>
        {grant === undefined || !mayGrant ? undefined : (
          <span className="remuda-grant-actions">
            <Button
              variant="link"
              size="sm"
              onClick={() => onAsk({ kind: 'give', grant })}
              aria-label={words.changeOf(name)}
            >
              {words.change}
            </Button>
            <Button
              variant="link"
              size="sm"
              onClick={() => onAsk({ kind: 'take', grant })}
              aria-label={words.takeOf(name)}
            >
              {words.take}
            </Button>
          </span>
        )}
      </Td>
    </Tr>
  );
}
