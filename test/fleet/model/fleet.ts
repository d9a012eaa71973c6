import { Transient, type Problem } from '../../../provisioners/contract/problem.ts';
import type { ClusterIdentity, MachineRef } from '../../../provisioners/contract/machine.ts';
import type { ModelBackup } from './backup-calls.ts';
import { ModelCluster, paths } from './cluster.ts';
import { modelEpoch } from './clock.ts';
import { accuseOfDistrust } from './distrust.ts';
import { FaultSchedule, type Fault } from './faults.ts';
import { kubeletStarted } from './in-place.ts';
import { lookAt, phasesOf } from './kubeadm.ts';
import { isUp, type ModelMachine, type ModelUnit } from './machine.ts';
import { TimedQueue } from './queue.ts';
import { registerAgain } from './registration.ts';
import { twoHolders } from './virtual-address.ts';

/** Who makes a call: an attempt of a step, of an agent with an epoch. */
export interface Caller {
  readonly operation: string;
  readonly step: string;
  readonly attempt: number;
  readonly epoch: number;
}

/** A call that changed something. */
export interface Effect {
  readonly at: number;
  readonly call: string;
  readonly target: string;
  readonly by: string;
}

/** Something that must never happen; a run with one is red, whatever its end. */
export interface Violation {
  readonly at: number;
  readonly kind: string;
  readonly detail: string;
}

type FleetEvent =
  | { readonly kind: 'unit'; readonly machine: ModelMachine; readonly unit: ModelUnit }
  | { readonly kind: 'refresh'; readonly cluster: ModelCluster }
  | {
      readonly kind: 'fault';
      readonly fault: Extract<Fault, { kind: 'machine-dies' }>;
      readonly back: boolean;
    };

/** How a fleet begins. */
export interface FleetOptions {
  readonly faults?: readonly Fault[];
  /** Time from create to sshd, ms (the lab: 2–4 s). */
  readonly boot?: number;
}

/**
 * The simulated fleet: machines, etcd, Kubernetes and a provider as data that changes only by calls and by the passing
 * of model time. It outlives every daemon and agent that looks at it, which is what a crash test needs of it.
 */
export class Fleet {
  readonly clusters = new Map<string, ModelCluster>();
  readonly byAddress = new Map<string, ModelMachine>();
  readonly faults: FaultSchedule;
  readonly boot: number;
  /** Version of the machines' control groups: kubelets refuse 1 from 1.35 on. */
  cgroupVersion: 1 | 2 = 1;
  readonly effects: Effect[] = [];
  readonly violations: Violation[] = [];
  /** Clusters whose virtual address two machines would hold: told once while it lasts. */
  readonly #hadTwoHolders = new Set<ModelCluster>();
  /** Things made, in order: `machine m1`, `kubeadm init m1`. Equal lists = nothing was made twice. */
  readonly births: string[] = [];
  /** Tokens for which a machine was made. */
  readonly tokensUsed = new Set<string>();
  /** Calls of any kind by name: what planning may cost. */
  readonly callCounts = new Map<string, number>();
  /** Calls that may change something, whether they did or not: a second apply makes none. */
  mutatingCalls = 0;
  /** Backups at every destination, in the order they were finished. */
  readonly backups: ModelBackup[] = [];
  /** Ids of those whose manifest is gone and whose file is not yet. */
  readonly halfRemovedBackups = new Set<string>();
  /** Users' hooks in the order in which they began, wherever they run. */
  readonly hookLog: { readonly hook: string; readonly at: string; readonly machine: string }[] = [];
  /** Messages of webhooks by id: how often each was taken. */
  readonly messages = new Map<string, number>();
  /** Jobs that a fault has failed. */
  readonly failedJobs = new Set<string>();
  readonly #events = new TimedQueue<FleetEvent>();
  #now = modelEpoch;
  #highestEpoch = 0;
  /** Machines that are there but carry no tag of ours. */
  readonly foreign: string[] = ['vm-of-somebody-else'];

  constructor(options: FleetOptions = {}) {
    this.faults = new FaultSchedule(options.faults);
    this.boot = options.boot ?? 3000;
    for (const fault of this.faults.of('machine-dies')) this.#schedulePlug(fault);
  }

  get now(): number {
    return this.#now;
  }

  /** Since the fleet was made, ms. */
  get elapsed(): number {
    return this.#now - modelEpoch;
  }

  cluster(identity: ClusterIdentity): ModelCluster {
    let cluster = this.clusters.get(identity.uid);
    if (cluster === undefined) {
      cluster = new ModelCluster(identity);
      this.clusters.set(identity.uid, cluster);
    }
    return cluster;
  }

