import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { writePrivateFile } from './private-file.ts';

/** The recovery key as the daemon knows it: the public half, and where the secret half lies until it is taken away. */
export interface RecoveryKey {
  /** `age1…`: every secret is sealed to it beside the site's agent. */
  readonly recipient: string;
  /** Path of the secret half while it is still on this disk: whoever owns it should move it elsewhere. */
  readonly secretFile?: string;
}

/**
 * The recovery key, drawn at the first start. Its secret half is written once, to `<folder>/recovery-key` (0600), and
 * never read again: the daemon must not be able to open what it keeps.
 */
export async function ensureRecoveryKey(folder: string): Promise<RecoveryKey> {
  const recipientFile = join(folder, 'recovery-recipient');
  const secretFile = join(folder, 'recovery-key');
  if (!existsSync(recipientFile)) {
    const identity = await generateIdentity();
    const recipient = await identityToRecipient(identity);
    const text = [
      '# Recovery key of this Remuda. It opens every secret and every backup.',
      '# Move this file to a safe place that is not this machine; Remuda never needs it in daily work.',
      `# public key: ${recipient}`,
      identity,
      '',
    ].join('\n');
    // The secret first: a recipient without its secret would be sealed to for nothing.
    writePrivateFile(secretFile, text);
    writePrivateFile(recipientFile, `${recipient}\n`, 0o644);
  }
  return {
    recipient: readFileSync(recipientFile, 'utf8').trim(),
    ...(existsSync(secretFile) ? { secretFile } : {}),
  };
}
