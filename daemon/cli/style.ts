import { styleText } from 'node:util';

/** How texts look on one output stream. Colour only on a terminal, never with NO_COLOR (https://no-color.org). */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
}

type Format = Parameters<typeof styleText>[0];

/** The style for a stream. */
export function styleFor(stream: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv): Style {
  const isColoured = stream.isTTY === true && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb';
  const paint = (format: Format) => (text: string) =>
    isColoured ? styleText(format, text, { validateStream: false }) : text;
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    good: paint('green'),
    bad: paint('red'),
    warn: paint('yellow'),
  };
}
