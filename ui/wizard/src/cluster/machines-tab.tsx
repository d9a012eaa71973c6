import { Label } from '@patternfly/react-core';
import { Td, Tr } from '@patternfly/react-table';
import type { MachineView } from '../../../../daemon/api/types.ts';
import { useMachines } from '../api/queries.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { HeadedTable } from '../shell/headed-table.tsx';
import { texts } from './texts.ts';

const { machineColumns: columns } = texts;
const roles: Readonly<Record<string, string>> = { 'control-plane': 'Master', worker: 'Worker', etcd: 'etcd' };

/** The machines of a cluster as last seen: the provider's view and the Node together. */
export function MachinesTab({ cluster }: { readonly cluster: string }): React.JSX.Element {
  const { data = [], error } = useMachines();
  const machines = data.filter((machine) => machine.cluster === cluster);
  if (error) return <ProblemView error={error} />;
  if (machines.length === 0) return <p className="remuda-subtle">{texts.noMachines}</p>;
  return (
    <HeadedTable name={{ label: texts.tabs.machines }} columns={columns}>
      {machines.map((machine) => (
        <Tr key={machine.name}>
          <Td dataLabel={columns.name}>
            <strong>{machine.name}</strong>
          </Td>
          <Td dataLabel={columns.role}>{roles[machine.role] ?? machine.role}</Td>
          <Td dataLabel={columns.state}>{machine.state}</Td>
          <Td dataLabel={columns.node}>
            <NodeState machine={machine} />
          </Td>
          <Td dataLabel={columns.version}>{machine.version ?? '–'}</Td>
          <Td dataLabel={columns.address}>{machine.address ?? '–'}</Td>
        </Tr>
      ))}
    </HeadedTable>
  );
}

/** It may run still: a person has to switch it off, and say so. */
function Unfenced({ machine }: { readonly machine: MachineView }): React.JSX.Element {
  const { cluster, name, unfencedBecause } = machine;
  return (
    <>
      <Label status="danger" isCompact>
        Unfenced
      </Label>{' '}
      <span className="remuda-subtle">
        It may run still: {unfencedBecause}. Switch it off for good, then:{' '}
        <code>{`remuda machine fenced ${cluster} ${name} --confirm ${name}`}</code>
      </span>
    </>
  );
}

function NodeState({ machine }: { readonly machine: MachineView }): React.JSX.Element {
  const { node, notReadyBecause, departure } = machine;
  if (departure === 'unfenced') return <Unfenced machine={machine} />;
  if (departure !== undefined)
    return (
      <span className="remuda-subtle">
        {departure === 'kept' ? 'left the cluster, sealed off and kept' : 'leaves the cluster'}
      </span>
    );
  if (node === 'Ready')
    return (
      <Label status="success" isCompact>
        Ready
      </Label>
    );
  if (node === 'NotReady')
    return (
      <>
        <Label status="danger" isCompact>
          Not ready
        </Label>{' '}
        <span className="remuda-subtle">{notReadyBecause}</span>
      </>
    );
  const others = { absent: 'none', unseen: 'not seen', none: '–' };
  return <span className="remuda-subtle">{others[node]}</span>;
}
