import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { descriptionRoute } from '../../../daemon/api/routes/server.ts';
import { livePath } from '../../../daemon/api/schemas/live.ts';
import { routeTable } from '../../../daemon/api/routes/routes.ts';
import { commandTree } from '../../../scripts/reference-commands.ts';
import { generatedPages } from '../../../scripts/reference-pages.ts';
import { catalogues } from '../../../scripts/reference-problems.ts';
import { callsIn, wrongWithRemuda } from './command-line.ts';
import { stringsIn } from './strings.ts';
import { anchorsOf, commandLinesIn, linksIn, pages, proseOf, root } from './markdown.ts';

describe('the manual', () => {
  test.each(Object.entries(generatedPages))('%s is what scripts/reference writes', (path, render) => {
    expect(readFileSync(join(root, path), 'utf8'), 'stale: run scripts/reference').toBe(render());
  });

  test.each(pages)('$path: every link leads somewhere', ({ path, text }) => {
    const broken = linksIn(text).filter((target) => {
      if (/^(https?|mailto):/.test(target)) return false;
      const [file = '', anchor] = target.split('#');
      const goal = file === '' ? path : normalize(join(dirname(path), file));
      if (!existsSync(join(root, goal))) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(join(root, goal), 'utf8')).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  test('every page is reached from the index', () => {
    const index = pages.find(({ path }) => path === 'ui/docs/index.md');
    const linked = new Set(linksIn(index?.text ?? '').map((target) => normalize(join('ui/docs', target))));
    const lost = pages
      .map(({ path }) => path)
      .filter((path) => path.startsWith('ui/docs/') && !linked.has(path));
    expect(lost).toEqual(['ui/docs/index.md']);
  });
});

describe('command lines in the manual', () => {
  const program = commandTree();

  /** The problems of all calls of `remuda` in the lines. */
  const wrongIn = (lines: readonly string[]): string[] =>
    lines.flatMap((line) =>
      callsIn(line).flatMap((words) => {
        const at = words.findIndex((word) => /^(?:.*\/)?remuda$/.test(word));
        const isCall = at !== -1 && words.slice(0, at).every((word) => word.includes('=') || word === 'sudo');
        const wrong = isCall ? wrongWithRemuda(program, words.slice(at + 1)) : undefined;
        return wrong === undefined ? [] : [`${line}: ${wrong}`];
      }),
    );

  test.each([
    ['remuda frobnicate x', 'has no command'],
    ['./remuda apply -f a.yaml --wiat', 'has no option --wiat'],
    ['X=1 remuda operation restart ID', 'has no command restart'],
    ['true && remuda get clusters --all', 'has no option --all'],
  ])('the check sees %s', (line, wrong) => {
    expect(wrongIn([line])).toEqual([expect.stringContaining(wrong)]);
  });

  test.each(pages)('$path names only commands and options of remuda that exist', ({ text }) => {
    expect(wrongIn(commandLinesIn(text))).toEqual([]);
  });

  test.each(pages)('$path names only scripts that exist', ({ text }) => {
    const named = [...text.matchAll(/(?<![\w/-])scripts\/([a-z][a-z.-]*[a-z])/g)].map(([path]) => path);
    expect([...new Set(named)].filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test('K11: remedies name only commands that exist', () => {
    const remedies = catalogues.flatMap(({ codes }) => Object.values(codes).map(({ remedy }) => remedy));
    const commands = remedies.flatMap((remedy) =>
      [...remedy.matchAll(/(?:^|`|: )(remuda [^`.]+)/g)].map(([, command]) => command ?? ''),
    );
    expect(commands.length).toBeGreaterThan(10);
    expect(wrongIn(commands)).toEqual([]);
  });

  test('K11: messages in the sources name only commands that exist', () => {
    const texts = globSync('{appliance,daemon,provisioners,scripts}/**/*.ts', { cwd: root }).flatMap((file) =>
      stringsIn(file),
    );
    const commands = texts.flatMap((text) =>
      [...text.matchAll(/(?:`|: )((?:\.\/)?remuda [a-z][^`)'"]*)/g)].map(([, command]) => command ?? ''),
    );
    expect(commands.length).toBeGreaterThan(20);
    expect(wrongIn(commands)).toEqual([]);
  });

  test.each(pages)('$path names only addresses that the API has', ({ text }) => {
    const routes = [...routeTable, descriptionRoute(() => ({}))];
    const known = routes.map(({ path }) => new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`));
    const named = [...text.matchAll(/\/api\/v1(?:\/[\w{}.:-]+)*/g)].map(([path]) =>
      path.replace(/[.:]$/, ''),
    );
    const strange = named.filter(
      (path) => path !== '/api/v1' && !known.some((pattern) => pattern.test(path)),
    );
    expect(strange.filter((path) => path !== livePath)).toEqual([]);
  });

  test('no page names this machine or leaves a gap', () => {
    for (const { path, text } of pages)
      expect(proseOf(text), path).not.toMatch(/\/work\/|\/tmp\/remuda-|\bTODO\b|\bTBD\b/);
  });
});
