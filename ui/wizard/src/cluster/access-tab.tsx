import { Button, Label } from '@patternfly/react-core';
import { Td, Tr } from '@patternfly/react-table';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ClusterCredential } from '../../../../daemon/api/types.ts';
import { call, get } from '../api/http.ts';
import { principalName } from '../session/principal-name.ts';
import { useHasRole } from '../session/session.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { HeadedTable } from '../shell/headed-table.tsx';
import { Time } from '../time/time.tsx';
import { AccessPart } from './access-part.tsx';
import { GetCredentials } from './get-credentials.tsx';
import { texts } from './texts.ts';

const { access: words } = texts;
const statuses = { active: 'success', revoked: undefined, expired: undefined } as const;
const keyOf = (cluster: string) => ['credentials', cluster] as const;

/** Ways into a cluster: one's own, and for those who may see it everybody's. */
export function AccessTab({ cluster }: { readonly cluster: string }): React.JSX.Element {
  const client = useQueryClient();
  const seesAccess = useHasRole('viewer', cluster);
  const { data = [], error } = useQuery({
    queryKey: keyOf(cluster),
    queryFn: async ({ signal }) =>
      (
        await get<{ readonly items: readonly ClusterCredential[] }>(pathOf(cluster), {
          signal,
          isBackground: true,
        })
      ).items,
  });
  const renew = (): void => void client.invalidateQueries({ queryKey: keyOf(cluster) });
  return (
    <>
      <p className="remuda-lead">{words.intro}</p>
      <GetCredentials cluster={cluster} onIssued={renew} />
      <ProblemView error={error} />
      {data.length === 0 ? (
        <p className="remuda-subtle">{words.none}</p>
      ) : (
        <Credentials cluster={cluster} credentials={data} onRevoked={renew} />
      )}
      {seesAccess ? <AccessPart cluster={cluster} /> : undefined}
    </>
  );
}

const pathOf = (cluster: string): string => `/api/v1/clusters/${encodeURIComponent(cluster)}/credentials`;

function Credentials(props: {
  readonly cluster: string;
  readonly credentials: readonly ClusterCredential[];
  readonly onRevoked: () => void;
}): React.JSX.Element {
  const { cluster, credentials, onRevoked } = props;
  const revoke = useMutation({
    mutationFn: (id: string) => call('DELETE', `${pathOf(cluster)}/${encodeURIComponent(id)}`),
    onSuccess: onRevoked,
  });
  return (
    <>
      <ProblemView error={revoke.error} />
      <HeadedTable name={{ label: words.title }} columns={words.columns} actions={words.revoke}>
        {credentials.map((credential) => (
          <Row key={credential.id} credential={credential} onRevoke={() => revoke.mutate(credential.id)} />
        ))}
      </HeadedTable>
    </>
  );
}

function Row(props: {
  readonly credential: ClusterCredential;
  readonly onRevoke: () => void;
}): React.JSX.Element {
  const { kind, principal, issuedAt, lastUsedAt, expiresAt, validUntil, state } = props.credential;
  const status = statuses[state];
  const ends = state === 'revoked' ? validUntil : expiresAt;
  return (
    <Tr>
      <Td dataLabel={words.columns.kind}>{words.kinds[kind]}</Td>
      <Td dataLabel={words.columns.who}>{principalName(principal)}</Td>
      <Td dataLabel={words.columns.issued}>
        <Time at={issuedAt} />
      </Td>
      <Td dataLabel={words.columns.used}>
        {lastUsedAt === undefined ? words.never : <Time at={lastUsedAt} />}
      </Td>
      <Td dataLabel={words.columns.ends}>{ends === undefined ? words.renews : <Time at={ends} />}</Td>
      <Td dataLabel={words.columns.state}>
        <Label isCompact {...(status === undefined ? { color: 'grey' } : { status })}>
          {words.states[state]}
        </Label>
      </Td>
      <Td isActionCell>
        {state === 'active' ? (
          <Button variant="link" isInline onClick={props.onRevoke}>
            {words.revoke}
          </Button>
        ) : undefined}
      </Td>
    </Tr>
  );
}
