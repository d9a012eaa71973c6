import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OperationDetail, StepView } from '../../../daemon/operations/answers.ts';
import { fakeOperation, fakeRefusal, fakeStep } from '../api/fake-engine.ts';
import { type FakeSite, startFakeSite } from '../api/fake-site.ts';
import { CommandLine } from './command.ts';

const example = resolve(import.meta.dirname, '..', '..', '..', 'ui/docs/examples/lab-small.yaml');
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

const endsWith = (changes: Partial<OperationDetail>): void => {
  const operation = fakeOperation(changes);
  site.engine.applyOperations = [operation];
  site.engine.operations.set(operation.id, operation);
};
const failedStep = (phase: StepView['phase'], code = 'HOST-003'): StepView =>
  fakeStep('machine.create/m1', {
    phase,
    state: 'failed',
    problem: {
      kind: 'blocked',
      code,
      summary: 'm1 has 1 CPU, and 2 are needed',
      remedy: 'give it another',
      machine: 'm1',
      command: 'nproc',
      lastLines: ['1', '\u001b]0;owned\u0007\u001b[2Jevil'],
    },
  });
const applyAndWait = () => cli.run(['apply', '-f', example, '--wait']);

describe('exit codes (DESIGN §7, H16)', () => {
  test('0: it ended well, and the way to use it is said', async () => {
    endsWith({ state: 'succeeded', stepList: [fakeStep('machine.create/m1', { state: 'succeeded' })] });
    const { code, out, err } = await applyAndWait();
    expect(code).toBe(0);
    expect(out).toContain('Created cluster demo');
    expect(err).toContain('remuda kubeconfig demo');
  });

  test('0: nothing to do', async () => {
    site.engine.applyOperations = [];
    const { code, out } = await applyAndWait();
    expect([code, out]).toEqual([0, expect.stringContaining('Cluster/demo unchanged')]);
  });

  test('preflight: 3 with every finding at once, 0 when each passed or was bypassed', async () => {
    const finding = { subject: 'cluster', saw: 'room for 1 of 3', remedy: 'give it more memory' };
    const checks = (outcome: 'failed' | 'bypassed') => [
      {
        step: 'provider.preflight/cluster',
        title: 'Check the room',
        findings: [
          { ...finding, check: 'LAB-MEMORY', severity: 'bypassable' as const, outcome },
          { ...finding, check: 'LAB-DISK', severity: 'strict' as const, outcome: 'passed' as const },
        ],
      },
    ];
    const later = ['Check cp1'];
    site.engine.preflightAnswer = {
      problems: [],
      clusters: [{ cluster: 'demo', checks: checks('failed'), later }],
      isPassed: false,
    };
    const failed = await cli.run(['preflight', '-f', example]);
    expect(failed.code).toBe(3);
    expect(failed.out).toMatch(/failed +LAB-MEMORY +bypassable +cluster +room for 1 of 3/);
    expect(failed.out).toMatch(/passed +LAB-DISK/);
    expect(failed.out).toContain('--bypass LAB-MEMORY');
    expect(failed.out).toContain('later, once its machines are there: Check cp1');
    site.engine.preflightAnswer = {
      problems: [],
      clusters: [{ cluster: 'demo', checks: checks('bypassed'), later }],
      isPassed: true,
    };
    const bypassed = await cli.run(['preflight', '-f', example, '--bypass', 'LAB-MEMORY', '-o', 'json']);
    expect([bypassed.code, JSON.parse(bypassed.out)]).toEqual([0, site.engine.preflightAnswer]);
    expect(site.engine.asked.at(-1)).toMatchObject({
      name: 'preflight',
      request: { bypass: ['LAB-MEMORY'] },
    });
  });

  test('1: failed for good', async () => {
    endsWith({ state: 'failed', isResumable: false, stepList: [failedStep('workers')] });
    expect((await applyAndWait()).code).toBe(1);
  });

  test('1: no server', async () => {
    const { code, err } = await cli.run(['get', 'clusters'], {
      environment: { REMUDA_SERVER: 'https://127.0.0.1:9' },
    });
    expect([code, err]).toEqual([1, expect.stringContaining('nothing listens there')]);
  });

  test('1: a server that is another than the token is for is told nothing', async () => {
    const { code, err } = await cli.run(['get', 'clusters'], {
      environment: { REMUDA_TOKEN: `${'0'.repeat(64)}.${'s'.repeat(43)}` },
    });
    expect([code, err]).toEqual([1, expect.stringContaining('CLI-011')]);
    expect(err).not.toContain('s'.repeat(43));
  });

  test.each([
    [['nonsense']],
    [['get', 'nonsense']],
    [['apply']],
    [['apply', '-f', '/nowhere.yaml']],
    [['apply', '-f', example, '--timeout', 'soon']],
    [['secret', 'set', 'x']],
    [['describe', 'planet', 'mars']],
  ])('2: usage: %j', async (words) => {
    expect((await cli.run(words)).code).toBe(2);
  });

  test('2: no token', async () => {
    const { code, err } = await cli.run(['get', 'clusters'], { environment: { REMUDA_TOKEN: '' } });
    expect([code, err]).toEqual([2, expect.stringContaining('remuda login')]);
  });

  test('2: the server says that the file is wrong', async () => {
    site.engine.refusal = fakeRefusal('invalid', { place: { file: example, line: 8, column: 5 } });
    const { code, err } = await cli.run(['apply', '-f', example]);
    expect(code).toBe(2);
    expect(err).toContain(`${example}:8:5`);
    expect(err).toMatch(/8 \| .*\n.*\| {5}\^/);
  });

  test('3: a preflight check failed; what a machine printed cannot steer the terminal', async () => {
    endsWith({ state: 'failed', isResumable: true, stepList: [failedStep('preflight')] });
    const { code, out, err } = await applyAndWait();
    expect(code).toBe(3);
    expect(err).toContain('HOST-003: m1 has 1 CPU');
    expect(err).toContain('| evil');
    for (const control of ['\u001b', '\u0007']) expect(out + err).not.toContain(control);
  });

  test('4: it can be resumed, and the command for that is named', async () => {
    endsWith({ state: 'failed', isResumable: true, stepList: [failedStep('workers')] });
    const { code, err } = await applyAndWait();
    expect([code, err]).toEqual([4, expect.stringContaining('remuda operation resume op-1 --wait')]);
  });

  test('5: a deletion left something behind', async () => {
    const stepList = [failedStep('teardown', 'TEARDOWN-001')];
    endsWith({ kind: 'delete', state: 'failed', isResumable: true, stepList });
    expect((await cli.run(['delete', 'demo', '--confirm', 'demo', '--wait'])).code).toBe(5);
  });

  test('0: a deletion says its three lists: gone, kept by policy, left', async () => {
    const facts = {
      gone: [{ type: 'machine', id: 'm1', name: 'demo-w-1' }],
      kept: [{ type: 'volume', id: 'v1', name: 'data', policy: 'retain' }],
      left: [],
    };
    const proven = {
      ...fakeStep('teardown.prove/cluster', { state: 'succeeded', facts }),
      kind: 'teardown.prove',
    };
    endsWith({ kind: 'delete', state: 'succeeded', stepList: [proven] });
    const { code, out } = await cli.run(['delete', 'demo', '--confirm', 'demo', '--wait']);
    expect(code).toBe(0);
    const lists = 'gone: 1 machine (demo-w-1)\nkept by policy: volume data (retain)\nleft: nothing\n';
    expect(out).toContain(lists);
    expect((await cli.run(['describe', 'operation', 'op-1'])).out).toContain(lists);
    const json = await cli.run(['delete', 'demo', '--confirm', 'demo', '--wait', '-o', 'json']);
    const last = JSON.parse(json.out.trim().split('\n').at(-1) ?? '') as OperationDetail;
    expect([json.code, last.stepList[0]?.facts]).toEqual([0, facts]);
  });

  test('5: a proof that names what is left, or that gave up, is no success', async () => {
    const left = [{ type: 'disk', id: 'd1', name: 'data', why: 'it is in use' }];
    const prove = fakeStep('teardown.prove/cluster', { phase: 'teardown' });
    const named = { ...prove, state: 'succeeded' as const, facts: { gone: [], kept: [], left } };
    endsWith({ kind: 'delete', state: 'succeeded', stepList: [named] });
    const found = await cli.run(['delete', 'demo', '--confirm', 'demo', '--wait']);
    expect([found.code, found.out]).toEqual([5, expect.stringContaining('left: disk data (it is in use)')]);
    const limit = { ...failedStep('teardown', 'STEP-002'), kind: 'teardown.prove' };
    endsWith({ kind: 'delete', state: 'failed', isResumable: true, stepList: [limit] });
    expect((await cli.run(['delete', 'demo', '--confirm', 'demo', '--wait'])).code).toBe(5);
  });

  test('6: plan --exit-code when there is something to do, else 0', async () => {
    const { plan } = fakeOperation();
    const one = { cluster: 'demo', plan, hash: 'h', text: 'create machine m1', isUnchanged: false };
    site.engine.planAnswer = { problems: [], plans: [one], hash: 'sha256:h', needsConfirmation: [] };
    const changed = await cli.run(['plan', '-f', example, '--exit-code']);
    expect([changed.code, changed.out]).toEqual([6, 'create machine m1\n']);
    expect(changed.err).toContain('--plan sha256:h');
    expect((await cli.run(['plan', '-f', example])).code).toBe(0);
    site.engine.planAnswer = { ...site.engine.planAnswer, plans: [{ ...one, isUnchanged: true }] };
    expect((await cli.run(['plan', '-f', example, '--exit-code'])).code).toBe(0);
  });

  test('7: waits for approval; needs confirmation; delete without the name', async () => {
    endsWith({ state: 'waiting', waitingFor: 'approval', toApprove: ['demo-w-1'] });
    const waiting = await applyAndWait();
    expect([waiting.code, waiting.err]).toEqual([
      7,
      expect.stringContaining('operation approve op-1 --confirm demo'),
    ]);
    endsWith({
      state: 'waiting',
      waitingFor: 'approval',
      toApprove: ['demo-cp-1'],
      agreement: {
        needed: 2,
        missing: 1,
        agreed: [{ principal: 'user:anna', at: '2026-11-21T05:00:00.000Z' }],
      },
    });
    const asking = await cli.run(['apply', '-f', example]);
    expect(asking.code).toBe(7);
    expect(asking.err).toContain(
      'user:anna agreed; whoever else does: remuda operation approve op-1 --confirm demo',
    );
    site.engine.refusal = fakeRefusal('needs-confirmation');
    expect((await cli.run(['apply', '-f', example])).code).toBe(7);
    const count = site.engine.asked.length;
    expect((await cli.run(['delete', 'demo'])).code).toBe(7);
    expect(site.engine.asked.slice(count).map((asked) => asked.name)).toEqual(['planDelete']);
  });

  test('8: conflict; the reviewed plan is no longer the plan', async () => {
    site.engine.refusal = fakeRefusal('conflict');
    expect((await cli.run(['apply', '-f', example])).code).toBe(8);
    site.engine.refusal = fakeRefusal('plan-changed');
    expect((await cli.run(['apply', '-f', example, '--plan', 'sha256:old'])).code).toBe(8);
  });

  test('130: Ctrl-C says that the work goes on and how to follow it', async () => {
    let isInterrupted = false;
    endsWith({ state: 'running', stepList: [fakeStep('machine.create/m1', { state: 'running' })] });
    const { code, err } = await cli.run(['apply', '-f', example, '--wait'], {
      // Once: a second one would end it the hard way while it says good-bye.
      during: (output, interrupt) => {
        if (!isInterrupted && output.includes('started')) {
          isInterrupted = true;
          interrupt();
        }
      },
    });
    expect(code).toBe(130);
    expect(err).toContain('goes on');
    expect(err).toContain('remuda operation follow op-1');
    expect(site.engine.asked.some((asked) => asked.name === 'cancelOperation')).toBe(false);
  });

  test('cancel while the agent is away says what it waits for', async () => {
    endsWith({ state: 'waiting', waitingFor: 'agent', isCancelling: true });
    const { code, out } = await cli.run(['operation', 'cancel', 'op-1']);
    expect([code, out]).toEqual([
      0,
      expect.stringContaining("cancelling; waits for the site's agent, which is not connected"),
    ]);
  });
});

