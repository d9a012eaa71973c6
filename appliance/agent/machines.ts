import type { Duplex } from 'node:stream';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import { Transient } from '../../provisioners/contract/problem.ts';
import type { Duration } from '../../provisioners/contract/time.ts';
import type { ProgramResult } from './ssh/connection.ts';
import type { MachinePool } from './ssh/pool.ts';
import type { Program } from './ssh/program.ts';

/** On whose behalf machines are touched. */
export interface MachinesOptions {
  readonly pool: MachinePool;
  /** The cluster's SSH key, opened when first needed. */
  readonly privateKey: () => Promise<string>;
  /** Sent with every change. */
  readonly epoch: number;
  readonly signal: () => AbortSignal;
}

/** The machines of one cluster, for one attempt or question: the key, the epoch and the signal go along by themselves. */
export class Machines {
  readonly #options: MachinesOptions;

  constructor(options: MachinesOptions) {
    this.#options = options;
  }

  /** The same machines by another key than the cluster's own: where that is not let in yet. */
  by(privateKey: string): Machines {
    return new Machines({ ...this.#options, privateKey: async () => privateKey });
  }

  /** The epoch that is sent with every change. */
  get epoch(): number {
    return this.#options.epoch;
  }

  /** Connects or finds the connection; answers this end's address, which is where the machine reaches us. */
  async reach(machine: MachineRef): Promise<string> {
    const connection = await this.#options.pool.connect(machine, await this.#options.privateKey());
    return connection.localAddress;
  }

  /** Forgets the connection. */
  async drop(machine: MachineRef): Promise<void> {
    await this.#options.pool.drop(machine);
  }

  /** Runs a program that only looks. The exit code is the caller's business. */
  async look(machine: MachineRef, program: Program, patience?: Duration): Promise<ProgramResult> {
    return this.#run(machine, program, patience);
  }

  /** Runs a program that changes the machine, under the epoch check. The exit code is the caller's business. */
  async change(machine: MachineRef, program: Program, patience?: Duration): Promise<ProgramResult> {
    return this.#run(machine, { ...program, epoch: this.#options.epoch }, patience);
  }

  /** As {@link look}, for programs whose only good end is exit code 0. `what` says what it was for. */
  async ask(machine: MachineRef, what: string, program: Program, patience?: Duration): Promise<string> {
    return outputOf(machine, what, await this.look(machine, program, patience));
  }

  /** As {@link change}, for programs whose only good end is exit code 0. */
  async make(machine: MachineRef, what: string, program: Program, patience?: Duration): Promise<string> {
    return outputOf(machine, what, await this.change(machine, program, patience));
  }

  /** A stream to a port as the machine itself sees it. */
  async forward(machine: MachineRef, host: string, port: number): Promise<Duplex> {
    return this.#options.pool.forward(machine, await this.#options.privateKey(), host, port);
  }

  async #run(machine: MachineRef, program: Program, patience: Duration | undefined): Promise<ProgramResult> {
    return this.#options.pool.run(machine, await this.#options.privateKey(), program, {
      signal: this.#options.signal(),
      ...(patience === undefined ? {} : { patience }),
    });
  }
}

function outputOf(machine: MachineRef, what: string, result: ProgramResult): string {
  if (result.exitCode === 0) return result.stdout.toString('utf8');
  const lastLines = result.stderr.trim().split('\n').slice(-10);
  throw new Transient(
    'SSH-007',
    `On ${machine.name}, ${what} did not work (exit code ${result.exitCode}): ${lastLines.at(-1) ?? ''}`,
    {
      machine: machine.name,
      command: what,
      lastLines,
    },
  );
}
