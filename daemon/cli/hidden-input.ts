import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { Writable } from 'node:stream';
import { usageFailure } from './exit.ts';
import type { Terminal } from './terminal.ts';

/**
 * A password: asked for on a terminal without showing it, else the first line of standard input when that is said to
 * hold it. Never an argument: other users of the machine can read those.
 * @throws CommandFailure exit 2 without a terminal
 */
export async function readHidden(
  terminal: Terminal,
  question: string,
  isFromInput: boolean,
): Promise<string> {
  if (isFromInput) return (await text(terminal.input)).split(/\r?\n/)[0] ?? '';
  if (terminal.input.isTTY !== true)
    throw usageFailure(
      'CLI-045',
      'there is no terminal to ask for the password',
      'Give --password-stdin and pipe it in.',
    );
  terminal.errors.write(question);
  // What is typed is echoed by readline itself: it writes into nothing.
  const nothing = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: terminal.input, output: nothing, terminal: true });
  try {
    return await lines.question('');
  } finally {
    lines.close();
    terminal.errors.write('\n');
  }
}
