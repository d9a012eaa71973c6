import { beforeEach, describe, expect, test } from 'vitest';
import { commandsOnFakeSite } from './site-commands.ts';

const cli = commandsOnFakeSite();

const machine = (id: string) => ({ type: 'machine', id, name: id });

beforeEach(() => {
  cli.answerPlan('Delete demo\n', {
    kind: 'delete',
    cluster: { uid: 'u-old', name: 'demo' },
    destroys: ['demo-cp-1'],
  });
  cli.site.engine.strays = {
    strays: [
      {
        uid: 'u-old',
        name: 'demo',
        provider: 'dc1',
        isReleased: false,
        things: [machine('demo-cp-1'), machine('demo-cp-2'), { type: 'network', id: 'net', name: 'net' }],
      },
      { uid: 'u-given', name: 'away', provider: 'dc1', isReleased: true, things: [machine('away-cp-1')] },
    ],
    unseen: [{ provider: 'dc2', why: 'no agent of site dc2 is connected' }],
  };
});

describe('sweep, from the command line (complaint 16)', () => {
  test('alone it only looks: what is where, what may be done, and whom nobody could ask', async () => {
    const { code, out, err } = await cli.run(['sweep', '--provider', 'dc1']);
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('provider dc2 was not asked') });
    expect(cli.askedFor('listStrays')).toBe('dc1');
    expect(out).toMatch(/dc1\s+demo\s+u-old\s+2 machines, 1 network\s+never\s+remuda sweep u-old/);
    expect(out).toMatch(/away\s+u-given\s+1 machine\s+never\s+given away/);
    expect(cli.askedFor('planSweep')).toBeUndefined();
    expect(cli.askedFor('startSweep')).toBeUndefined();
  });

  test('with a uid the plan is shown; nothing is begun without a word (V8)', async () => {
    const { code, err } = await cli.run(['sweep', 'u-old']);
    expect({ code, err }).toEqual({ code: 7, err: expect.stringContaining('Delete demo') });
    expect(cli.askedFor('planSweep')).toMatchObject({ uid: 'u-old' });
    expect(cli.askedFor('startSweep')).toBeUndefined();
  });

  test("with the cluster's name exactly that plan is run", async () => {
    const { code } = await cli.run(['sweep', 'u-old', '--plan', 'sha256:one', '--confirm', 'demo']);
    expect(code).toBe(0);
    expect(cli.askedFor('startSweep')).toMatchObject({
      uid: 'u-old',
      planHash: 'sha256:one',
      confirm: 'demo',
    });
  });

  test('a uid that nothing bears is refused before anything is asked for', async () => {
    const { code, err } = await cli.run(['sweep', 'u-none', '--confirm', 'demo']);
    expect([code, err]).toEqual([1, expect.stringContaining('CLI-065')]);
    expect(cli.askedFor('startSweep')).toBeUndefined();
  });
});
