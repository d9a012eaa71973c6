import { Breadcrumb, BreadcrumbItem, Button, PageSection, Title } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useSearch } from 'wouter';
import type { BackupList } from '../../../../daemon/api/types.ts';
import { get } from '../api/http.ts';
import { keys, useMachines } from '../api/queries.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { Permitted } from '../session/permitted.tsx';
import { useHasRole } from '../session/session.ts';
import { Loading } from '../shell/loading.tsx';
import { isComplete, isRestorable, type RestoreChoice } from './choice.ts';
import { ChoiceForm } from './choice-form.tsx';
import { RestoreAgreement } from './restore-agreement.tsx';
import { restoreTexts as words } from './restore-texts.ts';
import './restore.css';

/** Brings a cluster's data back: what is chosen, what would be lost and done, and the consent. */
export function RestorePage({ cluster }: { readonly cluster: string }): React.JSX.Element {
  const path = `/api/v1/clusters/${encodeURIComponent(cluster)}/backups`;
  const { data, error } = useQuery({
    queryKey: [...keys.cluster(cluster), 'backups'],
    queryFn: ({ signal }) => get<BackupList>(path, { signal }),
  });
  const home = `/clusters/${encodeURIComponent(cluster)}`;
  return (
    <PageSection isWidthLimited isFilled aria-label={words.title(cluster)}>
      <Breadcrumb>
        <BreadcrumbItem>
          <Link href="/clusters">Clusters</Link>
        </BreadcrumbItem>
        <BreadcrumbItem>
          <Link href={`${home}/backups`}>{cluster}</Link>
        </BreadcrumbItem>
        <BreadcrumbItem isActive>{words.breadcrumb}</BreadcrumbItem>
      </Breadcrumb>
      <div className="remuda-page-head">
        <Title headingLevel="h1">{words.title(cluster)}</Title>
      </div>
      <p className="remuda-subtle">{words.what}</p>
      <ProblemView error={error} />
      {data === undefined && !error ? <Loading /> : undefined}
      {/* Without a list of backups the data of a master that is left may still be had. */}
      {data === undefined && !error ? undefined : (
        <Restoring cluster={cluster} list={data ?? { cluster, backups: [], places: [] }} />
      )}
    </PageSection>
  );
}

function Restoring(props: { readonly cluster: string; readonly list: BackupList }): React.JSX.Element {
  const { cluster, list } = props;
  const backups = list.backups.filter(isRestorable);
  const named = new URLSearchParams(useSearch()).get('backup');
  const [choice, setChoice] = useState<RestoreChoice>(() => ({
    from: backups.length === 0 ? 'survivor' : 'backup',
    backup: (backups.find(({ id }) => id === named) ?? backups[0])?.id ?? '',
    survivor: '',
    lost: [],
    acceptsUnknown: false,
  }));
  const [asked, setAsked] = useState<{ readonly choice: RestoreChoice; readonly turn: number }>();
  const { data: machines = [] } = useMachines();
  const involved = machines.filter((one) => one.cluster === cluster && one.role !== 'worker');
  const mayRestore = useHasRole('operator', cluster);
  const chosen = backups.find(({ id }) => id === choice.backup);
  const isReady = mayRestore && isComplete(choice, chosen);
  return (
    <div className="remuda-restore">
      <ChoiceForm
        choice={choice}
        backups={backups}
        machines={involved}
        onChange={(next) => {
          setChoice(next);
          // What was said of another choice is said of this one by nobody.
          setAsked(undefined);
        }}
      />
      <div className="remuda-buttons">
        <Permitted isAllowed={mayRestore} needed="operator" cluster={cluster}>
          <Button
            variant={asked === undefined ? 'primary' : 'secondary'}
            isDisabled={!isReady}
            onClick={() => setAsked({ choice, turn: (asked?.turn ?? 0) + 1 })}
          >
            {asked === undefined ? words.look : words.lookAgain}
          </Button>
        </Permitted>
        <Link className="pf-v6-c-button pf-m-link" href={`/clusters/${encodeURIComponent(cluster)}/backups`}>
          {words.back}
        </Link>
      </div>
      {asked === undefined ? undefined : (
        <RestoreAgreement key={asked.turn} cluster={cluster} choice={asked.choice} />
      )}
    </div>
  );
}
