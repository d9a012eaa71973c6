import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AgentReport, Dispatch } from '../../appliance/agent/protocol/dispatch.ts';
import { bootLabBench, type LabBench } from './contract-bench.ts';

/** A fake kubeadm that takes its time: it counts its starts, and says a line every tenth of a second. */
const fakeKubeadm = `#!/bin/bash
echo start >> /var/lib/remuda/fake-starts
for number in $(seq 60); do echo "line $number"; sleep 0.1; done
echo -n "the last line has no break"
`;

let lab: LabBench;
let folder: string;
beforeAll(async () => {
  lab = await bootLabBench();
  folder = mkdtempSync(join(tmpdir(), 'remuda-kill-'));
  await lab
    .ports()
    .file.write(lab.machine, [{ path: '/usr/local/bin/kubeadm', content: fakeKubeadm, mode: 0o755 }]);
});
afterAll(async () => {
  await lab?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function startAgent(
  name: string,
  dispatch: Dispatch,
): { child: ChildProcess; reports(): readonly AgentReport[] } {
  const file = join(folder, `${name}.json`);
  const told = { database: join(folder, 'agent.db'), identity: lab.identity, epoch: 7, dispatch };
  writeFileSync(file, JSON.stringify(told), { mode: 0o600 });
  const child = fork(new URL('contract-agent-process.ts', import.meta.url).pathname, [file], {
    execArgv: [],
  });
  let seen: readonly AgentReport[] = [];
  child.on('message', (message) => {
    seen = message as readonly AgentReport[];
  });
  return { child, reports: () => seen };
}

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 1200; i += 1) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not come about');
}

const linesOf = (reports: readonly AgentReport[]): string[] =>
  reports.flatMap((report) => (report.type === 'log' ? [report.text] : []));

describe('an agent that is killed in the middle of a command on a machine (proof 1, complaint 3)', () => {
  it('attaches when it comes back: no second start, no line lost or repeated', async () => {
    const dispatch: Dispatch = {
      key: { operation: 'op-kill', step: 'test.join/m1', attempt: 1 },
      epoch: 7,
      kind: 'test.join',
      version: 1,
      input: { machine: lab.machine },
      context: lab.context,
    };
    const kills = ['line 5', 'line 20', 'line 40'];
    for (const [index, line] of kills.entries()) {
      const agent = startAgent(`agent-${index}`, dispatch);
      await until(() => linesOf(agent.reports()).includes(line));
      agent.child.kill('SIGKILL');
      await once(agent.child, 'exit');
    }
    const last = startAgent('agent-last', dispatch);
    await until(() => last.reports().some(({ type }) => type === 'ended'));
    last.child.kill('SIGKILL');
    await once(last.child, 'exit');
    const reports = last.reports();
    expect(reports.at(-1)).toMatchObject({ type: 'ended', outcome: { state: 'succeeded' } });
    const printed = linesOf(reports).filter(
      (line) => line.startsWith('line ') || line.startsWith('the last'),
    );
    const expected = [...Array.from({ length: 60 }, (_, i) => `line ${i + 1}`), 'the last line has no break'];
    expect(printed).toEqual(expected);
    const numbers = reports.map(({ sequence }) => sequence);
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    expect(await lab.ports().file.read(lab.machine, '/var/lib/remuda/fake-starts')).toBe('start\n');
  });

  it('lets nobody start a second: a newer attempt attaches to the running one', async () => {
    const { machine } = lab;
    const command = { verb: 'join', config: '/c', skipPhases: [], ignorePreflightErrors: [] } as const;
    const of = { operation: 'op-two', step: 'test.join/m1' };
    const first = lab.ports({ ...of, attempt: 1 }).kubeadm.run(machine, command);
    const observer = lab.ports({ ...of, attempt: 2 }).kubeadm;
    for (;;) if ((await observer.observe(machine, 'join')).state === 'running') break;
    await lab.ports({ ...of, attempt: 2 }).kubeadm.run(machine, command);
    await first;
    expect(await lab.ports().file.read(machine, '/var/lib/remuda/fake-starts')).toBe('start\nstart\n');
  });

  it('says that a command was cut off when the machine loses power, and is told so, not that it works', async () => {
    const { machine } = lab;
    const of = { operation: 'op-cut', step: 'test.join/m1' };
    const { kubeadm } = lab.ports(of);
    const cut = kubeadm.run(machine, {
      verb: 'join',
      config: '/c',
      skipPhases: [],
      ignorePreflightErrors: [],
    });
    const ended = expect(cut).rejects.toMatchObject({ report: { kind: 'transient', machine: 'm1' } });
    for (;;) if ((await lab.ports(of).kubeadm.observe(machine, 'join')).state === 'running') break;
    await lab.provider.machines.power(lab.context.cluster, 'm1', 'off');
    await ended;
    await lab.provider.machines.power(lab.context.cluster, 'm1', 'on');
    for (let tries = 0; ; tries += 1) {
      try {
        const seen = await lab.ports(of).kubeadm.observe(machine, 'join');
        expect(seen).toMatchObject({ state: 'ended', exitCode: 255 });
        break;
      } catch (error) {
        if (tries > 60 || !(error instanceof Error) || error.name !== 'Transient') throw error;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  });
});
