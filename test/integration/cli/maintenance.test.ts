import { beforeEach, describe, expect, test } from 'vitest';
import { fakeOperation, fakeRefusal, fakeStep } from '../api/fake-engine.ts';
import { commandsOnFakeSite } from './site-commands.ts';

const cli = commandsOnFakeSite();

const waitsForWindow = (minutes: number) =>
  fakeOperation({
    kind: 'update',
    state: 'waiting',
    waitingFor: 'window',
    waitsUntil: new Date(Date.now() + minutes * 60_000 + 150_000).toISOString(),
    problem: {
      kind: 'blocked',
      code: 'OPS-014',
      summary: 'its maintenance window opens Sat 2026-11-21 22:00 Europe/Berlin (21:00 UTC)',
      remedy: 'Nothing: it goes on by itself then.',
    },
  });

beforeEach(() => {
  cli.site.engine.put(waitsForWindow(300));
});

describe('maintenance, from the command line (V9)', () => {
  test('describe says what it waits for, until when, how long yet, and what one could do (complaint 1)', async () => {
    const { code, out } = await cli.run(['describe', 'operation', 'op-1']);
    expect(code).toBe(0);
    expect(out).toContain('waits for its maintenance window');
    expect(out).toMatch(/opens Sat 2026-11-21 22:00 Europe\/Berlin \(21:00 UTC\) \(in 5 ?h/);
    expect(out).toContain('you could: Nothing: it goes on by itself then.');
  });

  test('who follows it stays, is told once, and sees it go on when the window opens', async () => {
    const running = cli.site.engine.getOperation('op-1');
    const { waitingFor: _waits, waitsUntil: _until, problem: _problem, ...rest } = running;
    const done = {
      ...rest,
      state: 'succeeded' as const,
      stepList: [fakeStep('node.cordon/w1', { state: 'succeeded' })],
    };
    let isOpen = false;
    const { code, out } = await cli.run(['operation', 'follow', 'op-1'], {
      during: (output) => {
        if (isOpen || !output.includes('opens Sat')) return;
        isOpen = true;
        cli.site.engine.put(done);
      },
    });
    expect(code).toBe(0);
    expect(out.match(/opens Sat/g)).toHaveLength(1);
  });

  test('override-window names the cluster, and a refusal keeps its words', async () => {
    expect((await cli.run(['operation', 'override-window', 'op-1'])).code).toBe(2);
    const { code } = await cli.run(['operation', 'override-window', 'op-1', '--confirm', 'demo']);
    expect(code).toBe(0);
    expect(cli.askedFor('overrideWindow')).toMatchObject({ principal: expect.any(String), confirm: 'demo' });
    cli.site.engine.refusal = fakeRefusal('conflict', {
      code: 'OPS-016',
      summary: 'operation op-1 is over, so nothing of it waits for a maintenance window',
    });
    const over = await cli.run(['operation', 'override-window', 'op-1', '--confirm', 'demo']);
    expect([over.code, over.err]).toEqual([8, expect.stringContaining('OPS-016')]);
  });

  test('approve says which plan was read; describe names who has agreed', async () => {
    cli.site.engine.put(
      fakeOperation({
        state: 'waiting',
        waitingFor: 'approval',
        toApprove: ['demo-cp-1'],
        agreement: {
          needed: 3,
          missing: 1,
          agreed: ['user:anna', 'user:berta'].map((principal) => ({
            principal,
            at: '2026-11-21T05:00:00.000Z',
          })),
        },
        problem: { kind: 'blocked', code: 'OPS-001', summary: '3 principals must agree: 1 is missing' },
      }),
    );
    const { out } = await cli.run(['describe', 'operation', 'op-1']);
    expect(out).toMatch(/agreed\s+user:anna, user:berta/);
    expect(out).toContain('3 principals must agree: 1 is missing');
    await cli.run(['operation', 'approve', 'op-1', '--confirm', 'demo', '--plan', 'sha256:read']);
    expect(cli.askedFor('approveOperation')).toMatchObject({ confirm: 'demo', planHash: 'sha256:read' });
  });
});
