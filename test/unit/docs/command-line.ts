import type { Command } from 'commander';

/** Words of one program call of a shell line; quotes and redirections need no more care than this in a manual. */
export const callsIn = (line: string): string[][] =>
  line
    .split(/\s*(?:\|\||&&|;|\||\$\(|<\()\s*/)
    .map((call) => call.split(/\s+/).map((word) => word.replaceAll(/^["'(]+|["'),.:;]+$/g, '')))
    .map((words) => words.filter(Boolean));

/**
 * What is wrong with `remuda …`: a command or option that there is not; undefined when it may be written so. Words in
 * capitals, `<…>` and `…` stand for names. A lone `remuda` is the name of the program.
 */
export function wrongWithRemuda(program: Command, words: readonly string[]): string | undefined {
  let command = program;
  for (const [index, word] of words.entries()) {
    if (/^[0-9]?[<>]/.test(word) && !/^<[a-z]/.test(word)) return undefined;
    if (word.startsWith('-') && word !== '-') {
      const [flag] = word.split('=');
      const isKnown =
        word === '-h' ||
        word === '--help' ||
        command.options.some(({ short, long }) => flag === short || flag === long);
      const passesOn = command.registeredArguments.some(({ variadic }) => variadic);
      if (!isKnown && !passesOn) return `${command.name()} has no option ${word}`;
      continue;
    }
    const isName = !/^[a-z][a-z-]*$/.test(word);
    const below = command.commands.find((one) => one.name() === word);
    if (below !== undefined) command = below;
    else if (command.commands.length > 0 && !isName && words[index - 1]?.startsWith('-') !== true)
      return `${command.name()} has no command ${word}`;
  }
  return undefined;
}
