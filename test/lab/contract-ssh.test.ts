import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MachinePool } from '../../appliance/agent/ssh/pool.ts';
import { bootLabBench, type LabBench } from './contract-bench.ts';

let lab: LabBench;
let pool: MachinePool;
beforeAll(async () => {
  lab = await bootLabBench();
  pool = new MachinePool({ idle: 1000, handshakes: 4 });
});
afterAll(async () => {
  await pool?.stop();
  await lab?.stop();
});

const run = (text: string, over: object = {}, patience = 30_000) =>
  pool.run(lab.machine, lab.keys.sshPrivateKey, { text, ...over }, { patience });

describe('machines over SSH', () => {
  it('shows no secret in an argument list or an environment: programs and variables come on standard input', async () => {
    const secret = 'canary-5b1f6c0d';
    // The pattern does not match its own text.
    const count = `cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c 'canary-5b1[f]6c0d'; exit 0`;
    const [seen] = await Promise.all([
      run(`sleep 0.5; ${count}`),
      run('/bin/sleep 2; : "$password"', { variables: { password: secret }, input: secret }),
    ]);
    expect(seen.stdout.toString().trim()).toBe('0');
    // The same look finds what does stand in an argument list.
    const [control] = await Promise.all([
      run(`sleep 0.5; ${count}`),
      run(`/bin/bash -c 'sleep 2; :' ${secret}`),
    ]);
    expect(Number(control.stdout.toString())).toBeGreaterThan(0);
  });

  it('hands over variables and input as they are, whatever is in them', async () => {
    const odd = `it's "quoted" $HOME \`id\` \\ \n and a break`;
    const result = await run('printf %s "$odd"; cat', {
      variables: { odd },
      input: Buffer.from([0, 1, 255]),
    });
    expect(result.stdout).toEqual(Buffer.concat([Buffer.from(odd), Buffer.from([0, 1, 255])]));
  });

  it('runs fifty programs at once on one connection', async () => {
    const sessions = async () => Number((await run('pgrep -c -f "^sshd: root@notty"')).stdout.toString());
    const before = await sessions();
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => run(`echo ${i}; exit ${i % 3}`)));
    expect(results.map(({ stdout }) => stdout.toString().trim())).toEqual(
      Array.from({ length: 50 }, (_, i) => `${i}`),
    );
    expect(results.map(({ exitCode }) => exitCode)).toEqual(Array.from({ length: 50 }, (_, i) => i % 3));
    expect(await sessions()).toBe(before);
  });

  it('says transient when the line is cut, and comes back by itself', async () => {
    const cut = expect(run('sleep 60')).rejects.toMatchObject({
      report: { kind: 'transient', code: 'SSH-004' },
    });
    const connection = await pool.connect(lab.machine, lab.keys.sshPrivateKey);
    await connection.run({ text: 'kill -9 $PPID' }, 10_000).catch(() => {});
    await cut;
    expect((await run('echo back')).stdout.toString()).toBe('back\n');
  });

  it('says transient when a program takes too long', async () => {
    await expect(run('sleep 60', {}, 300)).rejects.toMatchObject({ report: { code: 'SSH-004' } });
  });

  it('closes a connection that nobody uses, and never one that is in use', async () => {
    const connection = await pool.connect(lab.machine, lab.keys.sshPrivateKey);
    await connection.run({ text: 'sleep 3' }, 10_000);
    expect(connection.isOpen).toBe(true);
    for (let i = 0; i < 100 && connection.isOpen; i += 1)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(connection.isOpen).toBe(false);
  });

  it('does not even try a machine of which no host key is known', async () => {
    const unknown = { ...lab.machine, hostKeys: [] };
    await expect(pool.connect(unknown, lab.keys.sshPrivateKey)).rejects.toMatchObject({
      report: { code: 'SSH-006' },
    });
  });
});