  clusterOf(machine: ModelMachine): ModelCluster {
    return this.cluster(machine.cluster);
  }

  /** Lets model time pass: everything due happens, in order. */
  settle(to: number): void {
    for (;;) {
      const due = this.#events.popDue(to);
      if (due === undefined) break;
      this.#now = Math.max(this.#now, due.at);
      this.#happen(due.item);
    }
    this.#now = Math.max(this.#now, to);
  }

  /** Makes something happen later, whoever is alive by then. */
  lookLater(machine: ModelMachine, unit: ModelUnit, delay: number): void {
    this.#events.push(this.#now + delay, { kind: 'unit', machine, unit });
  }

  /** Looks at a cluster's processes again when static pods have had time to start. */
  refreshLater(cluster: ModelCluster, delay: number): void {
    this.#events.push(this.#now + delay, { kind: 'refresh', cluster });
  }

  /** Starts a command on a machine as a transient unit. */
  startUnit(machine: ModelMachine, unit: ModelUnit): void {
    machine.units.set(unit.name, unit);
    this.births.push(`kubeadm ${unit.verb} ${machine.name}`);
    this.lookLater(machine, unit, (phasesOf(unit)[0]?.takes ?? 0) * machine.slowness);
  }

  /** The machine behind a reference, if it answers; else Transient, as a dead line is. */
  reach(reference: Pick<MachineRef, 'name' | 'address'>): ModelMachine {
    const machine = this.byAddress.get(reference.address);
    if (
      machine === undefined ||
      !isUp(machine, this.#now) ||
      this.faults.isLineCut(machine.name, this.elapsed)
    )
      throw new Transient('HOST-001', `${reference.name} (${reference.address}) does not answer`, {
        machine: reference.name,
      });
    return machine;
  }

  /** Records something that must never happen. */
  violate(kind: string, detail: string): void {
    this.violations.push({ at: this.#now, kind, detail });
  }

  /** Records an effect; `cause` names it in a violation if quorum goes with it. */
  changed(call: string, target: string, by: Caller): void {
    this.effects.push({ at: this.#now, call, target, by: `${by.operation}/${by.step}#${by.attempt}` });
    if (by.epoch < this.#highestEpoch) this.violate('old-epoch', `${call} on ${target} by epoch ${by.epoch}`);
    this.#highestEpoch = Math.max(this.#highestEpoch, by.epoch);
    for (const cluster of this.clusters.values()) this.refresh(cluster, `${call} ${target}`);
  }

  /** Brings a cluster's processes up to date; lost quorum is a violation unless a fault or a deletion did it. */
  refresh(cluster: ModelCluster, cause: string | undefined): void {
    const { lostQuorum } = cluster.refresh(this.#now);
    for (const machine of cluster.machines.values()) registerAgain(cluster, machine, this.#now);
    const isWanted = cluster.isGoing || cluster.isRestoring || this.#isFirstGrowth(cluster);
    if (lostQuorum && cause !== undefined && !isWanted) this.violate('quorum-lost', cause);
    if (cluster.formerEtcds.length > 0 && cluster.hasFormerQuorum(this.#now))
      this.violate('two-etcd-clusters', cause ?? 'the passing of time');
    accuseOfDistrust(this, cluster, cause ?? 'the passing of time');
    const holders = twoHolders(cluster, this.#now);
    if (holders !== undefined && !this.#hadTwoHolders.has(cluster))
      this.violate('two-holders', `${holders.join(' does not hear ')} (${cause ?? 'the passing of time'})`);
    if (holders === undefined) this.#hadTwoHolders.delete(cluster);
    else this.#hadTwoHolders.add(cluster);
  }

  /** Switches a machine's power: off is the plug, on boots it with what its disk holds. */
  setPower(machine: ModelMachine, power: 'on' | 'off'): void {
    if (machine.power === power) return;
    machine.power = power;
    if (power === 'off') {
      machine.downSince = this.#now;
      machine.units.clear();
      delete machine.installing;
      this.refreshLater(this.clusterOf(machine), 0);
      return;
    }
    machine.bootedAt = this.#now + this.boot;
    machine.staticPodsSince = machine.bootedAt;
    machine.downSince = undefined;
    for (const service of machine.services.values())
      Object.assign(service, { active: service.enabled, since: machine.bootedAt });
    kubeletStarted(this, machine);
    this.watchStart(machine);
  }

  /** Looks again at the times static pods of a machine may have started. */
  watchStart(machine: ModelMachine): void {
    const cluster = this.clusterOf(machine);
    const since = Math.max(0, machine.staticPodsSince - this.#now);
    for (const delay of [3000, 10_000]) this.refreshLater(cluster, since + delay * machine.slowness);
  }

  /** Adds a fault from now on. */
  addFault(fault: Fault): void {
    this.faults.add(fault);
    if (fault.kind === 'machine-dies') this.#schedulePlug(fault);
  }

  /** Repairs everything a person could: faults end, plugs go in again. */
  repair(): void {
    for (const fault of this.faults.repairAll()) {
      if (!('machine' in fault)) continue;
      for (const machine of this.machines()) {
        if (machine.name !== fault.machine) continue;
        Object.assign(machine, { diskFull: false, clockOffset: 0, slowness: 1 });
        this.setPower(machine, 'on');
      }
    }
    for (const machine of this.machines()) if (machine.isJoinerDead) this.#reviveJoiner(machine);
  }

  /** What kept a joiner's etcd from starting is mended: the kubelet, which never gives a static pod up, starts it. */
  #reviveJoiner(machine: ModelMachine): void {
    machine.isJoinerDead = false;
    const member = this.clusterOf(machine).etcd.byMachine(machine.name);
    if (member === undefined) return;
    machine.files.set(paths.etcdData, { content: member.id, mode: 0o600 });
    machine.staticPodsSince = this.#now;
    this.watchStart(machine);
  }

  /** Every machine of every cluster. */
  machines(): ModelMachine[] {
    return Array.from(this.clusters.values()).flatMap((cluster) => Array.from(cluster.machines.values()));
  }

  /** Problems of lasting faults that a new machine is born with. */
  burden(machine: ModelMachine): void {
    machine.diskFull = this.faults.of('disk-full', machine.name).length > 0;
    machine.clockOffset = this.faults.of('clock-offset', machine.name)[0]?.seconds ?? 0;
    machine.slowness = this.faults.of('slow', machine.name)[0]?.factor ?? 1;
  }

  /** Throws what a full disk throws. */
  needSpace(machine: ModelMachine): void {
    if (machine.diskFull) throw spaceProblem(machine);
  }

  /** 1 → 2 members: kubeadm adds a voter that has not started, and etcd waits for it; etcd offers no other way. */
  #isFirstGrowth(cluster: ModelCluster): boolean {
    return cluster.etcd.voters.length === 2 && cluster.etcd.voters.some((member) => !member.started);
  }

  #happen(event: FleetEvent): void {
    if (event.kind === 'refresh') {
      this.refresh(event.cluster, undefined);
      return;
    }
    if (event.kind === 'fault') {
      this.#strikePlug(event.fault.machine, event.back);
      return;
    }
    this.#runUnit(event.machine, event.unit);
  }

  #runUnit(machine: ModelMachine, unit: ModelUnit): void {
    if (machine.power === 'off' || machine.units.get(unit.name) !== unit || unit.ended !== undefined) return;
    const cluster = this.clusterOf(machine);
    if (cluster.machines.get(machine.name) !== machine) return;
    const before = machine.staticPodsSince;
    const hasMember = cluster.etcd.byMachine(machine.name)?.started === true;
    const next = lookAt({
      cluster,
      machine,
      unit,
      faults: this.faults,
      now: this.#now,
      violate: (kind, detail) => this.violate(kind, detail),
    });
    const isUpgrade = unit.verb === 'upgrade' || (unit.verb === 'phases' && hasMember);
    if (machine.staticPodsSince !== before || isUpgrade) this.watchStart(machine);
    // An init that is run again restarts the pods of the only master there is: nobody else's quorum goes with it.
    // One voter, or two, cannot be without each other for a moment.
    const isAlone = isUpgrade && cluster.etcd.voters.length <= 2;
    const isOwn = unit.verb === 'init' || isAlone;
    this.refresh(cluster, isOwn ? undefined : `kubeadm ${unit.verb} on ${machine.name}`);
    if (next !== undefined) this.lookLater(machine, unit, next);
  }

  #schedulePlug(fault: Extract<Fault, { kind: 'machine-dies' }>): void {
    this.#events.push(modelEpoch + fault.at, { kind: 'fault', fault, back: false });
    if (fault.back !== undefined)
      this.#events.push(modelEpoch + fault.back, { kind: 'fault', fault, back: true });
  }

  #strikePlug(name: string, isBack: boolean): void {
    for (const machine of this.machines())
      if (machine.name === name) this.setPower(machine, isBack ? 'on' : 'off');
    for (const cluster of this.clusters.values()) this.refresh(cluster, undefined);
  }
}

function spaceProblem(machine: ModelMachine): Problem {
  return new Transient('HOST-004', `No space is left on the disk of ${machine.name}`, {
    machine: machine.name,
    remedy: `Free space on ${machine.name}, then resume.`,
  });
}
