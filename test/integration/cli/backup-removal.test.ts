import { expect, test } from 'vitest';
import { fakeRefusal } from '../api/fake-engine.ts';
import { commandsOnFakeSite } from './site-commands.ts';

const cli = commandsOnFakeSite();

test('backup remove: the id once more goes along, and --last only when it is said', async () => {
  const { code, out } = await cli.run(['backup', 'remove', 'demo', 'b-1', '--confirm', 'b-1']);
  expect([code, out]).toEqual([0, 'the backup b-1 of demo is removed\n']);
  await cli.run(['backup', 'remove', 'demo', 'b-2', '--last']);
  expect(cli.site.engine.asked).toMatchObject([
    { name: 'removeBackup', request: { cluster: 'demo', id: 'b-1', confirm: 'b-1', mayBeLast: false } },
    { name: 'removeBackup', request: { cluster: 'demo', id: 'b-2', mayBeLast: true } },
  ]);
  expect(cli.site.engine.asked[1]?.request).not.toHaveProperty('confirm');
});

test('a refusal names the way, and is told by the exit code (K11)', async () => {
  cli.site.engine.refusal = fakeRefusal('needs-confirmation', {
    code: 'REMOVAL-002',
    summary: 'b-1 is the last backup',
    remedy: 'Repeat with --last.',
  });
  const { code, err } = await cli.run(['backup', 'remove', 'demo', 'b-1', '--confirm', 'b-1']);
  expect([code, err]).toEqual([7, expect.stringContaining('Repeat with --last.')]);
});
