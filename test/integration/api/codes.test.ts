import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { doorCodes } from '../../../daemon/api/codes.ts';
import { commandCodes } from '../../../daemon/cli/codes.ts';

const root = resolve(import.meta.dirname, '..', '..', '..');

test('K11: every problem code of access, API, command and start is in a catalogue, and none is there for nothing', () => {
  const files = globSync('daemon/{access,api,cli}/**/*.ts', { cwd: root })
    .filter((file) => !file.endsWith('/codes.ts'))
    .concat(globSync('daemon/*.ts', { cwd: root }));
  const used = files.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/'((?:ACCESS|API|CLI|START|BUG)-\d{3})'/g)].map(
      ([, code]) => code,
    ),
  );
  const known = [...Object.keys(doorCodes), ...Object.keys(commandCodes)];
  expect([...new Set(used)].sort()).toEqual(known.sort());
});
