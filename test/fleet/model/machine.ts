import type { CreateMachine } from '../../../provisioners/contract/provider.ts';
import type { ModelHookRun } from './hook-calls.ts';

/** A command on a machine as a transient systemd unit: it goes on in model time whoever is alive to see it. */
export interface ModelUnit {
  readonly name: string;
  readonly verb: string;
  /** Content of the config file when it was started. */
  readonly config: string;
  readonly skipPhases: readonly string[];
  /** Single phases of init that it runs, where it is no whole command. */
  readonly phases: readonly string[];
  /** Ids of kubeadm's preflight errors to overlook. */
  readonly ignored: readonly string[];
  /** An upgrade that leaves the certificates of what it exchanges as they are. */
  readonly keepsCertificates: boolean;
  readonly startedAt: number;
  readonly startedBy: string;
  /** Index of the phase that runs, and how often that phase has looked. */
  phase: number;
  looks: number;
  phaseSince: number;
  lines: string[];
  ended?: { readonly exitCode: number; readonly at: number };
  /** Operation and step it was started for: an adapter attaches to its own step's unit. */
  readonly owner: string;
}

/** A systemd service on a machine. */
export interface ModelService {
  active: boolean;
  enabled: boolean;
  since: number;
  failed?: string;
}

/** A file on a machine. */
export interface ModelFile {
  readonly content: string;
  readonly mode: number;
  /** When it last changed, and what it held before; absent when nobody has to know. */
  readonly changed?: FileChange;
}

/** One change of a file, and the one before it. */
export interface FileChange {
  readonly at: number;
  readonly from: string;
  readonly before?: FileChange;
}

/** A file as it is written over what was there. */
export function written(old: ModelFile | undefined, content: string, mode: number, now: number): ModelFile {
  const before = old?.changed;
  return {
    content,
    mode,
    changed: { at: now, from: old?.content ?? '', ...(before === undefined ? {} : { before }) },
  };
}

/** One machine: everything on it is data, so that a crash of anybody else changes nothing here. */
export interface ModelMachine {
  readonly name: string;
  readonly token: string;
  readonly incarnation: number;
  readonly cluster: CreateMachine['cluster'];
  readonly role: CreateMachine['role'];
  readonly shape: CreateMachine['shape'];
  readonly labels: Readonly<Record<string, string>>;
  /** Public keys that may log in. */
  readonly authorizedKeys: Set<string>;
  readonly id: string;
  readonly address: string;
  readonly createdAt: number;
  /** Model time when sshd answers; power off makes it infinite. */
  bootedAt: number;
  power: 'on' | 'off';
  readonly provisionalHostKey: string;
  ownHostKey?: string;
  /** The key that sshd shows. */
  shownHostKey: string;
  hostname: string;
  modules: string[];
  sysctls: Record<string, string>;
  hosts: Record<string, readonly string[]>;
  readonly files: Map<string, ModelFile>;
  readonly services: Map<string, ModelService>;
  readonly units: Map<string, ModelUnit>;
  /** Version → role of payloads wholly installed. */
  readonly payloads: Map<string, string>;
  /** Versions whose images and kubeadm lie beside what runs. */
  readonly staged: Set<string>;
  /** Installation under way. */
  installing?: { readonly key: string; readonly since: number };
  /** An installed file was damaged on its way; what is named here fails its digest. */
  damaged: string[];
  diskFull: boolean;
  clockOffset: number;
  slowness: number;
  /** kubernetes#99305: kubelet turned the etcd static pod away and needs a restart. */
  isPodRejected: boolean;
  /** Its kubelet was started and has not been answered by an API server since. */
  isRegistering: boolean;
  /** When kubelet last (re)started its static pods. */
  staticPodsSince: number;
  /** When the process of one static pod was started again by itself. */
  readonly restarted: Map<string, number>;
  /** etcd of this joiner will never start: a fault that a reset ends. */
  isJoinerDead: boolean;
  /** This joiner's learner never catches up: a fault that a reset ends. */
  isLearnerStuck: boolean;
  /** When the machine or its kubelet went down, while it is. */
  downSince: number | undefined;
  /** Highest epoch of an agent that changed something here: older ones are refused (DESIGN §5). */
  epoch: number;
  /** Scripts of users' hooks, oldest first. */
  hookRuns?: ModelHookRun[];
}

/** A machine as its provider makes it: an image, an address, a provisional host key. */
export function newMachine(
  request: CreateMachine,
  id: string,
  address: string,
  now: number,
  boot: number,
): ModelMachine {
  const key = hostKey(`provisional ${request.name} ${request.incarnation}`);
  return {
    name: request.name,
    token: request.token,
    incarnation: request.incarnation,
    cluster: request.cluster,
    role: request.role,
    shape: request.shape,
    labels: request.labels,
    authorizedKeys: new Set([request.authorizedKey]),
    id,
    address,
    createdAt: now,
    bootedAt: now + boot,
    power: 'on',
    provisionalHostKey: key,
    shownHostKey: key,
    hostname: 'image',
    modules: [],
    sysctls: {},
    hosts: {},
    files: new Map(),
    services: new Map(),
    units: new Map(),
    payloads: new Map(),
    staged: new Set(),
    damaged: [],
    diskFull: false,
    clockOffset: 0,
    slowness: 1,
    isPodRejected: false,
    isRegistering: false,
    staticPodsSince: 0,
    restarted: new Map(),
    isJoinerDead: false,
    isLearnerStuck: false,
    downSince: undefined,
    epoch: 0,
  };
}

/** An OpenSSH host key line that is plainly a model's: base64 of a readable text. */
export const hostKey = (text: string): string =>
  `ssh-ed25519 ${Buffer.from(`model ${text}`).toString('base64')}`;

/** Whether the machine is up at this time. */
export const isUp = (machine: ModelMachine, now: number): boolean =>
  machine.power === 'on' && machine.bootedAt <= now;

/** Whether a service runs on it now. */
export const isServing = (machine: ModelMachine, unit: string, now: number): boolean =>
  isUp(machine, now) && machine.services.get(unit)?.active === true;

/** The command that runs on the machine, if one does. */
export function runningUnit(machine: ModelMachine): ModelUnit | undefined {
  for (const unit of machine.units.values()) if (unit.ended === undefined) return unit;
  return undefined;
}

/** When the kubelet last started the process of a static pod. */
export const startedAt = (machine: ModelMachine, component: string): number =>
  Math.max(machine.staticPodsSince, machine.restarted.get(component) ?? 0);

/** Whether a file lies in a folder, or is it. */
export const isUnder = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(`${folder}/`);
