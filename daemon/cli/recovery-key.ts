import { armor, Decrypter, identityToRecipient } from 'age-encryption';
import { usageFailure } from './exit.ts';

/** The secret half of the recovery key, in the memory of this command and nowhere else. */
export class RecoveryKey {
  /** The public half, `age1…`. */
  readonly recipient: string;
  readonly #decrypter: Decrypter;

  private constructor(recipient: string, decrypter: Decrypter) {
    this.recipient = recipient;
    this.#decrypter = decrypter;
  }

  /** Reads the file that the daemon wrote at its first start: comments and one key. @throws CommandFailure CLI-025 */
  static async read(text: string): Promise<RecoveryKey> {
    const identity = text
      .split('\n')
      .map((line) => line.trim())
      .find((line) => line.startsWith('AGE-SECRET-KEY-1'));
    if (identity === undefined) throw noKey();
    try {
      const decrypter = new Decrypter();
      decrypter.addIdentity(identity);
      return new RecoveryKey(await identityToRecipient(identity), decrypter);
    } catch {
      // What was wrong with it would quote it.
      throw noKey();
    }
  }

  /** Opens what was sealed to it; undefined when it was sealed to others only, or was changed. */
  async open(sealed: string): Promise<string | undefined> {
    try {
      return await this.#decrypter.decrypt(armor.decode(sealed), 'text');
    } catch {
      return undefined;
    }
  }
}

const noKey = (): Error =>
  usageFailure(
    'CLI-025',
    'this is not a recovery key',
    'It is a text with one line that begins with AGE-SECRET-KEY-1, as the daemon wrote it to <state>/recovery-key.',
  );
