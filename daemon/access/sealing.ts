import { armor, Encrypter } from 'age-encryption';

/**
 * Seals a text to age recipients (`age1…`): the site's agent and the recovery key. Only they can open it; the daemon
 * cannot. Text armour.
 * @throws Error when there is no recipient, or one is no age recipient.
 */
export async function sealTo(recipients: readonly string[], plaintext: string): Promise<string> {
  if (recipients.length === 0) throw new Error('a secret must be sealed to at least one recipient');
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return armor.encode(await encrypter.encrypt(plaintext));
}
