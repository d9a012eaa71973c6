import { Alert, Button, EmptyState, EmptyStateBody, Label } from '@patternfly/react-core';
import { HistoryIcon, SyncAltIcon } from '@patternfly/react-icons';
import { Td, Tr } from '@patternfly/react-table';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { AuditRow, AuditVerification } from '../../../../daemon/api/types.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { HeadedTable } from '../shell/headed-table.tsx';
import { Loading } from '../shell/loading.tsx';
import { Time } from '../time/time.tsx';
import { PartHead } from './part-head.tsx';
import { administrationKey, auditPageSize, useAuditRows, useVerification } from './queries.ts';
import { Receivers } from './receivers.tsx';
import { Command } from './shown-once.tsx';
import { auditTexts as words, texts } from './texts.ts';

const { columns } = words;
const outcomes = { allowed: undefined, refused: 'warning', failed: 'danger' } as const;

/** Who did what, whether the trail is whole, and where it goes. */
export function AuditPart(): React.JSX.Element {
  const { data, error, isFetching } = useVerification();
  const client = useQueryClient();
  return (
    <>
      <PartHead intro={words.intro}>
        <Button
          variant="secondary"
          icon={<SyncAltIcon />}
          isDisabled={isFetching}
          onClick={() => void client.invalidateQueries({ queryKey: administrationKey })}
        >
          {words.again}
        </Button>
      </PartHead>
      <ProblemView error={error} />
      {data === undefined && !error ? <Loading /> : undefined}
      {data === undefined ? undefined : <Chain verification={data} />}
      {data === undefined ? undefined : <Rows key={data.head.number} head={data.head.number} />}
      <Receivers />
    </>
  );
}

function Chain({ verification }: { readonly verification: AuditVerification }): React.JSX.Element {
  const { isWhole, rows, head, firstBroken } = verification;
  return (
    <Alert
      component="p"
      isInline
      className="remuda-chain"
      variant={isWhole ? 'success' : 'danger'}
      title={isWhole ? words.whole(rows) : words.broken}
    >
      {isWhole ? (
        <>
          <p className="remuda-command-lead">{words.head}</p>
          <Command label={words.headLabel}>{`${head.number}:${head.hash}`}</Command>
        </>
      ) : undefined}
      {firstBroken === undefined ? undefined : <p>{words.brokenAt(firstBroken)}</p>}
    </Alert>
  );
}

function Rows({ head }: { readonly head: number }): React.JSX.Element {
  const [page, setPage] = useState(0);
  const last = head - page * auditPageSize;
  const first = Math.max(1, last - auditPageSize + 1);
  const { data, error } = useAuditRows(last);
  if (head === 0)
    return (
      <EmptyState titleText={words.emptyTitle} headingLevel="h2" icon={HistoryIcon}>
        <EmptyStateBody>{words.emptyBody}</EmptyStateBody>
      </EmptyState>
    );
  return (
    <section className="remuda-administration-section" aria-labelledby="audit-rows">
      <div className="remuda-part-head">
        <h2 id="audit-rows">{words.rows}</h2>
        <div className="remuda-pages">
          <span className="remuda-subtle" aria-live="polite">
            {words.range(first, last, head)}
          </span>
          <Button
            variant="secondary"
            size="sm"
            isAriaDisabled={page === 0}
            onClick={() => setPage(Math.max(0, page - 1))}
          >
            {words.newer}
          </Button>
          <Button
            variant="secondary"
            size="sm"
            isAriaDisabled={first === 1}
            onClick={() => setPage(first === 1 ? page : page + 1)}
          >
            {words.older}
          </Button>
        </div>
      </div>
      <ProblemView error={error} />
      {data === undefined && !error ? <Loading /> : undefined}
      {data === undefined ? undefined : <RowTable rows={data} />}
    </section>
  );
}

function RowTable({ rows }: { readonly rows: readonly AuditRow[] }): React.JSX.Element {
  return (
    <HeadedTable name={{ label: texts.parts.audit }} columns={columns}>
      {rows.map((row) => (
        <Row key={row.number} row={row} />
      ))}
    </HeadedTable>
  );
}

function Row({ row }: { readonly row: AuditRow }): React.JSX.Element {
  const { number, at, principal, verb, object, outcome, detail } = row;
  const status = outcomes[outcome];
  return (
    <Tr>
      <Td dataLabel={columns.number}>{number}</Td>
      <Td dataLabel={columns.at} modifier="nowrap">
        <Time at={at} form="full" />
      </Td>
      <Td dataLabel={columns.principal}>{principal}</Td>
      <Td dataLabel={columns.verb}>{verb}</Td>
      <Td dataLabel={columns.object}>{object}</Td>
      <Td dataLabel={columns.outcome}>
        <Label isCompact {...(status === undefined ? { color: 'grey' } : { status })}>
          {words.outcomes[outcome]}
        </Label>
      </Td>
      <Td dataLabel={columns.detail} className="remuda-audit-detail">
        <span className="remuda-subtle">{detailText(detail)}</span>
      </Td>
    </Tr>
  );
}

/** `name ina · role viewer`. The id of the request is for the log: `remuda audit list -o json` has it. */
function detailText(detail: AuditRow['detail']): string {
  return Object.entries(detail)
    .filter(([key]) => key !== 'request')
    .map(([key, value]) => `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' · ');
}
