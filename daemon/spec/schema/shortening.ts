/** Longest piece of the user's text that a message repeats, in characters. */
const LONGEST = 80;

/** A text on one line, cut where it would fill the screen. */
export function shorten(text: string): string {
  const line = text
    .slice(0, LONGEST * 4)
    .replace(/\s+/g, ' ')
    .trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
}
