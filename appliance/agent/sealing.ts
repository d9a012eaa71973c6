import { armor, Decrypter, Encrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { Blocked } from '../../provisioners/contract/problem.ts';

/** Draws the agent's own age identity: what secrets are sealed to, and what opens them. */
export async function drawIdentity(): Promise<string> {
  return generateIdentity();
}

/** The public half of an identity, `age1…`. */
export async function recipientOf(identity: string): Promise<string> {
  return identityToRecipient(identity);
}

/** Seals a text to age recipients, text armour. @throws Error for no recipient or a malformed one. */
export async function seal(recipients: readonly string[], plaintext: string): Promise<string> {
  if (recipients.length === 0) throw new Error('a secret must be sealed to at least one recipient');
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return armor.encode(await encrypter.encrypt(plaintext));
}

/**
 * Opens what was sealed to the identity. `what` names it for the error.
 * @throws Blocked SECRET-012 when it was sealed to somebody else or was changed on the way.
 */
export async function open(identity: string, sealed: string, what: string): Promise<string> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(armor.decode(sealed), 'text');
  } catch {
    throw new Blocked(
      'SECRET-012',
      `This agent cannot open ${what}: it was not sealed to it, or was changed.`,
      {
        remedy:
          'If the agent was replaced, seal what is kept to this one: remuda agent reseal SITE --recovery-key-file FILE. A secret can also be given again: remuda secret set NAME.',
      },
    );
  }
}
