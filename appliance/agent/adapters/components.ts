import type { Duplex } from 'node:stream';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { ComponentState, ControlPlaneComponent } from '../../../provisioners/contract/control-plane.ts';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import type { HostPort } from '../../../provisioners/contract/ports/host.ts';
import { Transient } from '../../../provisioners/contract/problem.ts';
import type { ClientCertificates } from '../client-certificates.ts';
import type { Machines } from '../machines.ts';
import type { KeyPair } from '../pki.ts';
import { endAndFingerprint } from './certificates.ts';

/** A handshake on a machine that answers takes milliseconds. */
const patience = 5000;

/**
 * Finds processes: the program's name, an argument that it must have, and the machine's own network, in which static
 * pods of the control plane run and other pods do not. `start` is a process's start in clock ticks since boot
 * (proc(5), /proc/pid/stat, field 22); its name stands in parentheses before it and may hold anything.
 */
const findProgram = `
network=$(readlink "/proc/$$/ns/net")
find_processes() {
  local folder first
  for folder in /proc/[0-9]*; do
    first=; { IFS= read -r -d '' first < "$folder/cmdline"; } 2>/dev/null
    [ "\${first##*/}" = "$1" ] || continue
    tr '\\0' '\\n' 2>/dev/null < "$folder/cmdline" | grep -qxF -e "$2" || continue
    [ "$(readlink "$folder/ns/net" 2>/dev/null)" = "$network" ] && echo "\${folder#/proc/}"
  done
}
start() { { read -r line < "/proc/$1/stat"; } 2>/dev/null || return 1; set -- \${line##*) }; echo "\${20}"; }
`;

/**
 * For each line of $asked (name, argument, files): the name, whether it runs, and the files that changed since the
 * oldest process of that name started. Both are told by their ages, so that a clock that was set in between cannot make
 * an old process young.
 */
const lookProgram = `${findProgram}
ticks=$(getconf CLK_TCK)
while read -r name argument files; do
  oldest=
  for process in $(find_processes "$name" "$argument"); do
    began=$(start "$process") || continue
    if [ -z "$oldest" ] || [ "$began" -lt "$oldest" ]; then oldest=$began; fi
  done
  if [ -z "$oldest" ]; then echo "$name no"; continue; fi
  outdated=
  for file in $files; do
    changed=$(stat -L -c %.Y -- "$file" 2>/dev/null) || continue
    read -r up _ < /proc/uptime
    awk -v now="$(date +%s.%N)" -v changed="$changed" -v up="$up" -v began="$oldest" -v ticks="$ticks" \\
      'BEGIN { age = now - changed; exit !(age >= 0 && age < up - began / ticks) }' && outdated="$outdated $file"
  done
  echo "$name yes$outdated"
done <<< "$asked"
`;

/** Asks the processes to end as the kubelet does, and after half a minute insists (its usual grace period). */
const restartProgram = `${findProgram}
for process in $(find_processes "$name" "$argument"); do
  began=$(start "$process") || continue
  kill -TERM "$process" 2>/dev/null
  for turn in $(seq 350); do
    [ "$(start "$process")" = "$began" ] || break
    [ "$turn" != 300 ] || kill -KILL "$process" 2>/dev/null
    sleep 0.1
  done
  if [ "$(start "$process")" = "$began" ]; then echo "process $process of $name does not end" >&2; exit 1; fi
done
`;

/** The part of the host port that looks at the static pods of a master. */
export function createComponents(
  machines: Machines,
  certificates: ClientCertificates,
): Pick<HostPort, 'components' | 'restartComponent'> {
  return {
    async components(machine, asked) {
      const lines = asked.map(({ name, argument, files }) => [name, argument, ...files].join(' '));
      const [output, served] = await Promise.all([
        machines.ask(machine, 'looking at the control plane', {
          text: lookProgram,
          variables: { asked: lines.join('\n') },
        }),
        Promise.all(asked.map((component) => show(machines, certificates, machine, component))),
      ]);
      const seen = output.split('\n');
      return asked.map(({ name }, index) => stateOf(name, seen[index] ?? '', served[index]));
    },
    async restartComponent(machine, { name, argument }) {
      const program = { text: restartProgram, variables: { name, argument } };
      await machines.make(machine, `restarting ${name}`, program, 60_000);
    },
  };
}

type Served = NonNullable<ComponentState['served']>;

function stateOf(
  name: ControlPlaneComponent['name'],
  line: string,
  served: Served | undefined,
): ComponentState {
  const [, running, ...outdated] = line.split(' ');
  return { name, running: running === 'yes', outdated, ...(served === undefined ? {} : { served }) };
}

/** The certificate that a component shows; undefined when nobody answers there. A line that is down is thrown. */
async function show(
  machines: Machines,
  certificates: ClientCertificates,
  machine: MachineRef,
  { name, port }: ControlPlaneComponent,
): Promise<Served | undefined> {
  // etcd ends the handshake of whoever shows none.
  const client = name === 'etcd' ? (await certificates.etcd()).client : undefined;
  await machines.reach(machine);
  try {
    return await readServed(await machines.forward(machine, '127.0.0.1', port), client);
  } catch (error) {
    // The machine answers and the port does not: that is an answer.
    if (error instanceof Transient) return undefined;
    throw error;
  }
}

/** Reads what the other end shows and believes nothing of it: an expired certificate is just what is looked for. */
function readServed(stream: Duplex, client: KeyPair | undefined): Promise<Served | undefined> {
  return new Promise((resolve) => {
    const socket: TLSSocket = tlsConnect({
      socket: stream,
      rejectUnauthorized: false,
      servername: 'localhost',
      ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
    });
    const end = (served?: Served): void => {
      clearTimeout(timer);
      socket.destroy();
      stream.destroy();
      resolve(served);
    };
    const timer = setTimeout(end, patience);
    socket.once('error', () => end());
    socket.once('close', () => end());
    socket.once('secureConnect', () => {
      const shown = socket.getPeerX509Certificate();
      end(shown === undefined ? undefined : endAndFingerprint(shown));
    });
  });
}
