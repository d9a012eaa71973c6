import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const script = join(import.meta.dirname, 'full-disk-process.ts');

// A mount namespace of its own: the small disk goes with the process, whatever happens. Not being allowed to make one
// fails the test rather than skipping it.
test('on a full disk running steps are journalled, nothing new starts, the operation says why, and goes on when there is room', async () => {
  const disk = mkdtempSync(join(tmpdir(), 'remuda-operations-disk-'));
  try {
    const mayMount = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
    const mounted = 'mount -t tmpfs -o size=8m none "$1" && exec "$2" "$3" "$1"';
    const { stdout } = await promisify(execFile)(
      'unshare',
      [...mayMount, '--mount', 'sh', '-ec', mounted, 'sh', disk, process.execPath, script],
      { timeout: 60_000 },
    );
    const seen = JSON.parse(stdout) as Record<string, unknown>;
    expect(seen).toMatchObject({
      whileFull: {
        outcomes: 20,
        started: 20,
        operation: 'waiting',
        problem: 'STATE-004',
        health: { isReady: false, problem: { code: 'STATE-004' } },
        refused: expect.stringContaining('the disk that holds the state is full') as string,
      },
      afterKill: { outcomes: 20, operation: 'waiting' },
      end: 'succeeded',
      effects: 40,
      breaches: [],
      integrity: 'ok',
    });
  } finally {
    rmSync(disk, { recursive: true, force: true });
  }
});
