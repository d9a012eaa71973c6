import { beforeEach, describe, expect, test } from 'vitest';
import { fakeRefusal } from '../api/fake-engine.ts';
import { commandsOnFakeSite } from './site-commands.ts';

const cli = commandsOnFakeSite();

beforeEach(() => {
  cli.answerPlan('Restore the data of demo\n\nLOST: everything written since the backup, 2 days ago.\n', {
    kind: 'restore',
  });
});

describe('restore, from the command line (H16, complaint 8)', () => {
  test('what is lost is said before anybody agrees, and the way on needs the name', async () => {
    const { code, out, err } = await cli.run(['restore', 'demo']);
    expect(code).toBe(7);
    expect(out + err).toContain('LOST: everything written since the backup, 2 days ago.');
    expect(err).toContain('--plan sha256:one --confirm demo');
    expect(cli.askedFor('planRestore')).toMatchObject({ cluster: 'demo', from: 'backup', lost: [] });
    expect(cli.askedFor('startRestore')).toBeUndefined();
  });

  test('exactly the plan that was shown is run, from the backup that was named', async () => {
    const backup = '20261120T023000Z-0123456789abcdef';
    const words = ['restore', 'demo', '--backup', backup, '--plan', 'sha256:one', '--confirm', 'demo'];
    expect((await cli.run(words)).code).toBe(0);
    expect(cli.askedFor('startRestore')).toMatchObject({
      backup,
      planHash: 'sha256:one',
      confirm: 'demo',
      acceptsUnknown: false,
    });
  });

  test('masters are given up by name, and who is left may be named', async () => {
    const words = ['restore', 'demo', '--from', 'survivor', '--survivor', 'demo-cp-2'];
    await cli.run([...words, '--lost', 'demo-cp-1', '--lost', 'demo-cp-3', '--yes', '--confirm', 'demo']);
    expect(cli.askedFor('startRestore')).toMatchObject({
      from: 'survivor',
      survivor: 'demo-cp-2',
      lost: ['demo-cp-1', 'demo-cp-3'],
    });
  });

  test('another source is refused before anything is asked (K11)', async () => {
    const { code, err } = await cli.run(['restore', 'demo', '--from', 'hope', '--yes']);
    expect(code).toBe(2);
    expect(err).toContain('backup, survivor');
    expect(cli.site.engine.asked).toEqual([]);
  });

  test('a refusal keeps its words and its remedy (K11)', async () => {
    cli.site.engine.refusal = fakeRefusal('invalid', {
      code: 'RESTORE-013',
      summary: 'the backup x is not known to this journal',
      remedy: 'Find out who made it; then restore it with --accept-unknown.',
    });
    const { code, err } = await cli.run(['restore', 'demo', '--yes']);
    expect(code).toBe(2);
    expect(err).toContain('RESTORE-013');
    expect(err).toContain('--accept-unknown');
  });
});
