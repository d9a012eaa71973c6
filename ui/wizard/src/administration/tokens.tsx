import { Button } from '@patternfly/react-core';
import { Td, Tr } from '@patternfly/react-table';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { TokenView } from '../../../../daemon/api/types.ts';
import { call } from '../api/http.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { HeadedTable } from '../shell/headed-table.tsx';
import { Time } from '../time/time.tsx';
import { NewToken } from './new-token.tsx';
import { accountPath, administrationKey, useTokens } from './queries.ts';
import { texts, programTexts as words } from './texts.ts';

const { tokenColumns: columns } = words;

/** The valid tokens of a service account: see them, take them back, make one. */
export function Tokens({ account }: { readonly account: string }): React.JSX.Element {
  const { data, error } = useTokens(account);
  const [isMaking, setMaking] = useState(false);
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: (name: string) =>
      call('DELETE', `${accountPath(account)}/tokens/${encodeURIComponent(name)}`),
    onSuccess: () => client.invalidateQueries({ queryKey: administrationKey }),
  });
  return (
    <div className="remuda-tokens">
      <ProblemView error={error ?? revoke.error} />
      {data?.length === 0 ? <p className="remuda-subtle">{words.noTokens}</p> : undefined}
      {data !== undefined && data.length > 0 ? (
        <TokenTable account={account} tokens={data} onRevoke={(name) => revoke.mutate(name)} />
      ) : undefined}
      <Button variant="secondary" onClick={() => setMaking(true)}>
        {words.newToken}
      </Button>
      {isMaking ? <NewToken account={account} onClose={() => setMaking(false)} /> : undefined}
    </div>
  );
}

function TokenTable(props: {
  readonly account: string;
  readonly tokens: readonly TokenView[];
  readonly onRevoke: (name: string) => void;
}): React.JSX.Element {
  const { account, tokens, onRevoke } = props;
  return (
    <HeadedTable
      name={{ label: words.tokens(account) }}
      columns={columns}
      actions={words.revoke}
      hasBorders={false}
    >
      {tokens.map((token) => (
        <Tr key={token.name}>
          <Td dataLabel={columns.name}>{token.name}</Td>
          <Td dataLabel={columns.scope}>{scopeText(token)}</Td>
          <Td dataLabel={columns.expires}>
            {token.expiresAt === undefined ? words.doesNotEnd : <Time at={token.expiresAt} />}
          </Td>
          <Td dataLabel={columns.used}>
            {token.lastUsedAt === undefined ? texts.never : <Time at={token.lastUsedAt} />}
          </Td>
          <Td isActionCell>
            <Button
              variant="link"
              size="sm"
              onClick={() => onRevoke(token.name)}
              aria-label={words.revokeOf(token.name)}
            >
              {words.revoke}
            </Button>
          </Td>
        </Tr>
      ))}
    </HeadedTable>
  );
}

/** `reading only · prod-east, prod-west`. */
function scopeText({ scope }: TokenView): string {
  const verbs = scope?.verbs?.join() === 'read' ? words.reading : scope?.verbs?.join(', ');
  const parts = [verbs, scope?.clusters?.join(', ')].filter((part) => part !== undefined);
  return parts.length === 0 ? words.everywhere : parts.join(' · ');
}
