import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fakeOperation, fakeRefusal } from '../api/fake-engine.ts';
import { type FakeSite, startFakeSite } from '../api/fake-site.ts';
import { CommandLine } from './command.ts';

let site: FakeSite;
let cli: CommandLine;

beforeAll(async () => {
  site = await startFakeSite();
  cli = new CommandLine(site);
});

afterAll(async () => {
  cli[Symbol.dispose]();
  await site[Symbol.asyncDispose]();
});

beforeEach(() => {
  site.engine.asked.length = 0;
  site.engine.applyOperations = [fakeOperation()];
  const plan = {
    kind: 'restore' as const,
    cluster: { uid: 'u-1', name: 'demo' },
    premises: { revision: 'r', observedAt: '2026-11-21T05:00:00.000Z', machines: {}, versions: {} },
    steps: [],
    destroys: [],
    notices: [],
    changes: [],
  };
  const text = 'Restore the data of demo\n\nLOST: everything written since the backup, 2 days ago.\n';
  const shown = { cluster: 'demo', plan, hash: 'sha256:one', text, isUnchanged: false };
  site.engine.planAnswer = {
    problems: [],
    plans: [shown],
    hash: 'sha256:one',
    needsConfirmation: ['demo'],
  };
});

const askedFor = (name: string): unknown => site.engine.asked.find((one) => one.name === name)?.request;

describe('restore, from the command line (H16, complaint 8)', () => {
  test('what is lost is said before anybody agrees, and the way on needs the name', async () => {
    const { code, out, err } = await cli.run(['restore', 'demo']);
    expect(code).toBe(7);
    expect(out + err).toContain('LOST: everything written since the backup, 2 days ago.');
    expect(err).toContain('--plan sha256:one --confirm demo');
    expect(askedFor('planRestore')).toMatchObject({ cluster: 'demo', from: 'backup', lost: [] });
    expect(askedFor('startRestore')).toBeUndefined();
  });

  test('exactly the plan that was shown is run, from the backup that was named', async () => {
    const backup = '20261120T023000Z-0123456789abcdef';
    const words = ['restore', 'demo', '--backup', backup, '--plan', 'sha256:one', '--confirm', 'demo'];
    expect((await cli.run(words)).code).toBe(0);
    expect(askedFor('startRestore')).toMatchObject({
      backup,
      planHash: 'sha256:one',
      confirm: 'demo',
      acceptsUnknown: false,
    });
  });

  test('masters are given up by name, and who is left may be named', async () => {
    const words = ['restore', 'demo', '--from', 'survivor', '--survivor', 'demo-cp-2'];
    await cli.run([...words, '--lost', 'demo-cp-1', '--lost', 'demo-cp-3', '--yes', '--confirm', 'demo']);
    expect(askedFor('startRestore')).toMatchObject({
      from: 'survivor',
      survivor: 'demo-cp-2',
      lost: ['demo-cp-1', 'demo-cp-3'],
    });
  });

  test('another source is refused before anything is asked (K11)', async () => {
    const { code, err } = await cli.run(['restore', 'demo', '--from', 'hope', '--yes']);
    expect(code).toBe(2);
    expect(err).toContain('backup, survivor');
    expect(site.engine.asked).toEqual([]);
  });

  test('a refusal keeps its words and its remedy (K11)', async () => {
    site.engine.refusal = fakeRefusal('invalid', {
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
