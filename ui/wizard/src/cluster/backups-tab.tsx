import { Alert, Button, Label } from '@patternfly/react-core';
import { Td, Tr } from '@patternfly/react-table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { BackupList } from '../../../../daemon/api/types.ts';
import { get } from '../api/http.ts';
import { keys } from '../api/queries.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { isRestorable, type ListedBackup } from '../restore/choice.ts';
import { restoreTexts } from '../restore/restore-texts.ts';
import { Permitted } from '../session/permitted.tsx';
import { useHasRole } from '../session/session.ts';
import { HeadedTable } from '../shell/headed-table.tsx';
import { Loading } from '../shell/loading.tsx';
import { Time } from '../time/time.tsx';
import { backupTexts as words } from './backup-texts.ts';
import { IntentQuestion } from './intent-question.tsx';
import { RemoveBackup } from './remove-backup.tsx';

/** What lies where the cluster's backups go, and the way to one more. */
export function BackupsTab({ cluster }: { readonly cluster: string }): React.JSX.Element {
  const path = `/api/v1/clusters/${encodeURIComponent(cluster)}/backups`;
  // Each reading asks file servers and buckets: once, when somebody looks.
  const { data, error } = useQuery({
    queryKey: [...keys.cluster(cluster), 'backups'],
    queryFn: ({ signal }) => get<BackupList>(path, { signal }),
  });
  return (
    <>
      <p>{words.what}</p>
      <Actions cluster={cluster} />
      <ProblemView error={error} />
      {data === undefined && !error ? <Loading /> : undefined}
      {data === undefined ? undefined : <Found list={data} />}
    </>
  );
}

function Actions({ cluster }: { readonly cluster: string }): React.JSX.Element {
  const [isAsking, setAsking] = useState(false);
  const [, go] = useLocation();
  const mayBackUp = useHasRole('operator', cluster);
  return (
    <div className="remuda-buttons">
      <Permitted isAllowed={mayBackUp} needed="operator" cluster={cluster}>
        <Button isDisabled={!mayBackUp} onClick={() => setAsking(true)}>
          {words.create}
        </Button>
      </Permitted>
      <Permitted isAllowed={mayBackUp} needed="operator" cluster={cluster}>
        <Button variant="secondary" isDanger isDisabled={!mayBackUp} onClick={() => go(restorePath(cluster))}>
          {restoreTexts.open}
        </Button>
      </Permitted>
      {isAsking ? (
        <IntentQuestion
          cluster={cluster}
          intent={{ kind: 'backup' }}
          words={{ title: words.question(cluster), action: words.createNow, nothing: words.nothing }}
          onClose={() => setAsking(false)}
        />
      ) : undefined}
    </div>
  );
}

function Found({ list }: { readonly list: BackupList }): React.JSX.Element {
  const { backups, places, nextAt } = list;
  return (
    <>
      <p className="remuda-subtle">
        {nextAt === undefined ? (
          words.unscheduled
        ) : (
          <>
            {words.next} <Time at={nextAt} form="full" />
          </>
        )}
      </p>
      {places.map(({ place, problem }) =>
        problem === undefined ? undefined : (
          <Alert key={place} isInline variant="warning" component="p" title={words.away(place)}>
            {problem.summary} {problem.remedy}
          </Alert>
        ),
      )}
      {backups.length === 0 ? (
        <p>{words.none}</p>
      ) : (
        <HeadedTable name={{ label: words.table }} columns={words.columns} actions={words.actions}>
          {backups.map((backup) => (
            <Row
              key={`${backup.place} ${backup.id}`}
              cluster={list.cluster}
              backup={backup}
              isLast={isLastRestorable(backup, backups)}
            />
          ))}
        </HeadedTable>
      )}
    </>
  );
}

/** Whether no other one would be left that could be restored without a second thought. */
const isLastRestorable = (backup: ListedBackup, backups: readonly ListedBackup[]): boolean =>
  backup.standing === 'good' && !backups.some((other) => other !== backup && other.standing === 'good');

const restorePath = (cluster: string): string => `/clusters/${encodeURIComponent(cluster)}/restore`;

function Row(props: {
  readonly cluster: string;
  readonly backup: ListedBackup;
  readonly isLast: boolean;
}): React.JSX.Element {
  const { cluster, backup, isLast } = props;
  const [isAsking, setAsking] = useState(false);
  const mayRemove = useHasRole('operator', cluster);
  const { id, at, bytes, kubernetesVersion, place, standing } = backup;
  const { columns } = words;
  const { text, status } = words.standings[standing];
  return (
    <Tr>
      <Td dataLabel={columns.id}>{id}</Td>
      <Td dataLabel={columns.at}>
        <Time at={at} form="full" />
      </Td>
      <Td dataLabel={columns.size}>{words.size(bytes)}</Td>
      <Td dataLabel={columns.version}>{kubernetesVersion}</Td>
      <Td dataLabel={columns.place}>{place}</Td>
      <Td dataLabel={columns.standing}>
        <Label isCompact status={status}>
          {text}
        </Label>
      </Td>
      <Td isActionCell>
        {isRestorable(backup) ? (
          <Link
            className="pf-v6-c-button pf-m-link pf-m-inline"
            href={`${restorePath(cluster)}?backup=${encodeURIComponent(id)}`}
            aria-label={restoreTexts.openThis(id)}
          >
            {restoreTexts.open}
          </Link>
        ) : undefined}
        {mayRemove && standing !== 'missing' && standing !== 'unseen' ? (
          <Button
            variant="link"
            isDanger
            aria-label={words.removal.openThis(id)}
            onClick={() => setAsking(true)}
          >
            {words.removal.open}
          </Button>
        ) : undefined}
        {isAsking ? (
          <RemoveBackup cluster={cluster} backup={backup} isLast={isLast} onClose={() => setAsking(false)} />
        ) : undefined}
      </Td>
    </Tr>
  );
}
