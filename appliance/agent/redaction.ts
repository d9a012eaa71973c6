import { stripVTControlCharacters } from 'node:util';

/** What stands in a log where a secret would have stood. */
const blackout = '[redacted]';

/** Longest line that is kept, in characters: longer ones are cut, saying so. */
const longest = 4096;

/** Any control character but the tab. */
const controlCharacters = /[^\P{Cc}\t]/gu;

/** The text without terminal control codes (they could move a reader's cursor or change a terminal's title). */
export function stripControlCodes(text: string): string {
  return stripVTControlCharacters(text).replaceAll(controlCharacters, '');
}

/**
 * Blacks out every secret it was told of, also line by line (a key in a file is printed by line) and in base64.
 * Texts shorter than six characters are not taken: blacking out every `1` would hide the log and protect nothing.
 */
export class Redactor {
  readonly #secrets = new Set<string>();
  #ordered: readonly string[] = [];

  hide(secret: string): void {
    const encoded = Buffer.from(secret).toString('base64').replace(/=+$/u, '');
    for (const part of [secret, encoded, ...secret.split('\n')]) {
      const text = part.trim();
      if (text.length >= 6 && !text.startsWith('-----')) this.#secrets.add(text);
    }
    // Longest first: a secret that holds another goes as a whole.
    this.#ordered = [...this.#secrets].sort((a, b) => b.length - a.length);
  }

  /** The line as it may be kept: no control codes, no secrets, not endless. */
  clean(text: string): string {
    let clean = stripControlCodes(text);
    for (const secret of this.#ordered) clean = clean.replaceAll(secret, blackout);
    if (clean.length > longest) return `${clean.slice(0, longest)} … (cut, ${clean.length} characters)`;
    return clean;
  }

  /** Every string in a JSON value cleaned. */
  cleanAll<Value>(value: Value): Value {
    if (this.#ordered.length === 0) return value;
    return JSON.parse(JSON.stringify(value), (_key, part: unknown) =>
      typeof part === 'string' ? this.clean(part) : part,
    ) as Value;
  }
}
