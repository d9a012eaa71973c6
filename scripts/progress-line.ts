/** What is being done, how far it is and how long it will take. */
export interface Progress {
  readonly what: string;
  readonly done: number;
  /** 0 when it cannot be counted. */
  readonly total: number;
  /** Milliseconds still to go, when there is an estimate. */
  readonly remaining?: number;
}

const inWords = (milliseconds: number): string => {
  const seconds = Math.ceil(milliseconds / 1000);
  return seconds < 90 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
};

/** One line of progress: rewritten in place on a terminal, else a new line a quarter. */
export class ProgressLine {
  #last = '';
  readonly #isTerminal = process.stdout.isTTY;

  /** Shows the newest state. */
  show({ what, done, total, remaining }: Progress): void {
    const share = total > 0 ? done / total : 0;
    const shown = this.#isTerminal ? Math.floor(share * 100) : Math.floor(share * 4) * 25;
    const toGo = remaining === undefined || remaining <= 0 ? '' : `, about ${inWords(remaining)} to go`;
    const key = `${what} ${shown}`;
    if (key === this.#last) return;
    this.#last = key;
    const text = `${what}${total > 0 ? ` ${shown} %` : ''}${toGo}`;
    if (this.#isTerminal)
      process.stdout.write(`\r\u001b[2K${text.slice(0, (process.stdout.columns ?? 80) - 1)}`);
    else console.log(text);
  }

  /** Leaves the terminal on a fresh line. */
  end(): void {
    if (this.#isTerminal && this.#last !== '') process.stdout.write('\r\u001b[2K');
  }
}
