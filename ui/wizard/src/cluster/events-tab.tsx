import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { Link } from 'wouter';
import type { EngineEvent } from '../../../../daemon/api/types.ts';
import { useClusterEvents } from '../api/queries.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { Time } from '../time/time.tsx';
import { texts } from './texts.ts';

/** Newest ones that are drawn; the rest is for `remuda events`. */
const mostShown = 200;

/** What happened to a cluster, newest first. */
export function EventsTab({ cluster }: { readonly cluster: string }): React.JSX.Element {
  const { data = [], error } = useClusterEvents(cluster);
  if (error) return <ProblemView error={error} />;
  if (data.length === 0) return <p className="remuda-subtle">{texts.noEvents}</p>;
  return (
    <Table aria-label={texts.tabs.events} variant="compact" borders={false}>
      <Thead>
        <Tr>
          <Th width={20}>When</Th>
          <Th width={20}>What</Th>
          <Th>About</Th>
        </Tr>
      </Thead>
      <Tbody>
        {data
          // How far a step has come is the run's to show; here it would bury what happened.
          .filter(({ type }) => type !== 'step.progress')
          .slice(0, mostShown)
          .map((event) => (
            <Tr key={event.number}>
              <Td dataLabel="When">
                <Time at={event.at} form="full" />
              </Td>
              <Td dataLabel="What">{sentence(event)}</Td>
              <Td dataLabel="About">
                <About event={event} />
              </Td>
            </Tr>
          ))}
      </Tbody>
    </Table>
  );
}

/** `step.ended` → `Step ended`. */
function sentence({ type }: EngineEvent): string {
  const words = type.replaceAll(/[.-]/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function About({ event }: { readonly event: EngineEvent }): React.JSX.Element {
  const { step, operation } = event;
  if (operation === undefined) return <>{step ?? ''}</>;
  return <Link href={`/operations/${operation}`}>{step ?? 'the operation'}</Link>;
}
