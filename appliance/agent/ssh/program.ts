/**
 * Programs that run on machines. They travel on standard input, with their variables: nothing of them, and so no
 * secret, ever stands in an argument list that other users of the machine can read.
 */

/** A text as one word of the shell (POSIX.1-2017, 2.2.2 Single-Quotes). */
export function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A shell program, and what it needs to know. */
export interface Program {
  readonly text: string;
  /** Set before the program starts. */
  readonly variables?: Readonly<Record<string, string>>;
  /** What the program reads from its standard input. */
  readonly input?: string | Buffer;
  /** Set for programs that change the machine: refused there when the machine has seen a newer epoch. */
  readonly epoch?: number;
}

/** Exit status of a program that was refused because of its epoch (sysexits.h: EX_CONFIG is not used by bash). */
export const epochRefused = 78;

/**
 * Where a machine remembers the newest epoch it has seen, and the check that every change begins with. The lock makes
 * look and write one act.
 */
const epochGuard = `
mkdir -p /var/lib/remuda /run/remuda
exec 7>/run/remuda/epoch.lock; flock 7
seen=$(cat /var/lib/remuda/epoch 2>/dev/null || echo 0)
if [ "$seen" -gt "$epoch" ]; then echo "this machine has seen epoch $seen" >&2; exit ${epochRefused}; fi
if [ "$seen" -lt "$epoch" ]; then
  echo "$epoch" > /var/lib/remuda/epoch.new; sync /var/lib/remuda/epoch.new
  mv /var/lib/remuda/epoch.new /var/lib/remuda/epoch
fi
exec 7>&-
`;

/** The command of every channel: it reads the program up to a NUL, and leaves the rest of its input to it. */
export const channelCommand = `exec /bin/bash -c 'IFS= read -r -d "" program; eval "$program"' remuda`;

/** The same for a user who is not root. */
export const channelCommandAsUser = `exec sudo -n /bin/bash -c 'IFS= read -r -d "" program; eval "$program"' remuda`;

/** What is written to the channel's standard input before the program's own input. */
export function preamble(program: Program): Buffer {
  const variables = {
    ...program.variables,
    ...(program.epoch === undefined ? {} : { epoch: `${program.epoch}` }),
  };
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${quote(value)}`);
  const guard = program.epoch === undefined ? '' : epochGuard;
  const lines = [
    'set -u',
    'umask 022',
    'export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'export LC_ALL=C HOME=/root',
  ];
  return Buffer.from(`${[...lines, ...assignments, guard, program.text].join('\n')}\n\0`);
}
