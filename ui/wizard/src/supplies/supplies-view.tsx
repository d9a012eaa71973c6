import {
  Alert,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
  Label,
} from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { Supplies } from '../../../../daemon/api/types.ts';
import { useSupplies } from '../api/queries.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { Loading } from '../shell/loading.tsx';
import { Time } from '../time/time.tsx';
import './supplies.css';

const words = {
  agent: 'Site agent',
  connected: 'Connected',
  away: 'Away since',
  none: 'None yet',
  lab: 'Embedded lab',
  labYes: 'Possible on this machine',
  payloads: 'Kubernetes on board',
  version: 'Version',
  flavour: 'Made by',
  flavours: { lab: 'Debian’s source, built here', upstream: 'The Kubernetes project' },
  size: 'Size',
  digest: 'Digest',
  verified: 'Verified',
  empty: 'No version of Kubernetes is on board yet.',
} as const;

/** What is on board, what is missing and how to bring it: on its own page and as the wizard's first step. */
export function SuppliesView(): React.JSX.Element {
  const { data, error } = useSupplies();
  if (error) return <ProblemView error={error} />;
  if (!data) return <Loading />;
  return (
    <div className="remuda-supplies">
      {data.missing.map(({ what, why, remedy }) => (
        <Alert component="p" key={what} isInline variant="warning" title={what}>
          <p>{why}</p>
          <p>{remedy}</p>
        </Alert>
      ))}
      {data.sites.map((site) => (
        <Site key={site.site} site={site} lab={data.lab} />
      ))}
    </div>
  );
}

function Site(props: {
  readonly site: Supplies['sites'][number];
  readonly lab: Supplies['lab'];
}): React.JSX.Element {
  const { site, lab } = props;
  return (
    <section aria-label={`Site ${site.site}`} className="remuda-site">
      <DescriptionList isHorizontal isCompact>
        <DescriptionListGroup>
          <DescriptionListTerm>{words.agent}</DescriptionListTerm>
          <DescriptionListDescription>
            <AgentState agent={site.agent} />
          </DescriptionListDescription>
        </DescriptionListGroup>
        <DescriptionListGroup>
          <DescriptionListTerm>{words.lab}</DescriptionListTerm>
          <DescriptionListDescription>
            {lab.isPossible ? words.labYes : lab.reason}
          </DescriptionListDescription>
        </DescriptionListGroup>
      </DescriptionList>
      {site.payloads.length === 0 ? <p>{words.empty}</p> : <Payloads payloads={site.payloads} />}
    </section>
  );
}

function AgentState({ agent }: { readonly agent: Supplies['sites'][number]['agent'] }): React.JSX.Element {
  if (agent.state === 'connected')
    return (
      <Label variant="outline" status="success" isCompact>
        {words.connected}
      </Label>
    );
  return (
    <Label status="warning" isCompact>
      {agent.lastSeen === undefined ? (
        words.none
      ) : (
        <>
          {words.away} <Time at={agent.lastSeen} />
        </>
      )}
    </Label>
  );
}

function Payloads({
  payloads,
}: {
  readonly payloads: Supplies['sites'][number]['payloads'];
}): React.JSX.Element {
  return (
    <Table variant="compact" aria-label={words.payloads}>
      <Thead>
        <Tr>
          <Th>{words.version}</Th>
          <Th>{words.flavour}</Th>
          <Th>{words.size}</Th>
          <Th>{words.digest}</Th>
        </Tr>
      </Thead>
      <Tbody>
        {payloads.map((payload) => (
          <Tr key={payload.name}>
            <Td dataLabel={words.version}>
              <strong>{payload.kubernetesVersion.replace(/^v/, '')}</strong>
            </Td>
            <Td dataLabel={words.flavour}>{words.flavours[payload.flavour]}</Td>
            <Td dataLabel={words.size}>{sizeText(payload.bytes)}</Td>
            <Td dataLabel={words.digest}>
              <Label variant="outline" status="success" isCompact>
                {words.verified}
              </Label>{' '}
              <code title={payload.digest}>{payload.digest.replace(/^sha256:/, '').slice(0, 12)}</code>
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}

const sizeText = (bytes: number): string =>
  bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GiB` : `${Math.round(bytes / 2 ** 20)} MiB`;
