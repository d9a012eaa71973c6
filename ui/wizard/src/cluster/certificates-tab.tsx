import { Button, Label } from '@patternfly/react-core';
import { Td, Tr } from '@patternfly/react-table';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { CertificateList } from '../../../../daemon/api/types.ts';
import { post } from '../api/http.ts';
import { keys, useCertificates } from '../api/queries.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { AuthoritiesPanel } from '../rotation/authorities-panel.tsx';
import { Permitted } from '../session/permitted.tsx';
import { useHasRole } from '../session/session.ts';
import { HeadedTable } from '../shell/headed-table.tsx';
import { Loading } from '../shell/loading.tsx';
import { Time } from '../time/time.tsx';
import { IntentQuestion } from './intent-question.tsx';
import { texts } from './texts.ts';

const { certificateTab: words } = texts;
type Certificate = CertificateList['certificates'][number];

const day = 24 * 60 * 60_000;

/** Every certificate of the masters with its end, and the way to new ones. */
export function CertificatesTab({ cluster }: { readonly cluster: string }): React.JSX.Element {
  const { data, error } = useCertificates(cluster);
  return (
    <>
      <Actions cluster={cluster} />
      <ProblemView error={error} />
      {data === undefined && !error ? <Loading /> : undefined}
      {data === undefined ? undefined : <AuthoritiesPanel cluster={cluster} rotation={data.rotation} />}
      {data === undefined ? undefined : <Inventory list={data} />}
    </>
  );
}

function Actions({ cluster }: { readonly cluster: string }): React.JSX.Element {
  const client = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const mayRenew = useHasRole('operator', cluster);
  const look = useMutation({
    mutationFn: () => post(`/api/v1/clusters/${encodeURIComponent(cluster)}/observe`, undefined),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.clusters }),
  });
  return (
    <>
      <ProblemView error={look.error} />
      <div className="remuda-buttons">
        <Permitted isAllowed={mayRenew} needed="operator" cluster={cluster}>
          <Button isDisabled={!mayRenew} onClick={() => setAsking(true)}>
            {words.renew}
          </Button>
        </Permitted>
        <Button variant="link" isInline onClick={() => look.mutate()} isLoading={look.isPending}>
          {texts.look}
        </Button>
      </div>
      {isAsking ? (
        <IntentQuestion
          cluster={cluster}
          intent={{ kind: 'renew' }}
          words={{ title: words.question(cluster), action: words.renewNow, nothing: words.nothing }}
          onClose={() => setAsking(false)}
        />
      ) : undefined}
    </>
  );
}

function Inventory({ list }: { readonly list: CertificateList }): React.JSX.Element {
  const { certificates, seenAt, unseen, workers, renewalDue } = list;
  const { columns } = words;
  return (
    <>
      {unseen === undefined ? undefined : <p>{words.unseen(unseen)}</p>}
      {seenAt === undefined ? undefined : (
        <p className="remuda-subtle">
          {words.seen} <Time at={seenAt} />
          {renewalDue === undefined ? undefined : (
            <>
              {' · '}
              {words.due} <Time at={renewalDue} form="full" />
            </>
          )}
        </p>
      )}
      {certificates.length === 0 ? undefined : (
        <HeadedTable name={{ label: texts.tabs.certificates }} columns={columns}>
          {certificates.map((certificate) => (
            <Row key={`${certificate.machine} ${certificate.name}`} certificate={certificate} />
          ))}
        </HeadedTable>
      )}
      {workers.length === 0 ? undefined : (
        <p className="remuda-subtle">{words.workers(workers.join(', '))}</p>
      )}
    </>
  );
}

function Row({ certificate }: { readonly certificate: Certificate }): React.JSX.Element {
  const { machine, name, notAfter, remaining, level, keeper, issuer, authorityEnds } = certificate;
  const { columns, levels } = words;
  const days = Math.floor(remaining / day);
  return (
    <Tr>
      <Td dataLabel={columns.machine}>{machine}</Td>
      <Td dataLabel={columns.name}>
        <strong>{name}</strong>
      </Td>
      <Td dataLabel={columns.ends}>
        <Time at={notAfter} form="full" />
      </Td>
      <Td dataLabel={columns.left}>
        {level === 'ok' ? (
          words.days(days)
        ) : (
          <Label status={levels[level].status} isCompact>
            {level === 'expired' ? levels.expired.text : words.days(days)}
          </Label>
        )}
      </Td>
      <Td dataLabel={columns.signer}>
        {issuer ?? '–'}
        {authorityEnds === undefined ? undefined : (
          <>
            {`, ${words.endsSooner} `}
            <Time at={authorityEnds} form="full" />
          </>
        )}
      </Td>
      <Td dataLabel={columns.keeper}>{words.keepers[keeper]}</Td>
    </Tr>
  );
}
