import { beforeEach, describe, expect, test } from 'vitest';
import { fakeRefusal } from '../api/fake-engine.ts';
import { commandsOnFakeSite } from './site-commands.ts';

const cli = commandsOnFakeSite();

beforeEach(() => {
  cli.answerPlan('Change demo: 27 steps\n - demo-cp-1: control-plane, another one takes its place\n', {
    kind: 'update',
    destroys: ['demo-cp-1'],
  });
});

describe('machines, from the command line (H16, C2)', () => {
  test('without a terminal the plan is shown, nothing is begun, and the way on is said', async () => {
    const { code, out, err } = await cli.run(['machine', 'replace', 'demo', 'demo-cp-1']);
    expect(code).toBe(7);
    expect(out + err).toContain('demo-cp-1: control-plane, another one takes its place');
    expect(err).toContain('--plan sha256:one --confirm demo');
    expect(cli.askedFor('planMachines')).toMatchObject({
      cluster: 'demo',
      change: { kind: 'replace', machines: ['demo-cp-1'], mode: 'destroy' },
    });
    expect(cli.askedFor('changeMachines')).toBeUndefined();
  });

  test('exactly the plan that was shown is run', async () => {
    const words = ['machine', 'replace', 'demo', 'demo-cp-1', '--plan', 'sha256:one', '--confirm', 'demo'];
    expect((await cli.run(words)).code).toBe(0);
    expect(cli.askedFor('changeMachines')).toMatchObject({ planHash: 'sha256:one', confirm: 'demo' });
  });

  test('--keep leaves the machine, --yes asks nobody, --count counts', async () => {
    await cli.run(['machine', 'remove', 'demo', 'demo-w-1', 'demo-w-2', '--keep', '--yes']);
    expect(cli.askedFor('changeMachines')).toMatchObject({
      change: { kind: 'remove', machines: ['demo-w-1', 'demo-w-2'], mode: 'keep' },
    });
    cli.site.engine.asked.length = 0;
    await cli.run(['machine', 'add', 'demo', 'general', '--count', '3', '--yes']);
    expect(cli.askedFor('changeMachines')).toMatchObject({
      change: { kind: 'add', group: 'general', count: 3 },
    });
  });

  test('a number that is none is refused before anything is asked (K11)', async () => {
    const { code, err } = await cli.run(['machine', 'add', 'demo', 'general', '--count', 'two', '--yes']);
    expect(code).toBe(2);
    expect(err).toContain('Write a whole number from 1.');
    expect(cli.site.engine.asked).toEqual([]);
  });

  test('a refusal keeps its words and its remedy (K11)', async () => {
    cli.site.engine.refusal = fakeRefusal('invalid', {
      code: 'PLAN-016',
      summary: 'Cluster demo has no machine demo-cp-9',
      remedy: 'Did you mean demo-cp-1?',
    });
    const { code, err } = await cli.run(['machine', 'replace', 'demo', 'demo-cp-9', '--yes']);
    expect(code).toBe(2);
    expect(err).toContain('PLAN-016: Cluster demo has no machine demo-cp-9');
    expect(err).toContain('Did you mean demo-cp-1?');
  });
});
