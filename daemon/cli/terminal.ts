import type { Readable, Writable } from 'node:stream';
import { cleanText } from './clean-text.ts';
import { type Style, styleFor } from './style.ts';

/** Where a command reads and writes: the real process, or a test's. */
export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  readonly errors: Writable & { readonly isTTY?: boolean };
  readonly environment: NodeJS.ProcessEnv;
}

/** Printing: answers to stdout, everything about the work to stderr. */
export class Printer {
  readonly terminal: Terminal;
  readonly out: Style;
  readonly err: Style;

  constructor(terminal: Terminal) {
    this.terminal = terminal;
    this.out = styleFor(terminal.output, terminal.environment);
    this.err = styleFor(terminal.errors, terminal.environment);
  }

  /** A line of the answer, as it is: the caller cleaned what others wrote. */
  answer(text: string): void {
    this.terminal.output.write(`${text}\n`);
  }

  /** A line about the work. */
  note(text: string): void {
    this.terminal.errors.write(`${text}\n`);
  }

  /** Text that others wrote, cleaned. */
  quote(text: string): void {
    this.answer(cleanText(text));
  }
}
