import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { secretViewSchema } from '../../api/types.ts';
import { CommandFailure, type ExitCode, exitCode, usageFailure } from '../exit.ts';
import type { OutputForm } from '../table.ts';
import { payloads, secrets, show } from './lists.ts';
import { collect, outputOption } from './options.ts';
import type { Session } from './session.ts';

const payloadProgram = resolve(import.meta.dirname, '..', '..', '..', 'scripts', 'payload');

/** secret, payload. */
export function addSupplyCommands(program: Command, session: Session): void {
  const secret = program
    .command('secret')
    .description('secrets that answer files refer to; sealed, never shown');
  secret
    .command('set <name>')
    .description('keep values; they come from standard input or files, never from the command line')
    .option('--stdin <key>', 'the value of this key is read from standard input')
    .option('--from-file <key=path>', 'the value of this key is in a file; may be repeated', collect)
    .action((name: string, options: SetOptions) => setSecret(session, name, options));
  secret
    .command('list')
    .description('names and keys')
    .addOption(outputOption())
    .action(async (options: { readonly output: OutputForm }) =>
      show(session, await session.client(), secrets, { kind: 'secrets', name: undefined, options }),
    );
  secret
    .command('remove <name>')
    .description('forget a secret')
    .action(async (name: string) => {
      const client = await session.client();
      await client.call({ method: 'DELETE', path: `/api/v1/secrets/${encodeURIComponent(name)}` });
      session.printer.answer(`secret ${name} removed`);
    });

  const payload = program.command('payload').description('offline bundles of Kubernetes');
  payload
    .command('list')
    .description('what the agents have on board')
    .addOption(outputOption())
    .action(async (options: { readonly output: OutputForm }) =>
      show(session, await session.client(), payloads, { kind: 'payloads', name: undefined, options }),
    );
  for (const [verb, what] of Object.entries(localVerbs)) {
    payload
      .command(`${verb} [arguments...]`)
      .description(`${what} (on this machine, as root)`)
      .allowUnknownOption()
      .action((given: readonly string[]) => runPayloadProgram(session, [verb, ...given]));
  }
}

const localVerbs = {
  build: 'build the payload of the lab from source packages',
  fetch: 'fetch an upstream release by the digests of this release',
  verify: 'check every byte of payloads',
} as const;

interface SetOptions {
  readonly stdin?: string;
  readonly fromFile?: readonly string[];
}

async function setSecret(session: Session, name: string, options: SetOptions): Promise<void> {
  const data: Record<string, string> = {};
  for (const entry of options.fromFile ?? []) {
    const split = entry.indexOf('=');
    const key = entry.slice(0, split);
    // What stands after the "=" is not repeated in any message: somebody may have put the value there.
    if (split < 1)
      throw usageFailure(
        'CLI-015',
        '--from-file wants key=path',
        'For example --from-file password=password.txt',
      );
    try {
      data[key] = withoutLastNewline(readFileSync(entry.slice(split + 1), 'utf8'));
    } catch {
      throw usageFailure(
        'CLI-016',
        `the file for the key "${key}" cannot be read`,
        'Give the path of a readable file after the "=".',
      );
    }
  }
  if (options.stdin !== undefined) {
    const { input } = session.printer.terminal;
    if (input.isTTY === true)
      session.printer.note(`Type the value of "${options.stdin}"; end it with Ctrl-D on a line of its own.`);
    data[options.stdin] = withoutLastNewline(await text(input));
  }
  if (Object.keys(data).length === 0)
    throw usageFailure('CLI-017', 'there is no value to keep', 'Give --stdin KEY or --from-file KEY=PATH.');
  const client = await session.client();
  const view = await client.call({
    method: 'PUT',
    path: `/api/v1/secrets/${encodeURIComponent(name)}`,
    body: { data },
    answer: secretViewSchema,
  });
  session.printer.answer(`secret ${view.name} kept, with ${view.keys.join(', ')}`);
}

const withoutLastNewline = (value: string): string => value.replace(/\r?\n$/, '');

/** Payloads are made by the program of their own room: it works on this machine and needs no server. */
function runPayloadProgram(session: Session, given: readonly string[]): Promise<void> {
  return new Promise((done, reject) => {
    const child = spawn(payloadProgram, given, { stdio: 'inherit', env: session.environment });
    child.once('error', () =>
      reject(usageFailure('CLI-018', 'scripts/payload cannot be started', 'Is this a whole copy of Remuda?')),
    );
    child.once('exit', (code) => {
      if (code === 0) return done();
      const known = Object.values(exitCode).find((value) => value === code);
      return reject(new CommandFailure((known ?? exitCode.failed) satisfies ExitCode, []));
    });
  });
}
