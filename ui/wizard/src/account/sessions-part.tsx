import { Button, Label } from '@patternfly/react-core';
import { Td, Tr } from '@patternfly/react-table';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { SessionEntry } from '../../../../daemon/api/types.ts';
import { call, get } from '../api/http.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { useSession } from '../session/session.ts';
import { HeadedTable } from '../shell/headed-table.tsx';
import { Time } from '../time/time.tsx';
import { texts } from './texts.ts';

const { columns } = texts;
const sessionsKey = ['sessions'];

/** Where one is signed in, and a way to end it. */
export function SessionsPart(): React.JSX.Element {
  const { session } = useSession();
  const client = useQueryClient();
  const { data = [], error } = useQuery({
    queryKey: sessionsKey,
    queryFn: async ({ signal }) =>
      (
        await get<{ readonly items: readonly SessionEntry[] }>('/api/v1/sessions', {
          signal,
          isBackground: true,
        })
      ).items,
  });
  const end = useMutation({
    mutationFn: (id: string) => call('DELETE', `/api/v1/sessions/${encodeURIComponent(id)}`),
    onSuccess: () => client.invalidateQueries({ queryKey: sessionsKey }),
  });
  const own = data.filter(({ principal }) => principal === session.principal.id);
  return (
    <section aria-labelledby="sessions-part" className="remuda-account-wide">
      <h2 id="sessions-part">{texts.sessions}</h2>
      <ProblemView error={error ?? end.error} />
      <HeadedTable name={{ by: 'sessions-part' }} columns={columns} actions={texts.end}>
        {own.map((entry) => (
          <Row key={entry.id} entry={entry} onEnd={() => end.mutate(entry.id)} />
        ))}
      </HeadedTable>
    </section>
  );
}

function Row({
  entry,
  onEnd,
}: {
  readonly entry: SessionEntry;
  readonly onEnd: () => void;
}): React.JSX.Element {
  return (
    <Tr>
      <Td dataLabel={columns.browser} modifier="truncate">
        {entry.browser}
      </Td>
      <Td dataLabel={columns.address}>{entry.address}</Td>
      <Td dataLabel={columns.since}>
        <Time at={entry.createdAt} />
      </Td>
      <Td dataLabel={columns.seen}>
        <Time at={entry.lastSeenAt} />
      </Td>
      <Td isActionCell>
        {entry.isCurrent ? (
          <Label variant="outline" isCompact>
            {texts.here}
          </Label>
        ) : (
          <Button variant="link" isInline onClick={onEnd}>
            {texts.end}
          </Button>
        )}
      </Td>
    </Tr>
  );
}
