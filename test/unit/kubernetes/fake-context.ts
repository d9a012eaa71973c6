import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import type { EtcdMember } from '../../../provisioners/contract/observed.ts';
import type { FileContent } from '../../../provisioners/contract/ports/file.ts';
import type { KubeadmCommand } from '../../../provisioners/contract/ports/kubeadm.ts';
import type { KubernetesObject } from '../../../provisioners/contract/ports/kubernetes.ts';
import type { UnitRun } from '../../../provisioners/contract/ports/host.ts';
import { Transient } from '../../../provisioners/contract/problem.ts';
import type { HostFacts } from '../../../provisioners/contract/preflight.ts';
import type { ClusterKeys } from '../../../provisioners/contract/secrets.ts';
import type { StepContext } from '../../../provisioners/contract/step.ts';

/** Keys that open nothing; every value is a word that must never be seen in a log. */
export const fakeKeys: ClusterKeys = {
  kubernetes: { certificate: 'CA-CERTIFICATE', key: 'CA-KEY-CANARY' },
  etcd: { certificate: 'ETCD-CERTIFICATE', key: 'ETCD-KEY-CANARY' },
  frontProxy: { certificate: 'PROXY-CERTIFICATE', key: 'PROXY-KEY-CANARY' },
  serviceAccount: { publicKey: 'SA-PUBLIC', privateKey: 'SA-KEY-CANARY' },
  encryptionKey: 'ENCRYPTION-CANARY',
  bootstrapToken: 'abcdef.TOKENCANARY00001',
  vrrpPassword: 'VRRPCANA',
  sshPrivateKey: 'SSH-CANARY',
  sshPublicKey: 'ssh-ed25519 AAAA',
};

/** A machine of the tests. */
export const machineNamed = (name: string, address = '10.0.0.11'): MachineRef => ({
  name,
  address,
  port: 22,
  user: 'root',
  hostKeys: ['ssh-ed25519 OWN'],
});

/** A member of etcd that is well, unless said otherwise. */
export const memberNamed = (name: string, address: string, more: Partial<EtcdMember> = {}): EtcdMember => ({
  id: `id-${name}`,
  name,
  peerURLs: [`https://${address}:2380`],
  started: true,
  learner: false,
  healthy: true,
  leader: false,
  ...more,
});

/** Key of an object in the fake API. */
const keyOf = (object: { kind: string; metadata?: { name: string }; name?: string }): string =>
  `${object.kind}/${object.metadata?.name ?? object.name ?? ''}`;

/**
 * One machine and one cluster as plain fields, with the calls that change them recorded. A fake for step tests only: it
 * knows nothing of how kubeadm or etcd behave; each test says what there is.
 */
export class FakeWorld {
  files = new Map<string, FileContent>();
  objects = new Map<string, KubernetesObject>();
  members: EtcdMember[] = [];
  /** No quorum: etcd does not answer. */
  isEtcdSilent = false;
  /** No API server answers. */
  isApiSilent = false;
  readyMasters = new Map<string, string>();
  units = new Map<string, { active: boolean; enabled: boolean }>();
  journal: string[] = [];
  kubeadm: UnitRun = { state: 'absent' };
  /** What happened, in order. */
  calls: string[] = [];
  commands: KubeadmCommand[] = [];
  logs: string[] = [];
  /** What a look at the machine as such answers. */
  facts: Partial<HostFacts> = {};
  clock = Date.parse('2026-11-21T05:00:00.000Z');
  /** What a kubeadm run does to this world. */
  onKubeadm: (command: KubeadmCommand, whileRunning?: () => Promise<void>) => Promise<void> = async () => {};

