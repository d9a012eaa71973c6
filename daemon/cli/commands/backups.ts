import { type Command, Option } from 'commander';
import { type BackupList, backupListSchema } from '../../api/types.ts';
import { CommandFailure, exitCode } from '../exit.ts';
import { problemText } from '../problem-text.ts';
import { type Column, type OutputForm, printData, printList } from '../table.ts';
import { humaneSize, localTime, relativeTime } from '../times.ts';
import { addAgreementOptions, type AgreementOptions } from './agreement.ts';
import { bringAbout } from './day-two.ts';
import { outputOption } from './options.ts';
import type { Session } from './session.ts';

type Backup = BackupList['backups'][number];

const standings: Readonly<Record<Backup['standing'], string>> = {
  good: 'as it was written',
  changed: 'CHANGED since it was written',
  unknown: 'not known to this journal',
  missing: 'MISSING',
  unseen: 'not looked at',
};

const columns: readonly Column<Backup>[] = [
  { title: 'BACKUP', cell: ({ id }) => id },
  { title: 'MADE', cell: ({ at }) => relativeTime(at) },
  { title: 'SIZE', cell: ({ bytes }) => humaneSize(bytes) },
  { title: 'REVISION', cell: ({ revision }) => String(revision) },
  { title: 'KUBERNETES', cell: ({ kubernetesVersion }) => kubernetesVersion },
  { title: 'WHERE', cell: ({ place }) => place },
  { title: 'IT IS', cell: ({ standing }) => standings[standing] },
];

interface RemoveOptions {
  readonly confirm?: string;
  readonly last?: boolean;
}

/** backup create, backup list, backup remove. */
export function addBackupCommands(program: Command, session: Session): void {
  const backup = program.command('backup').description('backups of etcd and of the keys of a cluster');
  addAgreementOptions(
    backup
      .command('create <cluster>')
      .description('take a backup now, then remove those that no rule keeps any longer')
      .addOption(
        new Option(
          '--to <place>',
          'state-disk, or a folder on the machine of the agent, in the place of what spec.backup says',
        ),
      ),
  ).action((cluster: string, options: AgreementOptions & { readonly to?: string }) => {
    const destination = placeOf(options.to);
    const intent = { kind: 'backup' as const, ...(destination === undefined ? {} : { destination }) };
    // A backup changes nothing: nobody is asked.
    return bringAbout(session, cluster, intent, { ...options, yes: true }, 'There is nothing to back up');
  });
  backup
    .command('remove <cluster> <id>')
    .description('remove one backup by hand; what was removed cannot be brought back')
    .option('--confirm <id>', "the backup's id once more")
    .option('--last', 'also when no other backup is left that could be restored')
    .action((cluster: string, id: string, options: RemoveOptions) => remove(session, cluster, id, options));
  backup
    .command('list <cluster>')
    .description('what lies where backups go, beside what is known of it')
    .addOption(outputOption())
    .action((cluster: string, options: { readonly output: OutputForm }) =>
      list(session, cluster, options.output),
    );
}

async function remove(
  session: Session,
  cluster: string,
  id: string,
  { confirm, last = false }: RemoveOptions,
): Promise<void> {
  const client = await session.client();
  const path = `/api/v1/clusters/${encodeURIComponent(cluster)}/backups/${encodeURIComponent(id)}/removal`;
  const body = { mayBeLast: last, ...(confirm === undefined ? {} : { confirm }) };
  await client.call({ method: 'POST', path, body });
  session.printer.answer(`the backup ${id} of ${cluster} is removed`);
}

function placeOf(to: string | undefined) {
  if (to === undefined) return undefined;
  if (to === 'state-disk') return { type: 'stateDisk' as const };
  if (to.startsWith('/')) return { type: 'path' as const, path: to, mustBeMounted: false };
  throw new CommandFailure(exitCode.usage, [
    {
      kind: 'user',
      code: 'CLI-050',
      summary: `"${to}" is neither state-disk nor an absolute path`,
      remedy: 'SSH and S3 servers are named in the answer file: spec.backup.destination.',
      value: to,
    },
  ]);
}

async function list(session: Session, cluster: string, form: OutputForm): Promise<void> {
  const client = await session.client();
  const found = await client.call({
    method: 'GET',
    path: `/api/v1/clusters/${encodeURIComponent(cluster)}/backups`,
    answer: backupListSchema,
  });
  const { printer } = session;
  if (form !== 'table') return printData(printer, form, found);
  const empty = `There is no backup of Cluster/${cluster}. Take one: remuda backup create ${cluster} --wait`;
  printList(printer, form, found.backups, columns, empty);
  for (const { place, problem } of found.places) {
    if (problem === undefined) continue;
    printer.note(`${place} could not be asked:`);
    printer.note(problemText(problem, printer.err, session.sourceLine));
  }
  if (found.nextAt !== undefined)
    printer.note(`The next one by schedule: ${localTime(found.nextAt)} (${relativeTime(found.nextAt)}).`);
}
