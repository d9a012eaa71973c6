import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { timingSafeEqual } from 'node:crypto';
import type { Setup } from '../state/setup.ts';
import { writePrivateFile } from './private-file.ts';
import { AccessRefusal } from './refusal.ts';
import { drawTypedCode, hashTypedCode } from './typed-codes.ts';

/** The set-up code and the one claim of a new server. */
export class ServerSetup {
  readonly #records: Setup;
  readonly #path: string;

  constructor(records: Setup, folder: string) {
    this.#records = records;
    this.#path = join(folder, 'setup-code');
  }

  get claimedAt(): string | undefined {
    return this.#records.get().claimedAt;
  }

  /**
   * Leaves a good code in `<folder>/setup-code`, readable by its owner only, while nobody has claimed the server.
   * Answers the path, or undefined when it is claimed.
   */
  ensureCode(): string | undefined {
    const { code, claimedAt } = this.#records.get();
    if (claimedAt !== undefined) {
      rmSync(this.#path, { force: true });
      return undefined;
    }
    const kept = existsSync(this.#path) ? readFileSync(this.#path, 'utf8').trim() : '';
    if (kept === '' || hashTypedCode(kept) !== code) this.draw();
    return this.#path;
  }

  /** A new code; the one before is worth nothing from now on. @throws AccessRefusal ACCESS-010 when it is claimed. */
  draw(): string {
    this.refuseWhenClaimed();
    const code = drawTypedCode();
    this.#records.setCode(hashTypedCode(code));
    writePrivateFile(this.#path, `${code}\n`);
    return code;
  }

  /** Whether this is the code. */
  isRight(typed: string): boolean {
    const { code } = this.#records.get();
    return code !== undefined && timingSafeEqual(Buffer.from(hashTypedCode(typed)), Buffer.from(code));
  }

  /** @throws AccessRefusal ACCESS-010, with when it was claimed. */
  refuseWhenClaimed(): void {
    const { claimedAt } = this;
    if (claimedAt === undefined) return;
    throw new AccessRefusal('conflict', 'ACCESS-010', `this server was claimed at ${claimedAt}`, {
      remedy: 'If that was not one of yours, stop the server now; see "Locked out" in the manual.',
    });
  }

  /** Claims, together with what makes the administrator. @throws AccessRefusal ACCESS-010 when somebody was first. */
  claim(at: string, makeAdministrator: () => void): void {
    if (!this.#records.claim(at, makeAdministrator)) this.refuseWhenClaimed();
    rmSync(this.#path, { force: true });
  }
}
