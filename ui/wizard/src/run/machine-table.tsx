import { Time } from '../time/time.tsx';
import { Glyph, standingWords } from './glyph.tsx';
import type { RunMachine } from './machines.ts';
import { membershipWords, type TopologyProps } from './topology-props.ts';

const roleWords: Readonly<Record<RunMachine['role'], string>> = {
  'control-plane': 'master',
  etcd: 'etcd',
  worker: 'worker',
};

/** The picture's text twin: everything it shows, and the choice of a machine by keyboard. */
export function MachineTable(props: TopologyProps): React.JSX.Element {
  const { machines, endpoint, seenAt, selected, onSelect } = props;
  return (
    <>
      {endpoint === undefined ? undefined : (
        <p className="remuda-machine-note">
          API endpoint {endpoint.address}: {endpoint.detail}
        </p>
      )}
      <table className="remuda-machine-table">
        <caption className="pf-v6-screen-reader">Machines of this operation</caption>
        <thead>
          <tr>
            <th scope="col">Machine</th>
            <th scope="col">Role</th>
            <th scope="col">State</th>
            <th scope="col">Now</th>
            <th scope="col">Steps</th>
            <th scope="col">etcd</th>
            <th scope="col">Address</th>
          </tr>
        </thead>
        <tbody>
          {machines.map((machine) => (
            <tr key={machine.name}>
              <th scope="row">
                <button
                  type="button"
                  className="remuda-link"
                  aria-pressed={selected === machine.name}
                  onClick={() => onSelect(selected === machine.name ? '' : machine.name)}
                >
                  {machine.name}
                </button>
              </th>
              <td>{roleWords[machine.role]}</td>
              <td>
                <span className="remuda-with-glyph">
                  <Glyph standing={machine.standing} />
                  {standingWords[machine.standing]}
                </span>
              </td>
              <td>{machine.detail}</td>
              <td>
                {machine.done} of {machine.total}
              </td>
              <td>{machine.membership === undefined ? '' : membershipWords[machine.membership]}</td>
              <td>{machine.address ?? ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {seenAt === undefined ? undefined : (
        <p className="remuda-quiet remuda-machine-note">
          etcd and Nodes as last seen at <Time at={seenAt} form="full" />
        </p>
      )}
    </>
  );
}
