import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { parseStream } from '../../api/offline.ts';
import { intentAnswerSchema } from '../../api/types.ts';
import { usageFailure } from '../exit.ts';
import { addAgreementOptions, type AgreementOptions, carryOut, tellBegun } from './agreement.ts';
import { collect, readFiles, withPlaces } from './options.ts';
import type { Session } from './session.ts';

interface AdoptOptions extends AgreementOptions {
  readonly file: readonly string[];
  readonly master: string;
  readonly sshKey: string;
  readonly sshUser: string;
  readonly sshPort: string;
  readonly hostKey?: string;
  readonly knownHosts?: string;
  readonly takeOver?: boolean;
}

/** cluster adopt. */
export function addAdoptCommand(program: Command, session: Session): void {
  const cluster = program.command('cluster').description('clusters that Remuda does not keep yet');
  addAgreementOptions(
    cluster
      .command('adopt')
      .description(
        'take in a cluster that a Remuda made and this one knows nothing of: an ejected one, or one whose appliance is lost',
      )
      .requiredOption(
        '-f, --file <path>',
        'its Provider and Cluster documents; repeat it, - for standard input',
        collect,
      )
      .requiredOption('--master <address>', 'one of its masters that lives')
      .requiredOption('--ssh-key <path>', 'private SSH key that may log in on every machine')
      .option('--ssh-user <name>', 'as whom', 'root')
      .option('--ssh-port <number>', 'port of sshd', '22')
      .option(
        '--host-key <SHA256:…>',
        "fingerprint of the master's SSH host key; without it whoever answers is believed",
      )
      .option(
        '--known-hosts <path>',
        'host keys of its machines, as in ~/.ssh/known_hosts: a machine that shows none of its own there is refused',
      )
      .option(
        '--take-over',
        'another Remuda keeps it, or kept it until its state was lost: lock that one out',
      ),
  ).action((options: AdoptOptions) => adopt(session, options));
}

async function adopt(session: Session, options: AdoptOptions): Promise<void> {
  const file = await readFiles(session, options.file);
  const { master, sshUser, sshPort, hostKey, knownHosts, takeOver = false } = options;
  const port = Number(sshPort);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw usageFailure('CLI-062', `${sshPort} is no port`, 'Give a number from 1 to 65535.');
  const body = {
    text: file.text,
    file: file.name,
    master: { address: master, port, user: sshUser },
    privateKey: readGiven(options.sshKey, noKey),
    takesOver: takeOver,
    ...(hostKey === undefined ? {} : { hostKey }),
    ...(knownHosts === undefined ? {} : { knownHosts: readGiven(knownHosts, noKnownHosts) }),
  };
  const name = clusterIn(file.text, file.name);
  const asked = { cluster: name, plan: '/api/v1/adoption-plans', begin: '/api/v1/adoptions', body };
  const answer = await withPlaces(file, () => carryOut(session, asked, intentAnswerSchema, options));
  const { operation } = answer;
  const begun = operation === undefined ? [] : [operation];
  return tellBegun(session, answer, begun, options, `Cluster/${name} is adopted already`);
}

/** Why a file cannot be used: its code, what it is, and what to do. */
type Unreadable = readonly [code: string, what: string, remedy: string];

const noKey: Unreadable = [
  'CLI-063',
  'the SSH key',
  'Give the path of a private key in OpenSSH form that is readable.',
];
const noKnownHosts: Unreadable = [
  'CLI-064',
  'the file of known hosts',
  'Give the path of a file with lines as in ~/.ssh/known_hosts; "remuda eject" writes one as ssh/known_hosts.',
];

function readGiven(path: string, [code, what, remedy]: Unreadable): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code: reason = 'unknown reason' } = error as NodeJS.ErrnoException;
    throw usageFailure(code, `${what} ${path} cannot be read (${reason})`, remedy);
  }
}

/** Name of the cluster of a file, for the question; the server says what is wrong with the file. */
function clusterIn(text: string, file: string): string {
  const { documents } = parseStream(text, { file });
  return documents.find(({ document }) => document.kind === 'Cluster')?.document.metadata.name ?? '';
}
