import { z } from 'zod';
import {
  type EtcdDataPort,
  type EtcdDataState,
  type EtcdDataStatus,
  type RestoredData,
  restoreKeySchema,
} from '../../../provisioners/contract/etcd-data.ts';
import type { ControlPlaneComponent } from '../../../provisioners/contract/control-plane.ts';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import type { HostPort } from '../../../provisioners/contract/ports/host.ts';
import { Blocked, Transient } from '../../../provisioners/contract/problem.ts';
import { minutes } from '../../../provisioners/contract/time.ts';
import { componentsOf } from '../../../provisioners/kubernetes/kubeadm-certificates.ts';
import type { Machines } from '../machines.ts';
import { quote } from '../ssh/program.ts';
import type { Units } from '../units.ts';
import {
  finishPiecesProgram,
  lookProgram,
  restoreProgram,
  setAsideProgram,
  statusProgram,
  takePieceProgram,
} from './etcd-data-programs.ts';

/** What the port is made of. */
export interface EtcdDataOptions {
  readonly machines: Pick<Machines, 'ask' | 'make'>;
  /** Commands as transient units: moving gigabytes takes its time. */
  readonly units: Pick<Units, 'run'>;
  readonly components: HostPort['components'];
  /** Where etcd keeps its data, and where restores keep theirs. Default: kubeadm's and Remuda's own. */
  readonly folders?: { readonly data: string; readonly restores: string };
}

/** Bytes that travel at once: a lost line costs no more than that. */
const pieceSize = 8 * 1024 * 1024;

/** A line of 30 kB a second. */
const piecePatience = minutes(5);

/** Reading some gigabytes from a slow disk once. */
const readingPatience = minutes(30);

const statusSchema = z.object({ revision: z.number(), totalKey: z.number(), totalSize: z.number() });
const restoredSchema = z.object({ at: z.string(), isBumped: z.boolean(), status: statusSchema });

const statusOf = ({ revision, totalKey, totalSize }: z.infer<typeof statusSchema>): EtcdDataStatus => ({
  revision,
  keys: totalKey,
  bytes: totalSize,
});

/** The data of stopped etcd members, with etcd's own tool, on the machines where they lie. */
export function createEtcdDataPort(options: EtcdDataOptions): EtcdDataPort {
  const {
    machines,
    units,
    folders = { data: '/var/lib/etcd', restores: '/var/lib/remuda/restore' },
  } = options;
  /** Nothing of a plan ever leads out of the folder of restores. */
  const known = (restore: string): Readonly<Record<string, string>> => ({
    data: folders.data,
    folder: `${folders.restores}/${restoreKeySchema.parse(restore)}`,
    restore,
  });
  const look = async (machine: MachineRef, restore: string): Promise<EtcdDataState> => {
    const program = { text: lookProgram, variables: known(restore) };
    return stateOf(await machines.ask(machine, "looking at etcd's data", program));
  };
  return {
    look,
    async place(machine, restore, { sha256, data }) {
      if ((await look(machine, restore)).snapshot === sha256) return;
      let offset = 0;
      for await (const input of piecesOf(data)) {
        const variables = { ...known(restore), offset: `${offset}` };
        const program = { text: takePieceProgram, variables, input };
        await machines.make(machine, 'laying a snapshot down', program, piecePatience);
        offset += input.length;
      }
      const program = { text: finishPiecesProgram, variables: { ...known(restore), sha256 } };
      await machines.make(machine, 'comparing the snapshot that was laid down', program, readingPatience);
    },
    async status(machine, restore) {
      const program = { text: statusProgram, variables: known(restore) };
      const said = await machines.make(machine, 'checking the snapshot', program, readingPatience);
      return statusOf(statusSchema.parse(jsonOf(said, machine)));
    },
    async setAside(machine, restore) {
      const seen = await look(machine, restore);
      if (seen.isSetAside) return;
      if (seen.hasData) await requireStopped(options, machine);
      await units.run(machine, {
        label: 'etcd-set-aside',
        title: "setting etcd's data aside",
        text: withVariables(setAsideProgram, known(restore)),
      });
    },
    async restore(machine, restore, { source, name, peerURL: peer }) {
      const seen = await look(machine, restore);
      if (seen.restored !== undefined) return;
      if (!seen.isSetAside) throw notSetAside(machine);
      const variables = { ...known(restore), source, name, peer };
      await units.run(machine, {
        label: 'etcd-restore',
        title: "making etcd's new data",
        text: withVariables(restoreProgram, variables),
      });
    },
  };
}

const notSetAside = ({ name }: MachineRef): Blocked =>
  new Blocked('RESTORE-001', `etcd's data on ${name} was not set aside before`, {
    machine: name,
    remedy: 'Plan the restore again; if it happens again, report it. Nothing was changed.',
  });

/** A unit's program, which has no other way to be told. */
function withVariables(text: string, variables: Readonly<Record<string, string>>): string {
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${quote(value)}\n`);
  return `${assignments.join('')}${text}`;
}

const etcdComponent = (): ControlPlaneComponent => {
  const found = componentsOf(0).find(({ name }) => name === 'etcd');
  if (found === undefined) throw new Error('there is no component etcd');
  return found;
};

/** A process that has the files open would go on writing into them, wherever they are moved. */
async function requireStopped({ components }: EtcdDataOptions, machine: MachineRef): Promise<void> {
  const [state] = await components(machine, [etcdComponent()]);
  if (state?.running !== true) return;
  throw new Blocked('RESTORE-002', `etcd still runs on ${machine.name}: its data is not touched`, {
    machine: machine.name,
    awaits: `etcd on ${machine.name} to end`,
    remedy: `See why its process does not end there; the restore goes on by itself when it has.`,
  });
}

/** Pieces of equal size, whatever they come in. */
async function* piecesOf(data: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  let kept: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of data) {
    kept.push(chunk);
    size += chunk.length;
    if (size < pieceSize) continue;
    yield Buffer.concat(kept);
    kept = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(kept);
}

function stateOf(output: string): EtcdDataState {
  const words = new Map(
    output
      .split('\n')
      .filter((line) => line !== '')
      .map((line): [string, string] => {
        const at = line.indexOf(' ');
        return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
      }),
  );
  const snapshot = words.get('snapshot');
  const restored = words.get('restored');
  return {
    hasData: words.has('data'),
    dataBytes: Number(words.get('size') ?? 0),
    freeBytes: Number(words.get('free') ?? 0),
    isSetAside: words.has('set-aside'),
    hasAside: words.has('aside'),
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(restored === undefined ? {} : { restored: restoredOf(restored) }),
  };
}

function restoredOf(text: string): RestoredData {
  const { at, isBumped, status } = restoredSchema.parse(JSON.parse(text));
  return { at, isBumped, ...statusOf(status) };
}

function jsonOf(said: string, machine: MachineRef): unknown {
  const line = said.split('\n').findLast((text) => text.startsWith('{'));
  if (line === undefined)
    throw new Transient('RESTORE-003', `etcd's tool on ${machine.name} said nothing of the snapshot`, {
      machine: machine.name,
    });
  return JSON.parse(line);
}
