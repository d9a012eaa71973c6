import { stripVTControlCharacters } from 'node:util';

/** Controls (Unicode category Cc), and the marks that turn the direction of text (UTR 36, "Trojan Source"). */
const controls = /[\p{Cc}\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;

/**
 * One line that is safe on a terminal: what machines, files and servers send may move the cursor, set the title or
 * paste. Escape sequences go, other controls become a visible mark.
 */
export function cleanLine(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/\r?\n/g, ' ⏎ ')
    .replaceAll('\t', '    ')
    .replaceAll(controls, '�');
}

/** The same for a text of several lines. */
export function cleanText(text: string): string {
  return text.split(/\r?\n/).map(cleanLine).join('\n');
}
