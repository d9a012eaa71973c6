import type { Command } from 'commander';
import { handOverSchema, intentAnswerSchema } from '../../api/types.ts';
import { usageFailure } from '../exit.ts';
import { addAgreementOptions, type AgreementOptions, carryOut, tellBegun } from './agreement.ts';
import type { Session } from './session.ts';

interface EjectOptions extends AgreementOptions {
  readonly to?: string;
  readonly recipient?: string;
  readonly receipt?: string;
}

/** eject. */
export function addEjectCommand(program: Command, session: Session): void {
  addAgreementOptions(
    program
      .command('eject <cluster>')
      .description(
        'give a cluster away: its keys and files come to you, it lives on without Remuda, which forgets it',
      )
      .option(
        '--to <folder>',
        'a new folder for keys, kubeconfig and what to do from now on; readable by you alone',
      )
      .option(
        '--recipient <age1…>',
        'seal the keys to this age recipient and stop: nothing is opened here, and nothing is begun',
      )
      .option(
        '--receipt <text>',
        'begin with keys that you have opened elsewhere (age --decrypt keys.age): the receipt is in them',
      ),
  ).action((cluster: string, options: EjectOptions) => eject(session, cluster, options));
}

async function eject(session: Session, cluster: string, options: EjectOptions): Promise<void> {
  const { to, recipient, receipt: known } = options;
  if (known === undefined && to === undefined)
    throw usageFailure(
      'CLI-060',
      'it is not said where the keys of the cluster are to go',
      `Name a new folder: remuda eject ${cluster} --to FOLDER`,
    );
  const path = `/api/v1/clusters/${encodeURIComponent(cluster)}`;
  if (recipient !== undefined && to !== undefined) return sealOnly(session, path, to, recipient);
  const asked = { cluster, plan: `${path}/eject-plan`, begin: `${path}/eject`, body: {} };
  const prepare = async (): Promise<object> => ({
    receipt: known ?? (await takeKeys(session, path, to ?? '')),
  });
  const answer = await carryOut(session, { ...asked, prepare }, intentAnswerSchema, options);
  const { operation } = answer;
  const begun = operation === undefined ? [] : [operation];
  return tellBegun(session, answer, begun, options, `Cluster/${cluster} is ejected already`);
}

/** Fetches the keys, opens them here with a key that nobody else ever sees, and writes them; answers the receipt. */
async function takeKeys(session: Session, path: string, folder: string): Promise<string> {
  const { openWith, requireNew, writeHandOver } = await import('../hand-over.ts');
  requireNew(folder);
  const client = await session.client();
  const { recipient, open } = await openWith();
  const body = { recipient };
  const given = await client.call({
    method: 'POST',
    path: `${path}/hand-over`,
    body,
    answer: handOverSchema,
  });
  const opened = await open(given.sealed);
  const files = writeHandOver(folder, given, opened);
  session.printer.note(
    `Wrote ${files} files to ${folder}, readable by you alone. Begin with ${folder}/READ-ME.md`,
  );
  return opened.receipt;
}

/** For those who open the keys on another machine. */
async function sealOnly(session: Session, path: string, folder: string, recipient: string): Promise<void> {
  const { requireNew, writeSealed } = await import('../hand-over.ts');
  requireNew(folder);
  const client = await session.client();
  const body = { recipient };
  const given = await client.call({
    method: 'POST',
    path: `${path}/hand-over`,
    body,
    answer: handOverSchema,
  });
  writeSealed(folder, given);
  session.printer.answer(
    `Wrote the sealed keys of ${given.cluster} to ${folder}/keys.age; nothing was ejected.`,
  );
  session.printer.note(
    `Open them with age --decrypt, then: remuda eject ${given.cluster} --receipt RECEIPT (the field "receipt" in them)`,
  );
}
