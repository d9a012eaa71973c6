import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HookScript } from '../../provisioners/contract/hooks.ts';
import { seconds } from '../../provisioners/contract/time.ts';
import type { Bench } from './bench.ts';

const script = (text: string, more: Partial<HookScript> = {}): HookScript => ({
  hook: 'flush',
  text,
  environment: { REMUDA_HOOK: 'flush', REMUDA_AT: 'beforeDrain', REMUDA_MACHINE: "m1; it's quoted" },
  timeout: seconds(60),
  ...more,
});

/** What every HookPort must do with scripts on a machine (V10). */
export function hookSuite(name: string, makeBench: () => Promise<Bench>): void {
  describe(`hook port, ${name}`, () => {
    let bench: Bench;
    beforeAll(async () => {
      bench = await makeBench();
    });
    afterAll(() => bench?.stop());

    it('knows nothing of a hook that never ran', async () => {
      expect(await bench.ports({ step: 'never' }).hooks.look(bench.machine)).toEqual({ state: 'absent' });
    });

    it('runs one to its end, and remembers for every later attempt which one ran it', async () => {
      const { hooks } = bench.ports({ step: 'flush', attempt: 2 });
      await hooks.run(bench.machine, script('sleep 1; echo done'));
      const seen = await bench.ports({ step: 'flush', attempt: 3 }).hooks.look(bench.machine);
      expect(seen).toMatchObject({ state: 'ended', attempt: 2, exitCode: 0, isTimedOut: false });
    });

    it('starts no second one while one runs: whoever comes attaches', async () => {
      const text = 'echo x >> /var/lib/remuda/hook-starts; sleep 2';
      const first = bench.ports({ step: 'twice' }).hooks.run(bench.machine, script(text));
      for (;;) {
        const seen = await bench.ports({ step: 'twice' }).hooks.look(bench.machine);
        if (seen.state === 'running') break;
      }
      await bench.ports({ step: 'twice', attempt: 2 }).hooks.run(bench.machine, script(text));
      await first;
      const seen = await bench.ports({ step: 'twice' }).hooks.look(bench.machine);
      expect(seen).toMatchObject({ state: 'ended', attempt: 1, exitCode: 0 });
    });
  });
}

/** What only a real machine shows: the model reads no scripts. */
export function hookScriptSuite(name: string, makeBench: () => Promise<Bench>): void {
  describe(`hooks on machines, ${name}`, () => {
    let bench: Bench;
    beforeAll(async () => {
      bench = await makeBench();
    });
    afterAll(() => bench?.stop());

    const run = async (step: string, given: HookScript, attempt = 1) => {
      const { hooks } = bench.ports({ step, attempt });
      await hooks.run(bench.machine, given);
      const seen = await hooks.look(bench.machine);
      if (seen.state !== 'ended') throw new Error(`it is ${seen.state}`);
      return seen;
    };

    it('started one once, though two asked for it', async () => {
      const path = '/var/lib/remuda/hook-starts';
      expect(await bench.ports().file.read(bench.machine, path)).toBe('x\n');
    });

    it('gives it a clean environment that names its occasion, root, and nothing to read', async () => {
      const { lastLines } = await run('environment', script('env | sort; id -u; pwd; cat; echo read'));
      expect(lastLines.filter((line) => !/^(_|SHLVL|PWD)=/.test(line))).toEqual([
        'HOME=/root',
        'LC_ALL=C',
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        'REMUDA_AT=beforeDrain',
        'REMUDA_HOOK=flush',
        "REMUDA_MACHINE=m1; it's quoted",
        '0',
        '/',
        'read',
      ]);
    });

    it('runs a program of another language, and keeps quotes and tabs as they stand', async () => {
      const text = `#!/usr/bin/env perl\nprint "it's\\t\\"$ENV{REMUDA_HOOK}\\"\\n";\nexit 7;\n`;
      expect(await run('perl', script(text))).toMatchObject({ exitCode: 7, lastLines: ['it\'s\t"flush"'] });
    });

    it('says how it ended, and only another attempt runs it again', async () => {
      expect(await run('bad', script('echo one >&2; exit 3'))).toMatchObject({
        attempt: 1,
        exitCode: 3,
        isTimedOut: false,
        lastLines: ['one'],
      });
      expect(await run('bad', script('echo two'), 2)).toMatchObject({ attempt: 2, exitCode: 0 });
    });

    it('is stopped on the machine when its time is over, with whatever it started', async () => {
      const text =
        'echo $$ > /var/lib/remuda/hook-pid; sleep 1234 & trap "" TERM; echo waits; wait; sleep 1234';
      const given = script(text, { timeout: seconds(2) });
      const seen = await run('hang', given);
      expect(seen).toMatchObject({ exitCode: 124, isTimedOut: true });
      expect(seen.lastLines).toContain('waits');
      const after = await run('looking', script("pgrep -f 'sleep 123[4]' || echo nobody"));
      expect(after.lastLines).toEqual(['nobody']);
    });

    it('keeps the log whole when one prints without an end', async () => {
      const before = bench.lines().length;
      const { exitCode, lastLines } = await run('loud', script('yes | head -c 3000000; exit 4'));
      expect(exitCode).toBe(4);
      expect(lastLines.at(-1)).toContain('the rest is left out');
      const bytes = bench
        .lines()
        .slice(before)
        .reduce((sum, line) => sum + line.length + 1, 0);
      expect(bytes).toBeGreaterThan(200_000);
      expect(bytes).toBeLessThan(300_000);
    });
  });
}
