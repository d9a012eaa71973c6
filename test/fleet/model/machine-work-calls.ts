import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import type { KubeadmCommand } from '../../../provisioners/contract/ports/kubeadm.ts';
import type {
  PayloadRole,
  PayloadShare,
  PayloadSummary,
} from '../../../provisioners/contract/ports/payload.ts';
import type { UnitRun } from '../../../provisioners/contract/ports/host.ts';
import { Blocked, Transient } from '../../../provisioners/contract/problem.ts';
import { changing, connect, connectToChange, reading } from './call.ts';
import type { Caller, Fleet } from './fleet.ts';
import { isMaster } from './kubeadm-phase.ts';
import { runningUnit, type ModelMachine, type ModelUnit } from './machine.ts';
import { probeImage } from '../../../provisioners/kubernetes/versions.ts';

interface OnMachine {
  readonly machine: MachineRef;
}

const ownerOf = (by: Caller): string => `${by.operation}/${by.step}`;

/** The newest unit of this step with this verb, whichever attempt started it. */
function unitOf(machine: ModelMachine, verb: string, by: Caller): ModelUnit | undefined {
  return [...machine.units.values()].findLast((unit) => unit.verb === verb && unit.owner === ownerOf(by));
}

function runOf(unit: ModelUnit | undefined): UnitRun {
  if (unit === undefined) return { state: 'absent' };
  const lastLines = unit.lines.slice(-20);
  if (unit.ended !== undefined) return { state: 'ended', exitCode: unit.ended.exitCode, lastLines };
  return {
    state: 'running',
    since: new Date(unit.startedAt).toISOString(),
    lastLine: unit.lines.at(-1) ?? '',
  };
}

/** KubeadmPort's primitives: a command is a unit on the machine, started and looked at. */
export const kubeadmCalls = {
  'kubeadm.observe': reading(40, (fleet, given: OnMachine & { readonly verb: KubeadmCommand['verb'] }, by) =>
    runOf(unitOf(connect(fleet, given.machine), given.verb, by)),
  ),
  'kubeadm.start': changing(
    60,
    (fleet, given: OnMachine & { readonly command: KubeadmCommand }, by): UnitRun => {
      const machine = connectToChange(fleet, given.machine, by);
      const running = runningUnit(machine);
      if (running !== undefined) {
        if (running.owner === ownerOf(by) && running.verb === given.command.verb) return runOf(running);
        fleet.violate('second-kubeadm', `${ownerOf(by)} on ${machine.name} while ${running.name} runs`);
        throw new Transient('UNIT-001', `${running.name} already runs on ${machine.name}`, {
          machine: machine.name,
        });
      }
      const unit = newUnit(fleet, machine, given.command, by);
      if (unit.verb === 'join' && isMaster(unit)) accuseOfHaste(fleet, machine);
      fleet.startUnit(machine, unit);
      fleet.changed(`kubeadm.start ${given.command.verb}`, machine.name, by);
      return { state: 'running', since: new Date(fleet.now).toISOString(), lastLine: '' };
    },
  ),
  'kubeadm.lines': reading(
    40,
    (fleet, given: OnMachine & { readonly verb: string; readonly from: number }, by): string[] =>
      unitOf(connect(fleet, given.machine), given.verb, by)?.lines.slice(given.from) ?? [],
  ),
};

/** Masters join one at a time: nobody begins while kubeadm runs on another, or a member of another is no voter yet. */
function accuseOfHaste(fleet: Fleet, machine: ModelMachine): void {
  const { machines, etcd, isEtcdApart } = fleet.clusterOf(machine);
  const others = [...machines.values()].filter((other) => other !== machine);
  const atWork = others.filter((other) => {
    const unit = runningUnit(other);
    return unit !== undefined && unit.verb !== 'reset' && isMaster(unit);
  });
  const members = isEtcdApart ? [] : etcd.members;
  const unready = members.filter(
    (member) => member.machine !== machine.name && (!member.started || member.learner),
  );
  const inTheWay = [...atWork.map(({ name }) => name), ...unready.map((member) => member.machine)];
  if (inTheWay.length > 0)
    fleet.violate('two-masters-joining', `${machine.name} beside ${inTheWay.join(', ')}`);
}

/** What a command is told: the content of its file, or the version that it brings. */
function configOf(machine: ModelMachine, command: KubeadmCommand): string {
  if (command.verb === 'upgrade') return command.kubernetesVersion;
  return 'config' in command ? (machine.files.get(command.config)?.content ?? '') : '';
}

/** An upgrade is made by the kubeadm of the version that it brings. */
const hasKubeadm = (machine: ModelMachine, command: KubeadmCommand): boolean =>
  command.verb !== 'upgrade' || machine.staged.has(bare(command.kubernetesVersion));

