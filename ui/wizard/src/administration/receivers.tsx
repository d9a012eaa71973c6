import { Label } from '@patternfly/react-core';
import { Td, Tr } from '@patternfly/react-table';
import type { AuditReceiverView } from '../../../../daemon/api/types.ts';
import { ProblemReportView, ProblemView } from '../problem/problem-view.tsx';
import { HeadedTable } from '../shell/headed-table.tsx';
import { Time } from '../time/time.tsx';
import { useReceivers } from './queries.ts';
import { Command } from './shown-once.tsx';
import { auditTexts as words, texts } from './texts.ts';

const { receiverColumns: columns } = words;

/** Where the audit trail goes, and how far each receiver is. */
export function Receivers(): React.JSX.Element {
  const { data, error } = useReceivers();
  return (
    <section className="remuda-administration-section" aria-labelledby="receivers">
      <h2 id="receivers">{words.receivers}</h2>
      <p className="remuda-command-lead">{data?.length === 0 ? words.noReceivers : words.receiversIntro}</p>
      <Command>{words.command}</Command>
      <ProblemView error={error} />
      {data === undefined || data.length === 0 ? undefined : (
        <HeadedTable name={{ by: 'receivers' }} columns={columns}>
          {data.map((receiver) => (
            <Row key={receiver.name} receiver={receiver} />
          ))}
        </HeadedTable>
      )}
      {data?.map(({ name, problem }) =>
        problem === undefined ? undefined : <ProblemReportView key={name} report={problem} />,
      )}
    </section>
  );
}

function Row({ receiver }: { readonly receiver: AuditReceiverView }): React.JSX.Element {
  const { name, settings, lag, position, deliveredAt } = receiver;
  return (
    <Tr>
      <Td dataLabel={columns.name}>{name}</Td>
      <Td dataLabel={columns.server}>
        {settings.server}
        <div className="remuda-subtle">{settings.type}</div>
      </Td>
      <Td dataLabel={columns.lag}>
        <Label isCompact status={lag === 0 ? 'success' : 'warning'}>
          {lag === 0 ? words.upToDate : words.waiting(lag)}
        </Label>
      </Td>
      <Td dataLabel={columns.position}>{position}</Td>
      <Td dataLabel={columns.delivered}>
        {deliveredAt === undefined ? texts.never : <Time at={deliveredAt} />}
      </Td>
    </Tr>
  );
}
