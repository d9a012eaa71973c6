import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '..', '..', '..');

/** A page for people. */
export interface Page {
  /** From the top of the repository. */
  readonly path: string;
  readonly text: string;
}

/** Every page for people: README, ARCHITECTURE and the manual. */
export const pages: readonly Page[] = [
  'README.md',
  'ARCHITECTURE.md',
  ...globSync('ui/docs/**/*.md', { cwd: root }),
]
  .toSorted()
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

const fence = /^```(\w*)\n([\s\S]*?)^```$/gm;

/** The text without fenced blocks. */
export const proseOf = (text: string): string => text.replaceAll(fence, '');

/** Targets of links and pictures. */
export const linksIn = (text: string): string[] =>
  [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');

/** Anchors of a page, as GitHub makes them from headings, and those written as `<a id>`. */
export function anchorsOf(text: string): Set<string> {
  const headings = [...proseOf(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) =>
    (heading ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  const written = [...text.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id ?? '');
  return new Set([...headings, ...written]);
}

/**
 * Command lines of a page: all lines of `sh` blocks, those after `$ ` in `console` blocks (what follows them is output),
 * and inline code.
 */
export function commandLinesIn(text: string): string[] {
  const blocks = [...text.matchAll(fence)].flatMap(([, language, body = '']) => {
    const lines = body.split('\n');
    if (language === 'sh') return lines;
    if (language !== 'console') return [];
    return lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2));
  });
  const inline = [...proseOf(text).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? '');
  return [...blocks, ...inline].map((line) => line.replace(/(^|\s)#.*$/, '').trim());
}