function newUnit(fleet: Fleet, machine: ModelMachine, command: KubeadmCommand, by: Caller): ModelUnit {
  if (machine.payloads.size === 0 || !hasKubeadm(machine, command))
    throw new Transient('UNIT-002', `kubeadm: command not found on ${machine.name}`, {
      machine: machine.name,
    });
  return {
    name: `remuda-${ownerOf(by).replaceAll('/', '-')}-${command.verb}-${by.attempt}-${fleet.now}`,
    verb: command.verb,
    config: configOf(machine, command),
    skipPhases: 'skipPhases' in command ? command.skipPhases : [],
    phases: 'phases' in command ? command.phases : [],
    ignored: 'ignorePreflightErrors' in command ? command.ignorePreflightErrors : [],
    keepsCertificates: 'keepsCertificates' in command && command.keepsCertificates === true,
    startedAt: fleet.now,
    startedBy: `${ownerOf(by)}#${by.attempt}`,
    phase: 0,
    looks: 0,
    phaseSince: fleet.now,
    lines: [],
    owner: ownerOf(by),
  };
}

/** Versions the model's payload cache holds. */
export const payloadVersions: readonly string[] = ['1.20.2', '1.20.3', '1.37.1', '1.36.3', '1.35.6'];

/** Image names in a payload of the model: kubeadm's own, and the add-ons'. */
const images = (version: string): string[] => [
  ...['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'].map(
    (name) => `registry.k8s.io/${name}:v${version}`,
  ),
  'remuda.dev/lab/etcd:3.4.23',
  'registry.k8s.io/pause:3.2',
  'remuda.dev/lab/routed-bridge:1',
  'remuda.dev/lab/cluster-dns:1',
  probeImage(version),
];

const bare = (version: string): string => version.replace(/^v/, '');
/** Time an installation takes, ms of model time. */
const installTime = 12_000;

function finishInstall(fleet: Fleet, machine: ModelMachine): void {
  const { installing } = machine;
  if (installing === undefined || fleet.now - installing.since < installTime * machine.slowness) return;
  const [version = '', role = '', share = 'whole'] = installing.key.split(' ');
  delete machine.installing;
  if (fleet.faults.strikes('corrupt-payload', machine.name)) {
    machine.damaged = [`kubelet (sha256 is not the manifest's)`];
    return;
  }
  machine.damaged = [];
  if (machine.diskFull) return;
  machine.staged.add(version);
  if (share === 'beside') return;
  // What was there before stays as images; its files make room.
  machine.payloads.delete(version);
  machine.payloads.set(version, role);
}

/** PayloadPort's primitives. */
export const payloadCalls = {
  'payload.summary': reading(5, (_fleet, given: { readonly version: string }): PayloadSummary => {
    const version = bare(given.version);
    if (!payloadVersions.includes(version))
      throw new Blocked('PAYLOAD-001', `There is no payload for Kubernetes ${version} on board`, {
        remedy: `remuda payload fetch ${version}`,
      });
    return {
      name: `model-${version}`,
      kubernetesVersion: `v${version}`,
      flavour: 'lab',
      images: images(version),
      digest: createHash('sha256').update(version).digest('hex'),
    };
  }),
  'payload.observe': reading(
    120,
    (
      fleet,
      given: OnMachine & {
        readonly version: string;
        readonly role: PayloadRole;
        readonly share?: PayloadShare;
      },
    ) => {
      const machine = connect(fleet, given.machine);
      finishInstall(fleet, machine);
      if (machine.installing !== undefined)
        return {
          state: 'installing' as const,
          since: new Date(machine.installing.since).toISOString(),
          lastLine: 'unpacking images',
        };
      if (given.share === 'beside' && machine.staged.has(bare(given.version)))
        return { state: 'present' as const };
      const isInPlace = [...machine.payloads.keys()].at(-1) === bare(given.version);
      const role = isInPlace ? machine.payloads.get(bare(given.version)) : undefined;
      if (role === given.role || role === 'control-plane') return { state: 'present' as const };
      const bareMachine = ['kubelet', 'kubeadm', 'images'];
      const missing = role === undefined ? bareMachine : ['images of the control plane'];
      return { state: 'absent' as const, missing: machine.damaged.length > 0 ? machine.damaged : missing };
    },
  ),
  'payload.start': changing(
    60,
    (
      fleet,
      given: OnMachine & {
        readonly version: string;
        readonly role: PayloadRole;
        readonly share?: PayloadShare;
      },
      by,
    ) => {
      const machine = connectToChange(fleet, given.machine, by);
      fleet.needSpace(machine);
      finishInstall(fleet, machine);
      if (machine.installing !== undefined) return null;
      const { role, share = 'whole' } = given;
      machine.installing = { key: `${bare(given.version)} ${role} ${share}`, since: fleet.now };
      const what = share === 'whole' ? 'payload' : 'payload beside';
      fleet.births.push(`${what} ${bare(given.version)} ${machine.name}`);
      fleet.changed('payload.start', machine.name, by);
      return null;
    },
  ),
  'payload.text': reading(5, (_fleet, given: { readonly version: string; readonly path: string }) => {
    if (posix.normalize(given.path) !== given.path || given.path.startsWith('..'))
      throw new Error(`the manifest names no ${given.path}`);
    return `# ${given.path} of ${given.version}\n`;
  }),
};
