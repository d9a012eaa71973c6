import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { answerFileSchema, parseStream } from '../../api/offline.ts';
import { applyAnswerSchema, type PlanAnswer, planAnswerSchema } from '../../api/types.ts';
import { cleanText } from '../clean-text.ts';
import { CommandFailure, exitCode } from '../exit.ts';
import { type OutputForm, printData } from '../table.ts';
import { followOperations, sayStarted } from './follow.ts';
import {
  addWaitOptions,
  collect,
  fileOption,
  outputOption,
  readFiles,
  refuseProblems,
  type WaitOptions,
  withPlaces,
} from './options.ts';
import type { Session } from './session.ts';

interface FileOptions {
  readonly file: readonly string[];
  readonly output: OutputForm;
}

/** validate, schema, plan, apply. */
export function addFileCommands(program: Command, session: Session): void {
  program
    .command('validate')
    .description('check answer files without a server')
    .addOption(fileOption())
    .addOption(outputOption())
    .action((options: FileOptions) => validate(session, options));
  program
    .command('schema')
    .description('print the JSON Schema of answer files, for editors')
    .action(() => printData(session.printer, 'json', answerFileSchema()));
  program
    .command('plan')
    .description('say what apply would do, from a fresh look; starts nothing')
    .addOption(fileOption())
    .addOption(outputOption())
    .option('--bypass <check>', 'plan without this preflight check; may be repeated', collect)
    .option('--exit-code', 'exit 6 when there is something to do')
    .action((options: PlanOptions) => plan(session, options));
  addWaitOptions(
    program
      .command('apply')
      .description('make the files the desired state')
      .addOption(fileOption())
      .addOption(outputOption())
      .option('--plan <hash>', 'run exactly the plan with this hash, or refuse')
      .option('--confirm <cluster>', 'agree to what the plan destroys there; may be repeated', collect)
      .option(
        '--bypass <check>',
        'go on although this preflight check fails (recorded); may be repeated',
        collect,
      )
      .option('--if-revision <number>', 'refuse unless this is the newest revision; 0 = must not exist'),
  ).action((options: ApplyOptions) => apply(session, options));
}

async function validate(session: Session, options: FileOptions): Promise<void> {
  const file = await readFiles(session, options.file);
  const { problems, documents, secrets } = parseStream(file.text, { file: file.name, allowSources: true });
  if (options.output !== 'table') {
    printData(session.printer, options.output, { problems: file.locate(problems) });
    if (problems.length > 0) throw new CommandFailure(exitCode.usage, []);
    return;
  }
  refuseProblems(file, problems);
  const kinds = documents.map(({ document }) => `${document.kind}/${document.metadata.name}`);
  const names = [...kinds, ...secrets.map((secret) => `Secret/${secret.name}`)];
  session.printer.answer(`${session.printer.out.good('valid')}: ${names.join(', ')}`);
}

interface PlanOptions extends FileOptions {
  readonly exitCode?: boolean;
  readonly bypass?: readonly string[];
}

async function plan(session: Session, options: PlanOptions): Promise<void> {
  const { bypass = [] } = options;
  const file = await readFiles(session, options.file);
  const client = await session.client();
  const answer = await withPlaces(file, () =>
    client.call({
      method: 'POST',
      path: '/api/v1/plans',
      body: { text: file.text, file: file.name, bypass },
      answer: planAnswerSchema,
    }),
  );
  if (options.output === 'table') {
    refuseProblems(file, answer.problems);
    const again = [
      ...options.file.map((path) => `-f ${path}`),
      ...bypass.map((check) => `--bypass ${check}`),
    ];
    printPlan(session, answer, `remuda apply ${again.join(' ')}`);
  } else {
    printData(session.printer, options.output, answer);
    if (answer.problems.length > 0) throw new CommandFailure(exitCode.usage, []);
  }
  const isChange = answer.plans.some((one) => !one.isUnchanged);
  if (isChange && options.exitCode === true) throw new CommandFailure(exitCode.changes, []);
}

/** The plans as people review them, and how to run exactly these. */
export function printPlan(session: Session, answer: PlanAnswer, command: string): void {
  const { printer } = session;
  for (const one of answer.plans) printer.answer(cleanText(one.text).trimEnd());
  if (answer.plans.every((one) => one.isUnchanged)) return;
  printer.note('');
  for (const name of answer.needsConfirmation)
    printer.note(
      printer.err.warn(`This destroys so much of ${name} that it must be confirmed: add --confirm ${name}`),
    );
  printer.note(`Run exactly this plan: ${command} --plan ${answer.hash}`);
}

interface ApplyOptions extends FileOptions, WaitOptions {
  readonly output: OutputForm;
  readonly plan?: string;
  readonly confirm?: readonly string[];
  readonly bypass?: readonly string[];
  readonly ifRevision?: string;
}

async function apply(session: Session, options: ApplyOptions): Promise<void> {
  const file = await readFiles(session, options.file);
  const client = await session.client();
  const answer = await withPlaces(file, () =>
    client.call({
      method: 'POST',
      path: '/api/v1/apply',
      // One key a run of the command: a repeated send (a lost answer) starts nothing twice.
      headers: {
        'Idempotency-Key': randomUUID(),
        ...(options.ifRevision === undefined ? {} : { 'If-Match': `"${options.ifRevision}"` }),
      },
      body: {
        text: file.text,
        file: file.name,
        confirm: options.confirm ?? [],
        bypass: options.bypass ?? [],
        ...(options.plan === undefined ? {} : { planHash: options.plan }),
      },
      answer: applyAnswerSchema,
    }),
  );
  if (options.output !== 'table' && options.wait !== true)
    return printData(session.printer, options.output, answer);
  if (options.output === 'table') {
    const clusters = new Set(answer.operations.map((operation) => `Cluster/${operation.cluster.name}`));
    for (const name of answer.stored.filter((stored) => !clusters.has(stored)))
      session.printer.answer(`${name} stored`);
    for (const name of answer.unchanged) session.printer.answer(`Cluster/${name} unchanged`);
  }
  if (answer.operations.length === 0) return;
  if (options.wait === true) return followOperations(session, answer.operations, options);
  return sayStarted(session, answer.operations);
}
