import { Command, CommanderError } from 'commander';
import { serverSchema } from '../api/types.ts';
import { releaseName } from '../api/schemas/release.ts';
import { ApiRefusal, ServerAway } from './client.ts';
import { addAccessCommands } from './commands/access.ts';
import { addAuditCommands } from './commands/audit.ts';
import { addBackupCommands } from './commands/backups.ts';
import { addCertificateCommands } from './commands/certificates.ts';
import { addClusterAccessCommands } from './commands/cluster-access.ts';
import { addFinalizeCommand } from './commands/day-two.ts';
import { addDeleteCommand } from './commands/clusters.ts';
import { addMachineCommands, addUpgradeCommands } from './commands/machine-changes.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addCredentialCommands } from './commands/credentials.ts';
import { addDescribeCommand } from './commands/describe.ts';
import { addDirectoryCommands } from './commands/directories.ts';
import { addFileCommands } from './commands/files.ts';
import { addPolicyCommands } from './commands/policies.ts';
import { addPreflightCommand } from './commands/preflight.ts';
import { addDriftCommand } from './commands/drift.ts';
import { addHealthCommands } from './commands/health.ts';
import { addEjectCommand } from './commands/eject.ts';
import { addSweepCommand } from './commands/sweep.ts';
import { addAdoptCommand } from './commands/adopt.ts';
import { addGetCommand } from './commands/lists.ts';
import { addOperationCommands } from './commands/operations.ts';
import { Session } from './commands/session.ts';
import { addStreamCommands } from './commands/streams.ts';
import { addRestoreCommand } from './commands/restore.ts';
import { addSupportBundleCommand } from './commands/support-bundle.ts';
import { addSupplyCommands } from './commands/supplies.ts';
import { CommandFailure, type ExitCode, exitCode } from './exit.ts';
import { problemText } from './problem-text.ts';
import type { Terminal } from './terminal.ts';

/** The command tree. */
export function buildProgram(session: Session): Command {
  const { input: _, output, errors } = session.printer.terminal;
  const program = new Command('remuda')
    .description('Installs and runs the life of multi-master Kubernetes clusters.')
    .exitOverride()
    .configureOutput({ writeOut: (text) => output.write(text), writeErr: (text) => errors.write(text) })
    .showSuggestionAfterError()
    .helpCommand(true);
  addFileCommands(program, session);
  addPreflightCommand(program, session);
  addGetCommand(program, session);
  addDescribeCommand(program, session);
  addHealthCommands(program, session);
  addDriftCommand(program, session);
  addStreamCommands(program, session);
  addOperationCommands(program, session);
  addMachineCommands(program, session);
  addUpgradeCommands(program, session);
  addFinalizeCommand(program, session);
  addCertificateCommands(program, session);
  addBackupCommands(program, session);
  addRestoreCommand(program, session);
  addDeleteCommand(program, session);
  addEjectCommand(program, session);
  addSweepCommand(program, session);
  addAdoptCommand(program, session);
  addCredentialCommands(program, session);
  addSupplyCommands(program, session);
  addAccessCommands(program, session);
  addDirectoryCommands(program, session);
  addPolicyCommands(program, session);
  addAuditCommands(program, session);
  addClusterAccessCommands(program, session);
  addSupportBundleCommand(program, session);
  addCompletionCommand(program, session);
  program
    .command('version')
    .description('releases of command and server')
    .action(() => printVersion(session));
  return program;
}

async function printVersion(session: Session): Promise<void> {
  session.printer.answer(`remuda ${releaseName}`);
  try {
    const client = await session.client();
    const server = await client.call({ method: 'GET', path: '/api/v1/server', answer: serverSchema });
    session.printer.answer(`server ${server.release} at ${client.server}`);
  } catch (error) {
    const isKnown = error instanceof ServerAway || error instanceof CommandFailure;
    if (!isKnown) throw error;
    session.printer.note(`server: ${error.message}`);
  }
}

/** Runs one command line and gives its exit code. */
export async function runCommand(words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const session = new Session(terminal);
  const interrupted = watchInterrupt(session);
  try {
    await buildProgram(session).parseAsync(words, { from: 'user' });
    return exitCode.ok;
  } catch (error) {
    return explain(session, error);
  } finally {
    interrupted();
    session.close();
  }
}

/** Ctrl-C ends the watching, not the work; says so. */
function watchInterrupt(session: Session): () => void {
  const onInterrupt = (): void => {
    if (session.onInterrupt !== undefined) session.printer.note(`\n${session.onInterrupt}`);
    process.exit(exitCode.interrupted);
  };
  process.once('SIGINT', onInterrupt);
  return () => process.off('SIGINT', onInterrupt);
}

function explain(session: Session, error: unknown): ExitCode {
  const { printer } = session;
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  if (error instanceof CommandFailure) {
    for (const problem of error.problems) printer.note(problemText(problem, printer.err, session.sourceLine));
    for (const note of error.notes) printer.note(error instanceof ApiRefusal ? `  - ${note}` : note);
    return error.exitCode;
  }
  if (error instanceof ServerAway) {
    const remedy = 'Is the daemon running? On its machine: scripts/up. Elsewhere: check REMUDA_SERVER.';
    printer.note(
      problemText(
        { kind: 'transient', code: 'CLI-022', summary: error.message, remedy },
        printer.err,
        session.sourceLine,
      ),
    );
    return exitCode.failed;
  }
  const summary = error instanceof Error ? error.message : String(error);
  printer.note(
    problemText(
      {
        kind: 'fault',
        code: 'BUG-002',
        summary,
        remedy: 'This is a mistake of the remuda command; please report it.',
      },
      printer.err,
      session.sourceLine,
    ),
  );
  if (session.environment['REMUDA_DEBUG'] !== undefined && error instanceof Error)
    printer.note(error.stack ?? '');
  return exitCode.failed;
}

if (import.meta.main) {
  // A closed pipe (remuda … | head) is the reader's wish, not a mistake.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  process.exitCode = await runCommand(process.argv.slice(2), {
    input: process.stdin,
    output: process.stdout,
    errors: process.stderr,
    environment: process.env,
  });
}
