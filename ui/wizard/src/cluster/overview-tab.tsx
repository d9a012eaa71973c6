import {
  Button,
  Card,
  CardBody,
  CardHeader,
  CardTitle,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
} from '@patternfly/react-core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { ClusterDetail } from '../../../../daemon/api/types.ts';
import { valueAt } from '../answer-file/stream.ts';
import { post } from '../api/http.ts';
import { keys } from '../api/queries.ts';
import { ProblemReportView, ProblemView } from '../problem/problem-view.tsx';
import { Time } from '../time/time.tsx';
import { HealthCard } from './health-card.tsx';
import { texts } from './texts.ts';

/** What was asked for beside what was last seen. */
export function OverviewTab({ cluster }: { readonly cluster: ClusterDetail }): React.JSX.Element {
  const problem = cluster.operation?.state === 'failed' ? cluster.operation.problem : undefined;
  return (
    <>
      {problem === undefined ? undefined : <ProblemReportView report={problem} />}
      <div className="remuda-overview">
        <Asked cluster={cluster} />
        <Seen cluster={cluster} />
      </div>
      {cluster.health === undefined ? undefined : (
        <div className="remuda-health">
          <HealthCard cluster={cluster.name} />
        </div>
      )}
    </>
  );
}

function Asked({ cluster }: { readonly cluster: ClusterDetail }): React.JSX.Element {
  const at = (...path: (string | number)[]): unknown => valueAt(cluster.desired, ['spec', ...path]);
  const workers = at('workers');
  const groups = Array.isArray(workers) ? workers : [];
  return (
    <Card>
      <CardTitle>{texts.asked}</CardTitle>
      <CardBody>
        <Facts
          facts={[
            [texts.version, String(at('kubernetes', 'version') ?? '–')],
            [texts.provider, cluster.provider],
            [texts.masters, String(at('controlPlane', 'replicas') ?? '–')],
            [
              texts.workers,
              groups.length === 0
                ? 'none'
                : groups
                    .map(
                      (group) =>
                        `${String(valueAt(group, ['replicas']))} ${String(valueAt(group, ['name']))}`,
                    )
                    .join(', '),
            ],
            [texts.age, <Time key="age" at={cluster.createdAt} form="full" />],
          ]}
        />
      </CardBody>
    </Card>
  );
}

function Seen({ cluster }: { readonly cluster: ClusterDetail }): React.JSX.Element {
  const client = useQueryClient();
  const look = useMutation({
    mutationFn: () => post(`/api/v1/clusters/${cluster.name}/observe`, undefined),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.clusters }),
  });
  const { observed } = cluster;
  return (
    <Card>
      <CardHeader
        actions={{
          actions: (
            <Button variant="link" isInline onClick={() => look.mutate()} isLoading={look.isPending}>
              {texts.look}
            </Button>
          ),
        }}
      >
        <CardTitle>{texts.seen}</CardTitle>
      </CardHeader>
      <CardBody>
        <ProblemView error={look.error} />
        {observed === undefined ? <p>{texts.notSeen}</p> : <Facts facts={seenFacts(observed)} />}
      </CardBody>
    </Card>
  );
}

type Observed = NonNullable<ClusterDetail['observed']>;

function seenFacts(observed: Observed): readonly (readonly [string, ReactNode])[] {
  const { nodes = [], voters = [], certificates = [] } = observed;
  const ready = (isMaster: boolean): string => {
    const wanted = nodes.filter(({ controlPlane }) => controlPlane === isMaster);
    return `${wanted.filter((node) => node.ready).length} of ${wanted.length} ready`;
  };
  const ends = certificates.map(({ notAfter }) => notAfter).sort()[0];
  return [
    ['At', <Time key="at" at={observed.at} form="full" />],
    [texts.version, observed.apiVersion ?? '–'],
    [texts.masters, ready(true)],
    [texts.workers, ready(false)],
    [texts.voters, texts.votersText(voters.filter(({ healthy }) => healthy).length, voters.length)],
    ...(ends === undefined ? [] : [[texts.certificates, <Time key="ends" at={ends} form="full" />] as const]),
    ...(observed.unseen.length === 0 ? [] : [[texts.unseen, observed.unseen.join('; ')] as const]),
  ];
}

function Facts({ facts }: { readonly facts: readonly (readonly [string, ReactNode])[] }): React.JSX.Element {
  return (
    <DescriptionList isHorizontal isCompact>
      {facts.map(([term, value]) => (
        <DescriptionListGroup key={term}>
          <DescriptionListTerm>{term}</DescriptionListTerm>
          <DescriptionListDescription>{value}</DescriptionListDescription>
        </DescriptionListGroup>
      ))}
    </DescriptionList>
  );
}
