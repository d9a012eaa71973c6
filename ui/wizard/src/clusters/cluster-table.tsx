import { SearchInput } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { memo, startTransition, useEffect, useMemo, useState } from 'react';
import { Link } from 'wouter';
import type { ClusterView, MachineView } from '../../../../daemon/api/types.ts';
import { useMachines } from '../api/queries.ts';
import { HealthLabel } from './health-label.tsx';
import { Health, healthText } from './health.tsx';
import { Running } from './running.tsx';
import { texts } from './texts.ts';

const { columns } = texts;

/** A list of this many is taken in at a glance; a longer one can be searched. */
const mostAtAGlance = 10;
/** Rows that are drawn at once: a screen and a half. The others follow in pieces, so that the page always answers. */
const piece = 25;

/** The clusters as a table: one line says how each is. */
export function ClusterTable({ clusters }: { readonly clusters: readonly ClusterView[] }): React.JSX.Element {
  const { data: machines } = useMachines();
  const summaries = useMemo(() => summariesOf(machines ?? []), [machines]);
  const [sought, setSought] = useState('');
  const found = clusters.filter((cluster) => isLike(cluster, sought));
  const shown = useGrowing(found.length);
  return (
    <>
      {clusters.length > mostAtAGlance ? (
        <SearchInput
          className="remuda-cluster-search"
          aria-label={texts.search}
          placeholder={texts.search}
          value={sought}
          resultsCount={sought === '' ? '' : texts.found(found.length, clusters.length)}
          onChange={(_event, value) => setSought(value)}
          onClear={() => setSought('')}
        />
      ) : undefined}
      {found.length === 0 ? <p className="remuda-subtle">{texts.nothingFound(sought)}</p> : undefined}
      <Table aria-label={texts.title} isStickyHeader>
        <Thead>
          <Tr>
            <Th width={25}>{columns.name}</Th>
            <Th>{columns.health}</Th>
            <Th>{columns.version}</Th>
            <Th>{columns.machines}</Th>
            <Th width={25}>{columns.operation}</Th>
          </Tr>
        </Thead>
        <Tbody>
          {found.slice(0, shown).map((cluster) => (
            <Row key={cluster.uid} cluster={cluster} {...(summaries.get(cluster.name) ?? nothing)} />
          ))}
        </Tbody>
      </Table>
    </>
  );
}

/** What the machines of a cluster say in its line; plain values, so that a line is drawn anew only when they change. */
interface Summary {
  readonly ready: number;
  readonly total: number;
  readonly versions: string;
}

const nothing: Summary = { ready: 0, total: 0, versions: '' };

function summariesOf(machines: readonly MachineView[]): ReadonlyMap<string, Summary> {
  // What was sealed off and is kept for the way back is to be ready for nothing.
  const onDuty = machines.filter(({ departure }) => departure !== 'kept');
  const groups = Map.groupBy(onDuty, ({ cluster }) => cluster);
  return new Map(
    [...groups].map(([name, group]) => {
      const ready = group.filter(({ node }) => node === 'Ready').length;
      const versions = [...new Set(group.flatMap(({ version }) => version ?? []))].sort();
      return [name, { ready, total: group.length, versions: versions.join(', ') }];
    }),
  );
}

/** By what people call it: its name, its provider, how it is. */
const isLike = ({ name, provider, phase, health }: ClusterView, sought: string): boolean =>
  [name, provider, healthText(phase), health?.status ?? ''].some((text) =>
    text.toLowerCase().includes(sought.trim().toLowerCase()),
  );

/** How many of `total` to draw now: a piece at first, one more each time the last is there. */
function useGrowing(total: number): number {
  const [shown, setShown] = useState(piece);
  useEffect(() => {
    if (shown < total) startTransition(() => setShown(shown + piece));
  }, [shown, total]);
  return shown;
}

const Row = memo(function Row(props: Summary & { readonly cluster: ClusterView }): React.JSX.Element {
  const { cluster, ready, total, versions } = props;
  return (
    <Tr>
      <Td dataLabel={columns.name}>
        <Link href={`/clusters/${cluster.name}`} className="remuda-name">
          {cluster.name}
        </Link>
        <div className="remuda-subtle">{cluster.provider}</div>
      </Td>
      <Td dataLabel={columns.health}>
        <Health phase={cluster.phase} />{' '}
        {cluster.health === undefined ? undefined : <HealthLabel health={cluster.health} />}
      </Td>
      <Td dataLabel={columns.version}>{versions === '' ? '–' : versions}</Td>
      <Td dataLabel={columns.machines}>{texts.machines(ready, total)}</Td>
      <Td dataLabel={columns.operation}>
        <Running operation={cluster.operation} />
      </Td>
    </Tr>
  );
});
