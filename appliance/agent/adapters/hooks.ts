import type { HookPort, HookScript } from '../../../provisioners/contract/hooks.ts';
import { Transient } from '../../../provisioners/contract/problem.ts';
import { hookProgram, timedOutLine } from '../hook-program.ts';
import type { Reach } from '../outgoing/address.ts';
import { sendWebhook } from '../outgoing/webhook.ts';
import type { Units } from '../units.ts';

/** What the port is made of. */
interface HookPortOptions {
  readonly units: Pick<Units, 'newest' | 'run'>;
  /** What may be reached at addresses that users give. */
  readonly reach: Reach;
  readonly signal: () => AbortSignal;
}

const label = 'hook';

/** Users' hooks: scripts as transient units on machines, and signed messages to servers. */
export function createHookPort({ units, reach, signal }: HookPortOptions): HookPort {
  return {
    async look(machine) {
      const { attempt, run } = await units.newest(machine, label);
      if (run.state === 'absent') return run;
      if (run.state === 'running') return { ...run, attempt };
      const isTimedOut = run.lastLines.at(-1)?.startsWith(timedOutLine) === true;
      return { ...run, attempt, isTimedOut };
    },
    async run(machine, script) {
      const command = { label, title: titleOf(script), text: hookProgram(script) };
      try {
        await units.run(machine, command);
      } catch (error) {
        // It ended badly: whoever looks is told how.
        if (!(error instanceof Transient) || error.report.code !== 'UNIT-001') throw error;
      }
    },
    async send({ url, authority, id, body, signingKey, timeout }) {
      await sendWebhook(
        { server: url, ...(authority === undefined ? {} : { authority }), id, body, signingKey },
        { notAnAddress: 'HOOK-003', notTaken: 'HOOK-004' },
        reach,
        AbortSignal.any([signal(), AbortSignal.timeout(timeout)]),
      );
    },
  };
}

const titleOf = ({ hook }: HookScript): string => `hook ${hook}`;