  context(): StepContext {
    const parts: Partial<Record<keyof StepContext, unknown>> = {
      host: { facts: async () => this.facts },
      file: this.#filePort(),
      service: this.#servicePort(),
      kubeadm: this.#kubeadmPort(),
      etcd: this.#etcdPort(),
      kubernetes: this.#kubernetesPort(),
      secrets: { clusterKeys: async () => fakeKeys },
      cluster: { uid: 'uid-1', name: 'c' },
      now: () => new Date(this.clock).toISOString(),
      sleep: async (duration: number) => {
        this.clock += duration;
      },
      log: (text: string) => this.logs.push(text),
      progress: () => {},
      waiting: () => {},
      signal: new AbortController().signal,
    };
    // Steps under test use these ports and no others; a missing one fails the test by name.
    return parts as StepContext;
  }

  #filePort() {
    return {
      differ: async (_machine: MachineRef, files: readonly FileContent[]) =>
        files
          .filter(({ path, content, mode }) => {
            const found = this.files.get(path);
            return found?.content !== content || found.mode !== mode;
          })
          .map(({ path }) => ({ path, why: this.files.has(path) ? 'other content' : 'missing' })),
      write: async (_machine: MachineRef, files: readonly FileContent[]) => {
        for (const file of files) {
          this.files.set(file.path, file);
          this.calls.push(`write ${file.path}`);
        }
      },
      read: async (_machine: MachineRef, path: string) => this.files.get(path)?.content,
      exist: async (_machine: MachineRef, paths: readonly string[]) =>
        new Set(paths.filter((path) => this.files.has(path))),
      remove: async (_machine: MachineRef, paths: readonly string[]) => {
        for (const path of paths) this.files.delete(path);
      },
    };
  }

  #servicePort() {
    const set = (unit: string, active: boolean): void => {
      this.units.set(unit, { active, enabled: active });
    };
    return {
      state: async (_machine: MachineRef, units: readonly string[]) =>
        units.map((unit) => {
          const state = this.units.get(unit) ?? { active: false, enabled: false };
          return { unit, ...state, detail: state.active ? 'active (running)' : 'inactive (dead)' };
        }),
      start: async (_machine: MachineRef, unit: string) => {
        this.calls.push(`start ${unit}`);
        set(unit, true);
      },
      reload: async (_machine: MachineRef, unit: string) => {
        this.calls.push(`reload ${unit}`);
      },
      restart: async (_machine: MachineRef, unit: string) => {
        this.calls.push(`restart ${unit}`);
        set(unit, true);
      },
      stop: async (_machine: MachineRef, unit: string) => set(unit, false),
      journal: async () => this.journal,
    };
  }

  #kubeadmPort() {
    return {
      observe: async () => this.kubeadm,
      run: async (_machine: MachineRef, command: KubeadmCommand, whileRunning?: () => Promise<void>) => {
        this.calls.push(`kubeadm ${command.verb}`);
        this.commands.push(command);
        await this.onKubeadm(command, whileRunning);
      },
    };
  }

  #etcdPort() {
    return {
      members: async () => {
        if (this.isEtcdSilent) throw new Transient('ETCD-001', 'no member answered');
        return this.members;
      },
      removeMember: async (_access: unknown, id: string) => {
        this.calls.push(`remove member ${id}`);
        this.members = this.members.filter((member) => member.id !== id);
      },
      moveLeader: async (_access: unknown, to: string) => {
        this.calls.push(`move leader to ${to}`);
      },
    };
  }

  #kubernetesPort() {
    return {
      version: async (_access: unknown, master: MachineRef) => this.readyMasters.get(master.name),
      get: async (_access: unknown, reference: { kind: string; name: string }) => {
        if (this.isApiSilent) throw new Transient('KUBE-001', 'no master answered');
        return this.objects.get(keyOf(reference));
      },
      list: async (_access: unknown, of: { kind: string }) =>
        [...this.objects.values()].filter(({ kind }) => kind === of.kind),
      apply: async (_access: unknown, objects: readonly KubernetesObject[]) => {
        for (const object of objects) {
          this.calls.push(`apply ${keyOf(object)}`);
          this.objects.set(keyOf(object), object);
        }
      },
      remove: async (_access: unknown, reference: { kind: string; name: string }) => {
        this.calls.push(`remove ${keyOf(reference)}`);
        this.objects.delete(keyOf(reference));
      },
    };
  }
}
