import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { releaseName } from '../../api/schemas/release.ts';
import { cleanLine } from '../clean-text.ts';
import { CommandFailure, exitCode, plainFailure, usageFailure } from '../exit.ts';
import { humaneSize } from '../times.ts';
import { collect } from './options.ts';
import type { Session } from './session.ts';

/** Of a file that is added, the end is taken: that is where the case is. */
const addedTail = 4 * 1024 * 1024;

interface BundleOptions {
  readonly file?: string;
  readonly cluster?: string;
  readonly operations: number;
  readonly add?: readonly string[];
  readonly maxSize: number;
}

/** support-bundle. */
export function addSupportBundleCommand(program: Command, session: Session): void {
  program
    .command('support-bundle')
    .description('collect everything for a case in one archive, without secrets')
    .option('--file <path>', 'where to write it; default: remuda-support-TIME.tar.gz, here')
    .option('--cluster <name>', 'only what concerns one cluster')
    .addOption(
      new Option('--operations <number>', 'how many operations of each cluster, newest first')
        .argParser(positive)
        .default(5),
    )
    .option(
      '--add <path>',
      'the end of a file of this machine too, for example a log; may be repeated',
      collect,
    )
    .addOption(
      new Option('--max-size <megabytes>', 'most before compression; what matters less is left out')
        .argParser(positive)
        .default(100),
    )
    .action((options: BundleOptions) => makeBundle(session, options));
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Write a whole number above 0.');
  return value;
}

async function makeBundle(session: Session, options: BundleOptions): Promise<void> {
  // No other command needs these: they are loaded here.
  const { Bundle } = await import('../support/bundle.ts');
  const { Collection, isExpected } = await import('../support/collection.ts');
  const { findingsOf } = await import('../support/findings.ts');
  const { hostFacts } = await import('../support/host-facts.ts');
  const { Scrubber } = await import('../support/scrubbing.ts');
  const madeAt = new Date().toISOString();
  const added = (options.add ?? []).map((path) => ({ path, text: tailOf(path) }));
  let server = '';
  const scrubber = new Scrubber();
  const bundle = new Bundle(scrubber, options.maxSize * 1_000_000);
  let findings = ['The server could not be asked.'];
  const read = async (): Promise<void> => {
    const client = await session.client();
    ({ server } = client);
    scrubber.hide(client.connection.secret);
    const collection = new Collection(client, bundle, {
      cluster: options.cluster,
      operations: options.operations,
    });
    await collection.collect();
    findings = findingsOf(collection.gathered, releaseName);
  };
  await bundle.collect('everything of the server', read, isExpected);
  bundle.addShort('findings.txt', findings.map((finding) => `- ${finding}\n`).join(''));
  bundle.addShort('this-machine.json', `${JSON.stringify(hostFacts(), null, 2)}\n`);
  for (const [index, { path, text }] of added.entries())
    bundle.add(`added/${index + 1}-${basename(path)}`, text);
  const file = options.file ?? `remuda-support-${madeAt.replaceAll(/[:.]/g, '-')}.tar.gz`;
  const { files } = await writing(file, () =>
    bundle.write(file, { madeAt, madeBy: `remuda ${releaseName}`, server }),
  );
  const size = humaneSize(statSync(file).size);
  session.printer.answer(`${file}: ${files.length + 1} files, ${size}. No secret is in it.`);
  if (bundle.missing.length === 0) return;
  for (const { what, why } of bundle.missing)
    session.printer.note(session.printer.err.warn(`not in it: ${what}: ${cleanLine(why)}`));
  throw new CommandFailure(exitCode.failed, []);
}

/** The end of a file, from the beginning of a line. */
function tailOf(path: string): string {
  try {
    const descriptor = openSync(path, 'r');
    try {
      const { size } = fstatSync(descriptor);
      const from = Math.max(0, size - addedTail);
      const buffer = Buffer.alloc(size - from);
      const length = readSync(descriptor, buffer, 0, buffer.length, from);
      const text = buffer.toString('utf8', 0, length);
      return from === 0 ? text : text.slice(text.indexOf('\n') + 1);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw usageFailure(
      'CLI-031',
      `the file ${path} cannot be read (${codeOf(error)})`,
      'Give the path of a readable file after --add.',
    );
  }
}

async function writing<Result>(file: string, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    throw plainFailure(
      'CLI-032',
      `the bundle ${file} cannot be written (${codeOf(error)})`,
      'Choose another place with --file, or make room.',
    );
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);
