import type { AnswerFile } from '../answer-file.ts';
import { Client } from '../client.ts';
import { Printer, type Terminal } from '../terminal.ts';
import type { SourceLine } from '../problem-text.ts';

/** What a command works with: where it prints, and the server once it needs one. */
export class Session {
  readonly printer: Printer;
  /** Lines of the files given, for messages; set by whoever reads a file. */
  file: AnswerFile | undefined;
  /** What Ctrl-C says while something goes on without us. */
  onInterrupt: string | undefined;
  #client: Client | undefined;

  constructor(terminal: Terminal) {
    this.printer = new Printer(terminal);
  }

  get environment(): NodeJS.ProcessEnv {
    return this.printer.terminal.environment;
  }

  readonly sourceLine: SourceLine = (file, line) => this.file?.sourceLine(file, line);

  /** The server, verified; connected once a command. */
  async client(): Promise<Client> {
    this.#client ??= await Client.open(this.environment);
    return this.#client;
  }

  close(): void {
    this.#client?.close();
  }
}
