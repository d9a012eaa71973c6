import type { Command } from 'commander';
import { z } from 'zod';
import { clusterCredentialSchema, issuedCredentialSchema } from '../../api/types.ts';
import { usageFailure } from '../exit.ts';
import { type OutputForm, printList } from '../table.ts';
import { relativeTime } from '../times.ts';
import { outputOption } from './options.ts';
import type { Session } from './session.ts';

const pathOf = (cluster: string, rest = ''): string =>
  `/api/v1/clusters/${encodeURIComponent(cluster)}/credentials${rest}`;

/** credentials: what people hold for getting into clusters. */
export function addClusterAccessCommands(program: Command, session: Session): void {
  const credentials = program
    .command('credentials')
    .description('what people hold for getting into clusters');
  credentials
    .command('list <cluster>')
    .description("your own credentials for a cluster; its administrators see everybody's")
    .addOption(outputOption())
    .action((cluster: string, options: { readonly output: OutputForm }) =>
      list(session, cluster, options.output),
    );
  credentials
    .command('token <cluster>')
    .description('print a kubeconfig with a token, for programs that can run no other; it is a secret')
    .option('--days <number>', 'how long it is valid', '30')
    .action((cluster: string, { days }: { readonly days: string }) => token(session, cluster, days));
  credentials
    .command('revoke <cluster> <id>')
    .description('a token is refused at once; a kubeconfig gets no new certificate')
    .action((cluster: string, id: string) => revoke(session, cluster, id));
}

async function list(session: Session, cluster: string, output: OutputForm): Promise<void> {
  const client = await session.client();
  const { items } = await client.call({
    method: 'GET',
    path: pathOf(cluster),
    answer: z.object({ items: z.array(clusterCredentialSchema) }),
  });
  const time = (instant: string | undefined): string => (instant === undefined ? '' : relativeTime(instant));
  printList(
    session.printer,
    output,
    items,
    [
      { title: 'ID', cell: (item) => item.id },
      { title: 'WHO', cell: (item) => item.principal },
      { title: 'KIND', cell: (item) => item.kind },
      { title: 'STATE', cell: (item) => item.state },
      { title: 'ISSUED', cell: (item) => time(item.issuedAt) },
      { title: 'ENDS', cell: (item) => time(item.expiresAt ?? item.validUntil) },
      { title: 'USED', cell: (item) => time(item.lastUsedAt) },
    ],
    `Nobody holds a credential for ${cluster}.`,
  );
}

async function token(session: Session, cluster: string, days: string): Promise<void> {
  if (!/^[1-9]\d{0,2}$/.test(days))
    throw usageFailure('CLI-046', `"${days}" is not a number of days`, 'Give 1 to 366, like --days 30.');
  const client = await session.client();
  const { credential, kubeconfig } = await client.call({
    method: 'POST',
    path: pathOf(cluster),
    body: { kind: 'token', days: Number(days) },
    answer: issuedCredentialSchema,
  });
  session.printer.answer(kubeconfig.trimEnd());
  session.printer.note(
    `Credential ${credential.id}, until ${credential.expiresAt ?? 'revoked'}. It is not shown again; revoke it with: remuda credentials revoke ${cluster} ${credential.id}`,
  );
}

async function revoke(session: Session, cluster: string, id: string): Promise<void> {
  const client = await session.client();
  const { validUntil } = await client.call({
    method: 'DELETE',
    path: pathOf(cluster, `/${encodeURIComponent(id)}`),
    answer: clusterCredentialSchema,
  });
  session.printer.answer(`credential ${id} revoked`);
  if (validUntil !== undefined)
    session.printer.note(`The last certificate of it is good until ${validUntil}: it cannot be called back.`);
}
