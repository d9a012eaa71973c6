/** What must never leave, wherever it came from: a net below the one that black-outs secrets before they are kept. */
const patterns: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /AGE-SECRET-KEY-1[0-9A-Z]+/g,
  // A token of Remuda: the CA's hash and 256 bits.
  /\b[0-9a-f]{64}\.[A-Za-z0-9_-]{43}\b/g,
  /\b(?:Bearer|Basic) +[\w.~+/=-]{8,}/g,
];

const blackedOut = '[blacked out]';

/** Blacks out texts that are known to be secret, and whatever has the form of a key or token. */
export class Scrubber {
  readonly #known: string[] = [];
  #count = 0;

  /** From now on this text is blacked out wherever it stands. */
  hide(secret: string): void {
    if (secret !== '') this.#known.push(secret);
  }

  /** How often something was blacked out. */
  get count(): number {
    return this.#count;
  }

  scrub(text: string): string {
    let clean = text;
    for (const secret of this.#known) clean = clean.replaceAll(secret, () => this.#blackOut());
    for (const pattern of patterns) clean = clean.replaceAll(pattern, () => this.#blackOut());
    return clean;
  }

  #blackOut(): string {
    this.#count += 1;
    return blackedOut;
  }
}
