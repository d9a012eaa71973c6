import { createHash, randomInt } from 'node:crypto';

/** Crockford's base 32: no letter that could be taken for another. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 13 letters of 5 bits are 65 bits; DESIGN §8 asks for 60 at least. */
const length = 13;

/** A code that a person types once: set-up codes and invitations, `XXXX-XXXX-XXXXX`. */
export function drawTypedCode(): string {
  const letters = Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
  return `${letters.slice(0, 4)}-${letters.slice(4, 8)}-${letters.slice(8)}`;
}

/** What of it is kept: its hash, whatever dashes, spaces and case it was typed with. */
export function hashTypedCode(code: string): string {
  const plain = code
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1');
  return createHash('sha256').update(plain).digest('hex');
}
