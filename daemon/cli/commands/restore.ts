import { type Command, Option } from 'commander';
import { intentAnswerSchema } from '../../api/types.ts';
import { addAgreementOptions, type AgreementOptions, carryOut, tellBegun } from './agreement.ts';
import { collect } from './options.ts';
import type { Session } from './session.ts';

interface RestoreOptions extends AgreementOptions {
  readonly backup?: string;
  readonly from: 'backup' | 'survivor';
  readonly survivor?: string;
  readonly lost?: readonly string[];
  readonly acceptUnknown?: boolean;
}

/** restore. */
export function addRestoreCommand(program: Command, session: Session): void {
  addAgreementOptions(
    program
      .command('restore <cluster>')
      .description(
        "bring a cluster's data back from a backup, or go on with that of a machine that is left when the majority is gone",
      )
      .option('--backup <id>', 'which backup; the newest that is known when left out (remuda backup list)')
      .addOption(
        new Option('--from <source>', 'where the data comes from')
          .choices(['backup', 'survivor'])
          .default('backup'),
      )
      .option('--survivor <machine>', 'with --from survivor: whose data, where several answer')
      .option(
        '--lost <machine>',
        'this master, or machine of etcd, does not answer and never will: destroy it first; may be repeated',
        collect,
      )
      .option('--accept-unknown', 'also a backup that the journal knows nothing of'),
  ).action((cluster: string, options: RestoreOptions) => restore(session, cluster, options));
}

async function restore(session: Session, cluster: string, options: RestoreOptions): Promise<void> {
  const { backup, from, survivor, lost = [], acceptUnknown = false } = options;
  const path = `/api/v1/clusters/${encodeURIComponent(cluster)}`;
  const body = {
    from,
    lost,
    acceptsUnknown: acceptUnknown,
    ...(backup === undefined ? {} : { backup }),
    ...(survivor === undefined ? {} : { survivor }),
  };
  const asked = { cluster, plan: `${path}/restore-plan`, begin: `${path}/restores`, body };
  const answer = await carryOut(session, asked, intentAnswerSchema, options);
  const { operation } = answer;
  const begun = operation === undefined ? [] : [operation];
  return tellBegun(session, answer, begun, options, `Cluster/${cluster} is restored already`);
}
