import { readdirSync, readFileSync } from 'node:fs';

/** A process that was seen. */
interface SeenProcess {
  readonly pid: number;
  readonly parent: number;
  readonly line: string;
  /** Path of its control group, which names the lab machine it runs on. */
  readonly group: string;
}

/** The fourth word of proc_pid_stat(5): the second is a name in brackets, which may hold spaces. */
const parentOf = (pid: string): number =>
  Number(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, '').trim().split(' ')[1]);

/** Looks at the command lines of the whole box while a story runs: any user of the machine could. */
export class ArgumentWatch {
  readonly #seen = new Map<string, SeenProcess>();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.look(), 500);
  }

  look(): void {
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        const key = `${pid} ${line}`;
        if (line === '' || this.#seen.has(key)) continue;
        const group = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
        this.#seen.set(key, { pid: Number(pid), parent: parentOf(pid), line, group });
      } catch {
        // It ended while it was looked at.
      }
    }
  }

  get all(): readonly SeenProcess[] {
    return [...this.#seen.values()];
  }

  /**
   * Processes of kubeadm with this verb on a lab machine, each once. Whatever starts a program is for a moment two
   * processes of one command line: the one that kubeadm is about to start is no second kubeadm.
   */
  kubeadm(verb: string, machine: string): SeenProcess[] {
    const found = this.all.filter(
      ({ line, group }) =>
        new RegExp(`^\\S*kubeadm ${verb}\\b`).test(line) &&
        new RegExp(`[/-]${machine}(\\.scope|/|$)`, 'm').test(group),
    );
    return found.filter(({ parent, line }) => !found.some((one) => one.pid === parent && one.line === line));
  }

  /** Begins anew: what was seen before does not count. */
  forget(): void {
    this.#seen.clear();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
