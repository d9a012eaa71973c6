import { createHash } from 'node:crypto';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { UnitRun } from '../../provisioners/contract/ports/host.ts';
import { Transient } from '../../provisioners/contract/problem.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { Machines } from './machines.ts';
import { followUnit, lookForUnit, startUnit } from './unit-programs.ts';
import type { Work } from './work.ts';

/** A command that changes a machine for longer than a moment. */
export interface UnitCommand {
  /** Tells commands of one step apart: `kubeadm-join`. */
  readonly label: string;
  /** The shell program; it lies on the machine in a file of mode 0600 while it runs. */
  readonly text: string;
  /** What a person reads of it in a problem: the command line, without secrets. */
  readonly title: string;
}

/** How often `whileRunning` is called, milliseconds. */
const betweenCures = 5000;

/**
 * Commands as transient systemd units: named by operation, step and attempt, under the machine's lock, with output and
 * exit status kept on the machine. Whoever comes back attaches to the one that runs; nobody starts a second.
 */
export class Units {
  readonly #machines: Machines;
  readonly #work: Work;

  constructor(machines: Machines, work: Work) {
    this.#machines = machines;
    this.#work = work;
  }

  /** What there is of such a command on the machine, from any attempt of this step; its new lines go to the log. */
  async observe(machine: MachineRef, label: string): Promise<UnitRun> {
    return (await this.newest(machine, label)).run;
  }

  /** As {@link observe}, with the attempt that started it; 0 when there is none. */
  async newest(
    machine: MachineRef,
    label: string,
  ): Promise<{ readonly attempt: number; readonly run: UnitRun }> {
    const found = await this.#machines.ask(machine, `looking for ${label}`, {
      text: lookForUnit,
      variables: { prefix: this.#prefix(label) },
    });
    const name = found.trim();
    if (name === '') return { attempt: 0, run: { state: 'absent' } };
    const attempt = Number(/-a(\d+)-t\d+$/.exec(name)?.[1] ?? 0);
    return { attempt, run: await this.#follow(machine, name, 0) };
  }

  /**
   * Starts the command, or attaches to the one that runs, and waits for its end.
   * @throws Transient UNIT-001 with the last lines when it ends with another exit code than 0.
   */
  async run(machine: MachineRef, command: UnitCommand, whileRunning?: () => Promise<void>): Promise<void> {
    const answer = await this.#machines.make(machine, `starting ${command.title}`, {
      text: startUnit,
      variables: {
        prefix: this.#prefix(command.label),
        name: this.#name(command.label),
        title: command.title,
      },
      input: command.text,
    });
    const [how, name] = answer.trim().split(' ');
    if (name === undefined) throw new Error(`systemd-run on ${machine.name} answered: ${answer}`);
    if (how === 'attached')
      this.#work.log(`${command.title} is already under way; attached to it`, machine.name);
    let curedAt = Date.now();
    for (;;) {
      const seen = await this.#follow(machine, name, 3000);
      if (seen.state === 'ended') {
        if (seen.exitCode === 0) return;
        throw failed(machine, command, seen);
      }
      if (seen.state === 'absent')
        throw new Transient('UNIT-002', `${command.title} vanished from ${machine.name} while it ran.`);
      if (whileRunning !== undefined && Date.now() - curedAt >= betweenCures) {
        await whileRunning();
        curedAt = Date.now();
      }
    }
  }

  /** Takes the lines that are new; waits on the machine for some, up to `wait` milliseconds. */
  async #follow(machine: MachineRef, name: string, wait: number): Promise<UnitRun> {
    let offset = this.#work.outputOffset(name);
    for (;;) {
      const result = await this.#machines.look(machine, {
        text: followUnit,
        variables: { name, offset: `${offset}`, turns: `${Math.ceil(wait / 200)}` },
      });
      const answer = parseFollow(result.stdout);
      if (answer === undefined) return { state: 'absent' };
      const isLast = answer.state === 'ended' && offset + answer.output.length >= answer.size;
      const { lines, taken } = wholeLines(answer.output, isLast);
      if (taken > 0) {
        offset += taken;
        this.#work.output(name, lines, offset, machine.name);
      }
      // More is there than one answer holds: take it all before telling the state.
      if (taken > 0 && offset < answer.size && (answer.state === 'ended' || answer.output.length >= chunk))
        continue;
      if (answer.state === 'ended')
        return { state: 'ended', exitCode: answer.exitCode, lastLines: answer.lastLines };
      return { state: 'running', since: answer.since, lastLine: answer.lastLines.at(-1) ?? '' };
    }
  }

  #prefix(label: string): string {
    const { operation, step } = this.#work.key;
    const hash = createHash('sha256')
      .update(JSON.stringify([operation, step, label]))
      .digest('hex');
    return `remuda-${hash.slice(0, 16)}-`;
  }

  /** At most 16 + 8 + 120 + 20 characters; systemd allows 255 (systemd.unit(5)). */
  #name(label: string): string {
    const { step, attempt } = this.#work.key;
    const readable = `${label}.${step}`.replaceAll(/[^A-Za-z0-9.]+/gu, '_').slice(0, 120);
    return `${this.#prefix(label)}${readable}-a${attempt}`;
  }
}

/** Bytes of output that one answer holds at most; the program on the machine cuts there. */
const chunk = 262_144;

interface FollowAnswer {
  readonly state: 'running' | 'ended';
  readonly exitCode: number;
  readonly since: Instant;
  /** Bytes of output there are by now. */
  readonly size: number;
  readonly lastLines: readonly string[];
  readonly output: Buffer;
}

/** Reads what the follow program printed: a header, the last lines, an empty line, the output. */
function parseFollow(stdout: Buffer): FollowAnswer | undefined {
  const headEnd = stdout.indexOf('\n');
  if (headEnd < 0) return undefined;
  const [state, exitCode, since, size, tailBytes] = stdout.subarray(0, headEnd).toString('utf8').split(' ');
  if (state !== 'running' && state !== 'ended') return undefined;
  const tailStart = headEnd + 1;
  const tailEnd = tailStart + Number(tailBytes);
  const lastLines = stdout.subarray(tailStart, tailEnd).toString('utf8').split('\n');
  return {
    state,
    exitCode: Number(exitCode),
    since: new Date(Number(since) * 1000).toISOString(),
    size: Number(size),
    lastLines: lastLines.filter((line) => line.trim() !== ''),
    output: stdout.subarray(tailEnd),
  };
}

/** The lines that are complete; at the very end also one without a line break. */
function wholeLines(
  output: Buffer,
  isLast: boolean,
): { readonly lines: readonly string[]; readonly taken: number } {
  const isCut = output.length >= chunk && !output.includes(0x0a);
  const end = isLast || isCut ? output.length : output.lastIndexOf(0x0a) + 1;
  if (end === 0) return { lines: [], taken: 0 };
  const text = output.subarray(0, end).toString('utf8');
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
  return { lines, taken: end };
}

function failed(
  machine: MachineRef,
  command: UnitCommand,
  run: { readonly exitCode: number; readonly lastLines: readonly string[] },
): Transient {
  const last = run.lastLines.at(-1) ?? 'it printed nothing';
  return new Transient(
    'UNIT-001',
    `${command.title} on ${machine.name} ended with exit code ${run.exitCode}: ${last}`,
    { machine: machine.name, command: command.title, lastLines: run.lastLines },
  );
}
