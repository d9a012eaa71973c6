import type { ProblemCatalogue, ProblemCode } from '../../provisioners/contract/problem.ts';

const code = (title: string, explanation: string, remedy: string): ProblemCode => ({
  title,
  explanation,
  remedy,
});
const tokenRemedy = 'Use the whole token as it was printed: <CA hash>.<secret>.';
const secretRemedy = 'Give --stdin KEY, or --from-file KEY=PATH.';

/** Every problem code of the `remuda` command itself. Stable; none is ever given a new meaning. */
export const commandCodes: ProblemCatalogue = {
  'CLI-001': code(
    'A file cannot be read',
    'What -f names is not there or not readable.',
    'Give a file, a folder, or - for standard input.',
  ),
  'CLI-002': code(
    'An empty folder',
    'The folder holds no .yaml, .yml or .json file; deeper folders are not searched.',
    'Name another folder or file.',
  ),
  'CLI-003': code(
    'No token',
    'Neither REMUDA_TOKEN nor `remuda login` gave one for this server.',
    'Run `remuda login`.',
  ),
  'CLI-004': code(
    'Nothing to know the server by',
    'A server is verified by the hash of its CA before the token is sent.',
    'Set REMUDA_CA_HASH, or use the whole token.',
  ),
  'CLI-005': code(
    'The file of `remuda login` is damaged',
    'It is not what login writes.',
    'Remove it and log in again.',
  ),
  'CLI-006': code('Not the address of a server', 'Remuda speaks TLS only.', 'Write https://host:port.'),
  'CLI-009': code(
    'Not one of the choices',
    'The word is none of those that the command knows.',
    'Take one of those in the message.',
  ),
  'CLI-010': code('Not a Remuda server', 'Something else answers at this address.', 'Check REMUDA_SERVER.'),
  'CLI-011': code(
    'Another server than the token is for',
    'None of the certificates that the server showed has the hash in the token; nothing was sent to it.',
    'Ask the administrator for a new token; if the server was not set up anew, somebody stands between.',
  ),
  'CLI-012': code(
    'The time to wait is over',
    'The work goes on; only the watching ended.',
    'Follow it again: remuda operation follow ID.',
  ),
  'CLI-013': code(
    'No such operation or cluster',
    'Logs belong to an operation, or to the newest one of a cluster.',
    'See `remuda get operations`.',
  ),
  'CLI-014': code(
    'A deletion needs the name once more',
    'Without a terminal there is nobody to ask.',
    'Add --confirm with the name of the cluster.',
  ),
  'CLI-015': code('--from-file without a key', 'Each value of a secret has a key.', secretRemedy),
  'CLI-016': code(
    'The file of a value cannot be read',
    'The path after the "=" is not repeated: it may be the value itself.',
    secretRemedy,
  ),
  'CLI-017': code(
    'No value to keep',
    'Values come from standard input or files, never from the command line, where all users of the machine see them.',
    secretRemedy,
  ),
  'CLI-018': code(
    'The payload program is missing',
    'scripts/payload stands beside the command.',
    'Use a whole copy of Remuda.',
  ),
  'CLI-019': code('Half a token', 'Without the hash of the CA the server cannot be verified.', tokenRemedy),
  'CLI-020': code(
    'A token typed on a terminal',
    'It would be seen, and stay in the scroll-back.',
    'Use --token-file, or pipe it in.',
  ),
  'CLI-021': code(
    'The token file cannot be read',
    'It belongs to the user of the daemon.',
    'Read it as that user or as root.',
  ),
  'CLI-022': code(
    'The server does not answer',
    'Nothing listens there, or the way to it is closed.',
    'Look whether the daemon runs; check REMUDA_SERVER.',
  ),
  'CLI-023': code(
    'Waits for your approval',
    'The plan made anew destroys what was not approved before.',
    'remuda operation approve ID --confirm CLUSTER',
  ),
  'CLI-024': code(
    'Cancelled',
    'Somebody cancelled the operation, or a newer one took its place.',
    'remuda operation resume ID, or follow the newer one.',
  ),
  'CLI-025': code(
    'This is not a recovery key',
    'The text holds no age identity, or one that is not whole.',
    'Give the file that the daemon wrote to <state>/recovery-key at its first start.',
  ),
  'CLI-026': code(
    'A recovery key typed on a terminal',
    'It would be seen, and stay in the scroll-back.',
    'Use --recovery-key-file, or pipe it in.',
  ),
  'CLI-027': code(
    'The file with the recovery key cannot be read',
    'It is not there, or belongs to somebody else.',
    'Give the path of a readable file.',
  ),
  'CLI-028': code(
    'The recovery key of another Remuda',
    'Each server draws one at its first start; this one opens nothing here.',
    'Give the key that this server wrote at its first start.',
  ),
  'CLI-029': code(
    'An agent that you did not name',
    'Whoever it is sealed to can open the secrets, so nothing was sealed.',
    'Find out who enrolled that agent; refuse it with remuda agent token SITE --replace.',
  ),
  'CLI-030': code(
    'The recovery key does not open something',
    'It was sealed to others only, or was changed on the disk.',
    'Give the secret again, or bring the state back from a backup.',
  ),
  'CLI-040': code(
    'A file cannot be read',
    'The file named on the command line does not exist or may not be read.',
    'Give the path of a readable file.',
  ),
  'CLI-041': code(
    'A file without settings',
    'It is neither YAML nor JSON, or not a section with fields.',
    'Begin with the example in the manual.',
  ),
  'CLI-031': code(
    'A file for the bundle cannot be read',
    'What --add names is not there, or belongs to somebody else.',
    'Give the path of a readable file.',
  ),
  'CLI-032': code(
    'The bundle cannot be written',
    'The place is not writable, or full.',
    'Choose another place with --file, or make room.',
  ),
  'CLI-042': code(
    'The audit trail is not whole',
    'A row was changed, the end was cut off, or the whole was written anew.',
    'Compare it with what a receiver holds, and find out who could write the state.',
  ),
  'CLI-043': code(
    'This is not a head of the audit trail',
    'A head is the number of a row and its hash, with a colon between.',
    'Give it as remuda audit verify printed it.',
  ),
  'CLI-046': code(
    'Not a number of days',
    'A token for a cluster is valid for some whole number of days.',
    'Give 1 to 366, like --days 30.',
  ),
  'CLI-047': code(
    'Nobody agreed to the plan',
    'Machines come and go only when somebody has seen the plan and said so.',
    'Run it on a terminal and answer, or give --yes, or --plan with the hash that was printed.',
  ),
  'CLI-048': code(
    'A kubeconfig of a cluster that is no more',
    'The cluster was deleted and made again under its name; its authority and every certificate are other ones.',
    'Get another: remuda kubeconfig NAME > kubeconfig.',
  ),
  'CLI-049': code(
    'A receiver did not take the test message',
    'The agent tried to hand a message over, and says above why it could not.',
    'Mend the cause, then try again: remuda alert receiver test NAME.',
  ),
  'CLI-050': code(
    'Not a place for a backup',
    'On the command line a backup goes to the state disk or to a folder; servers and their keys stand in the answer file.',
    'Write --to state-disk or --to /folder, or change spec.backup.destination.',
  ),
  'CLI-060': code(
    'Nowhere to put the keys',
    'A cluster is ejected together with its keys; they are written to a folder before anything is begun.',
    'Name a new folder with --to.',
  ),
  'CLI-061': code(
    'The folder is not new',
    'Keys are not mixed with other files, and nothing is overwritten.',
    'Name a folder that does not exist yet, or an empty one.',
  ),
  'CLI-062': code('No port', 'The port of sshd is a number from 1 to 65535.', 'Give it with --ssh-port.'),
  'CLI-063': code(
    'The SSH key cannot be read',
    'Adoption logs in on the machines with a private SSH key that is read from a file.',
    'Give the path of a readable file in OpenSSH form.',
  ),
  'CLI-064': code(
    'The file of known hosts cannot be read',
    'Adoption compares what each machine shows with the host keys of that file.',
    'Give the path of a readable file with lines as in `~/.ssh/known_hosts`.',
  ),
  'CLI-065': code(
    'Nothing of that cluster is there',
    'Only what bears the tag of a cluster that is none of ours is swept, and no provider that was asked holds such a thing.',
    'List what there is with remuda sweep.',
  ),
  'BUG-002': code(
    'A mistake of the command',
    'The command met something that it should know. REMUDA_DEBUG=1 shows where.',
    'Please report it.',
  ),
  'CLI-045': code(
    'No terminal to ask for a password',
    'A password is never an argument: others on the machine could read it.',
    'Give --password-stdin and pipe it in.',
  ),
};
