/**
 * The parser's reasons in our words. The parser may quote the text it stumbled over, which can be a secret, so nothing
 * of its own sentence is passed on.
 */
const messages: readonly (readonly [pattern: RegExp, summary: string, remedy: string])[] = [
  [
    /deficient indentation/,
    'The text is indented too little here, or a quotation mark or bracket above is never closed.',
    'Close the quotation mark or bracket, or indent the line like its neighbours.',
  ],
  [
    /bad indentation|document separator is expected/,
    'The indentation or the punctuation is wrong here: this line fits to no field above it.',
    'Indent it like its neighbours, with spaces; put quotes around text that holds ": ", "#", "@" or "%".',
  ],
  [/tab char/, 'A tab stands in the indentation.', 'Indent with spaces only.'],
  [
    /expected ':'|whitespace character is expected/,
    'A colon is missing after the field name.',
    'Write `name: value`.',
  ],
  [/comma|found ','/, 'A comma is missing or too many in this list.', 'Write [a, b] or {a: 1, b: 2}.'],
  [/within a flow collection/, 'A bracket or brace is never closed.', 'Close it with "]" or "}".'],
  [/within a (double|single) quoted/, 'A quotation mark is never closed.', 'Close it on the same line.'],
  [
    /unknown escape|hexadecimal/,
    'A backslash in double quotes is followed by a letter that means nothing.',
    'Use single quotes, or write the backslash twice.',
  ],
  [/non-printable|valid JSON character/, 'A control character stands in the text.', 'Remove it.'],
  [
    /second document/,
    'A second document begins here without "---".',
    'Put a line "---" between two documents.',
  ],
];

/** Code, sentence and remedy for a reason of the YAML parser; `at` is the text from the place on. */
export function syntaxSummary(reason: string, at: string): { code: string; summary: string; remedy: string } {
  if (/maxDepth/.test(reason))
    return {
      code: 'SPEC-004',
      summary: 'Sections are nested deeper than any answer file needs.',
      remedy: 'Remove the nesting.',
    };
  const isEntry = /bad indentation of a mapping entry/.test(reason);
  if (isEntry && at.startsWith(':'))
    return {
      code: 'SPEC-001',
      summary: 'A second colon stands in this line.',
      remedy: 'Put the text in quotes if the colon belongs to it, or begin a new line for the field.',
    };
  const [sign] = /^[@`%|>]/.exec(at.trimStart()) ?? [];
  if (isEntry && sign !== undefined)
    return {
      code: 'SPEC-001',
      summary: `Text cannot begin with "${sign}" without quotes.`,
      remedy: 'Put it in single quotes.',
    };
  const [, summary, remedy] = messages.find(([pattern]) => pattern.test(reason)) ?? [
    undefined,
    'This is not valid YAML.',
    'Look at this line and the one above it.',
  ];
  return { code: 'SPEC-001', summary, remedy };
}
