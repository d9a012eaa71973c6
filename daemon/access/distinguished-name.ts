/**
 * A distinguished name in the one form in which names are compared here: without the spaces that RFC 4514 allows around
 * its separators, and in lower case, because directories compare the attributes that names are made of without case.
 */
export function plainName(text: string): string {
  let plain = '';
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? '';
    if (character === '\\') {
      // An escaped character is part of a value, also when it is a separator.
      plain += character + (text[index + 1] ?? '');
      index += 1;
    } else if (',;+='.includes(character)) {
      plain = plain.endsWith('\\ ') ? plain : plain.trimEnd();
      plain += character === ';' ? ',' : character;
      while (text[index + 1] === ' ') index += 1;
    } else plain += character;
  }
  return plain.trim().toLowerCase();
}
