import { type Command, Option } from 'commander';
import { type CertificateList, certificateListSchema, intentAnswerSchema } from '../../api/types.ts';
import { cleanLine } from '../clean-text.ts';
import type { Style } from '../style.ts';
import { type Column, type OutputForm, printData, tableText } from '../table.ts';
import { localDate, relativeTime } from '../times.ts';
import { addAgreementOptions, type AgreementOptions, carryOut, tellBegun } from './agreement.ts';
import { bringAbout } from './day-two.ts';
import { collect, outputOption } from './options.ts';
import type { Session } from './session.ts';

type Certificate = CertificateList['certificates'][number];

const day = 24 * 60 * 60_000;

/** certificates list, certificates renew, certificates rotate. */
export function addCertificateCommands(program: Command, session: Session): void {
  const certificates = program
    .command('certificates')
    .description('when the certificates of a cluster end, and new ones');
  certificates
    .command('list <cluster>')
    .description('every certificate of masters and machines of etcd, the first to end first')
    .option('--fresh', 'look at the machines now instead of showing what was seen last')
    .addOption(outputOption())
    .action((cluster: string, options: ListOptions) => listCertificates(session, cluster, options));
  addAgreementOptions(
    certificates
      .command('renew <cluster>')
      .description(
        'new certificates for masters and machines of etcd, one after another; also when they have run out',
      )
      .option('--machine <name>', 'only this machine; may be repeated', collect)
      .option('--kubelets', 'also kubelets whose own certificates have run out, on workers too')
      .option(
        '--since <time>',
        'renew what was made before this moment (RFC 3339); without it, before the beginning of yesterday (UTC)',
      ),
  ).action((cluster: string, options: AgreementOptions & RenewalOptions) => {
    const { machine, since, kubelets } = options;
    const nothing = `The certificates of Cluster/${cluster} are new already: there is nothing to renew`;
    const intent = {
      kind: 'renew' as const,
      ...(machine === undefined ? {} : { machines: [...machine] }),
      ...(since === undefined ? {} : { since }),
      ...(kubelets === true ? { kubelets } : {}),
    };
    return bringAbout(session, cluster, intent, options, nothing);
  });
  addAgreementOptions(
    certificates
      .command('rotate <cluster>')
      .description('other authorities for a cluster, in three stages that may be days apart')
      .addOption(
        new Option(
          '--stage <stage>',
          'trust: believe a new one beside the old; reissue: let the new one sign everything; drop: forget the old one',
        )
          .choices(['trust', 'reissue', 'drop'])
          .makeOptionMandatory(),
      )
      .option(
        '--end-credentials',
        'with --stage drop: end at once what people were given under the old authority, instead of waiting for it',
      ),
  ).action((cluster: string, options: RotationOptions) => rotate(session, cluster, options));
}

interface RotationOptions extends AgreementOptions {
  readonly stage: 'trust' | 'reissue' | 'drop';
  readonly endCredentials?: boolean;
}

async function rotate(session: Session, cluster: string, options: RotationOptions): Promise<void> {
  const { stage, endCredentials = false } = options;
  const path = `/api/v1/clusters/${encodeURIComponent(cluster)}`;
  const body = { stage, endsCredentials: endCredentials };
  const asked = { cluster, plan: `${path}/rotation-plan`, begin: `${path}/rotations`, body };
  const answer = await carryOut(session, asked, intentAnswerSchema, options);
  const begun = answer.operation === undefined ? [] : [answer.operation];
  return tellBegun(session, answer, begun, options, `Cluster/${cluster} is past this stage already`);
}

interface ListOptions {
  readonly fresh?: boolean;
  readonly output: OutputForm;
}

interface RenewalOptions {
  readonly machine?: readonly string[];
  readonly since?: string;
  readonly kubelets?: boolean;
}

async function listCertificates(session: Session, cluster: string, options: ListOptions): Promise<void> {
  const client = await session.client();
  const path = `/api/v1/clusters/${encodeURIComponent(cluster)}`;
  if (options.fresh === true) await client.call({ method: 'POST', path: `${path}/observe` });
  const list = await client.call({
    method: 'GET',
    path: `${path}/certificates`,
    answer: certificateListSchema,
  });
  const { printer } = session;
  if (options.output !== 'table') return printData(printer, options.output, list);
  if (list.certificates.length > 0)
    printer.answer(tableText(list.certificates, columns(printer.out), printer.out.bold));
  for (const sentence of notesOf(cluster, list)) printer.note(sentence);
}

const columns = (style: Style): readonly Column<Certificate>[] => [
  { title: 'MACHINE', cell: ({ machine }) => machine },
  { title: 'CERTIFICATE', cell: ({ name }) => name },
  { title: 'ENDS', cell: ({ notAfter }) => localDate(notAfter) },
  { title: 'DAYS LEFT', cell: ({ remaining }) => String(Math.floor(remaining / day)), paint: paintOf(style) },
  { title: 'SIGNED BY', cell: signedBy },
  { title: 'RENEWED BY', cell: ({ keeper }) => renewedBy[keeper] },
];

const paintOf =
  (style: Style) =>
  (text: string, { level }: Certificate): string => {
    if (level === 'ok') return text;
    return level === 'notice' || level === 'warning' ? style.warn(text) : style.bad(text);
  };

const signedBy = ({ issuer = '', authorityEnds }: Certificate): string =>
  authorityEnds === undefined ? issuer : `${issuer}, which itself ends ${localDate(authorityEnds)}`;

const renewedBy: Readonly<Record<Certificate['keeper'], string>> = {
  kubeadm: 'certificates renew',
  kubelet: 'its kubelet, by itself',
  rotation: 'nobody: the authority',
  nobody: 'nobody: it is not checked',
  'somebody else': 'whoever put it there',
};

/** What the table does not say, a sentence each. */
function notesOf(cluster: string, list: CertificateList): string[] {
  const { seenAt, unseen, renewalDue, workers, level } = list;
  const notes: string[] = [];
  if (unseen !== undefined) notes.push(`No certificate was seen: ${cleanLine(unseen)}`);
  if (seenAt !== undefined) notes.push(`Seen ${relativeTime(seenAt)}; --fresh looks again.`);
  if (workers.length > 0)
    notes.push(
      `Workers have no certificate but their kubelet's, which it renews by itself (${workers.length <= 8 ? workers.map(cleanLine).join(', ') : `${workers.length} workers`}).`,
    );
  const { stage, since, isFinished, next } = list.rotation;
  if (stage !== undefined && since !== undefined)
    notes.push(
      `Two authorities are believed since ${relativeTime(since)} (stage ${stage}, ${isFinished ? 'finished' : 'not finished'}); then: remuda certificates rotate ${cluster} --stage ${next}`,
    );
  if (renewalDue !== undefined)
    notes.push(
      Date.parse(renewalDue) <= Date.now()
        ? `A renewal is due${level === 'expired' ? ', and overdue' : ''}: remuda certificates renew ${cluster}`
        : `The next renewal is due ${relativeTime(renewalDue)} (${localDate(renewalDue)}).`,
    );
  return notes;
}
