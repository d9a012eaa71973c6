import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { Link } from 'wouter';
import type { ClusterView, MachineView } from '../../../../daemon/api/types.ts';
import { useMachines } from '../api/queries.ts';
import { Health } from './health.tsx';
import { Running } from './running.tsx';
import { texts } from './texts.ts';

const { columns } = texts;

/** The clusters as a table: one line says how each is. */
export function ClusterTable({ clusters }: { readonly clusters: readonly ClusterView[] }): React.JSX.Element {
  const { data: machines = [] } = useMachines();
  const machinesOf = Map.groupBy(machines, ({ cluster }) => cluster);
  return (
    <Table aria-label={texts.title}>
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
        {clusters.map((cluster) => (
          <Row key={cluster.uid} cluster={cluster} machines={machinesOf.get(cluster.name) ?? []} />
        ))}
      </Tbody>
    </Table>
  );
}

function Row(props: {
  readonly cluster: ClusterView;
  readonly machines: readonly MachineView[];
}): React.JSX.Element {
  const { cluster, machines } = props;
  const ready = machines.filter(({ node }) => node === 'Ready').length;
  const versions = [...new Set(machines.flatMap(({ version }) => version ?? []))].sort();
  return (
    <Tr>
      <Td dataLabel={columns.name}>
        <Link href={`/clusters/${cluster.name}`} className="remuda-name">
          {cluster.name}
        </Link>
        <div className="remuda-subtle">{cluster.provider}</div>
      </Td>
      <Td dataLabel={columns.health}>
        <Health phase={cluster.phase} />
      </Td>
      <Td dataLabel={columns.version}>{versions.length === 0 ? '–' : versions.join(', ')}</Td>
      <Td dataLabel={columns.machines}>{texts.machines(ready, machines.length)}</Td>
      <Td dataLabel={columns.operation}>
        <Running operation={cluster.operation} />
      </Td>
    </Tr>
  );
}