describe('waiting', () => {
  test('the daemon goes away and comes back: the command stays, says so, and ends well', async () => {
    endsWith({ state: 'running', stepList: [fakeStep('machine.create/m1', { state: 'running' })] });
    const steps: (() => void)[] = [
      () => void site.pause(),
      () => {
        site.engine.put(
          fakeOperation({
            state: 'succeeded',
            stepList: [fakeStep('machine.create/m1', { state: 'succeeded' })],
          }),
        );
        void site.resume();
      },
    ];
    const { code, out } = await cli.run(['apply', '-f', example, '--wait'], {
      during: (output) => {
        if (steps.length === 2 && output.includes('started')) steps.shift()?.();
        if (steps.length === 1 && output.includes('is away since')) steps.shift()?.();
      },
    });
    expect(code).toBe(0);
    expect(out).toContain('still trying');
    expect(out).toContain('Created cluster demo');
  });

  test('--timeout ends the watching with 1 and leaves the work alone', async () => {
    endsWith({ state: 'running' });
    const { code, err } = await cli.run(['apply', '-f', example, '--wait', '--timeout', '1s']);
    expect([code, err]).toEqual([1, expect.stringContaining('remuda operation follow op-1')]);
  });

  test('cancel --wait is well when it is cancelled; logs -f ends with the operation, all lines told', async () => {
    site.engine.put(fakeOperation({ state: 'running' }));
    const logs = cli.run(['logs', 'op-1', '-f'], {
      during: (output) => {
        if (!output.includes('first line') || output.includes('last line')) return;
        site.engine.say('last line');
        site.engine.put(fakeOperation({ state: 'cancelled', isResumable: true }));
      },
    });
    site.engine.say('first line');
    const { code, out } = await logs;
    expect([code, out.match(/(first|last) line/g)]).toEqual([0, ['first line', 'last line']]);
    expect((await cli.run(['operation', 'cancel', 'op-1', '--wait'])).code).toBe(0);
  });

  test('-o json is one object a line, events and at the end the operation', async () => {
    endsWith({ state: 'running' });
    site.engine.happened.length = 0;
    site.engine.happen('step.started', { operation: 'op-1' });
    const { code, out } = await cli.run(['apply', '-f', example, '--wait', '-o', 'json'], {
      during: (output) => {
        if (output.includes('step.started')) site.engine.put(fakeOperation({ state: 'succeeded' }));
      },
    });
    expect(code).toBe(0);
    const records = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly record: string });
    expect(records[0]).toMatchObject({ record: 'event', type: 'step.started' });
    expect(records.at(-1)).toMatchObject({ record: 'operation', state: 'succeeded' });
  });
});
