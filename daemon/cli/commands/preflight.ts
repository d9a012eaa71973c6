import type { Command } from 'commander';
import { type PreflightAnswer, preflightAnswerSchema } from '../../api/types.ts';
import { cleanLine } from '../clean-text.ts';
import { CommandFailure, exitCode } from '../exit.ts';
import { problemText } from '../problem-text.ts';
import { type OutputForm, printData, tableText } from '../table.ts';
import { collect, fileOption, outputOption, readFiles, refuseProblems, withPlaces } from './options.ts';
import type { Session } from './session.ts';

interface PreflightOptions {
  readonly file: readonly string[];
  readonly output: OutputForm;
  readonly bypass?: readonly string[];
}

/** preflight. */
export function addPreflightCommand(program: Command, session: Session): void {
  program
    .command('preflight')
    .description('run the checks that can be made now and show every finding; makes and changes nothing')
    .addOption(fileOption())
    .addOption(outputOption())
    .option('--bypass <check>', 'count this check as bypassed when it fails; may be repeated', collect)
    .action((options: PreflightOptions) => preflight(session, options));
}

async function preflight(session: Session, options: PreflightOptions): Promise<void> {
  const file = await readFiles(session, options.file);
  const client = await session.client();
  const answer = await withPlaces(file, () =>
    client.call({
      method: 'POST',
      path: '/api/v1/preflight',
      body: { text: file.text, file: file.name, bypass: options.bypass ?? [] },
      answer: preflightAnswerSchema,
    }),
  );
  if (options.output === 'table') {
    refuseProblems(file, answer.problems);
    for (const cluster of answer.clusters) printCluster(session, cluster);
  } else {
    printData(session.printer, options.output, answer);
    if (answer.problems.length > 0) throw new CommandFailure(exitCode.usage, []);
  }
  if (!answer.isPassed) throw new CommandFailure(exitCode.preflight, []);
}

function printCluster(session: Session, cluster: PreflightAnswer['clusters'][number]): void {
  const { printer } = session;
  const { out } = printer;
  printer.answer(out.bold(`Cluster ${cleanLine(cluster.cluster)}`));
  const findings = cluster.checks.flatMap((check) => check.findings);
  const paints = { passed: out.good, failed: out.bad, bypassed: out.warn } as const;
  if (findings.length > 0)
    printer.answer(
      tableText(
        findings,
        [
          {
            title: 'OUTCOME',
            cell: ({ outcome }) => outcome,
            paint: (text, { outcome }) => paints[outcome](text),
          },
          { title: 'CHECK', cell: ({ check }) => check },
          { title: 'SEVERITY', cell: ({ severity }) => severity },
          { title: 'SUBJECT', cell: ({ subject }) => subject },
          { title: 'SAW', cell: ({ saw }) => saw },
        ],
        out.bold,
      ),
    );
  const failed = findings.filter(({ outcome }) => outcome === 'failed');
  for (const { check, subject, remedy, severity } of failed) {
    if (remedy !== undefined) printer.answer(`do: ${cleanLine(`${remedy} (${check}, ${subject})`)}`);
    if (severity === 'bypassable') printer.answer(`or go on all the same with --bypass ${cleanLine(check)}`);
  }
  for (const { problem } of cluster.checks)
    if (problem) printer.answer(problemText(problem, out, session.sourceLine));
  if (findings.length === 0 && cluster.checks.length === 0) printer.answer('nothing to check now');
  for (const title of cluster.later)
    printer.answer(out.dim(`later, once its machines are there: ${cleanLine(title)}`));
}
