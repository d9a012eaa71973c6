/** A member of the model's etcd cluster. */
export interface ModelMember {
  readonly id: string;
  /** Empty until it has started. */
  name: string;
  readonly peerURL: string;
  readonly machine: string;
  /** Published its attributes at least once: etcd's own meaning of started. */
  started: boolean;
  learner: boolean;
  /** Its process answers now. */
  running: boolean;
}

/** Voters needed to decide: more than half of all voters, started or not (etcd's FAQ). */
export const quorumOf = (voters: number): number => Math.floor(voters / 2) + 1;

/** Why etcd itself refuses a change of membership. */
export class MembershipRefused extends Error {}

/** Membership and quorum of one stacked etcd cluster, with etcd 3.4's own rules (strict reconfiguration check on). */
export class ModelEtcd {
  readonly members: ModelMember[] = [];
  leader: string | undefined;
  /** Every id ever given: what was added twice shows here. */
  readonly everAdded: string[];

  constructor(everAdded: string[] = []) {
    this.everAdded = everAdded;
  }

  get voters(): ModelMember[] {
    return this.members.filter((member) => !member.learner);
  }

  /** Whether more than half of the voters run. */
  get hasQuorum(): boolean {
    return this.voters.filter(isAlive).length >= quorumOf(this.voters.length) && this.voters.length > 0;
  }

  byMachine(machine: string): ModelMember | undefined {
    return this.members.find((member) => member.machine === machine);
  }

  /** The first member of a new cluster, started at once. */
  bootstrap(machine: string, address: string): ModelMember {
    const member = this.#append(machine, address, false);
    Object.assign(member, { started: true, running: true, name: machine });
    this.electIfNeeded();
    return member;
  }

  /** MemberAdd or MemberAddAsLearner. Throws MembershipRefused as etcd 3.4 does. */
  add(machine: string, address: string, isLearner: boolean): ModelMember {
    if (!this.hasQuorum) throw new MembershipRefused('etcdserver: request timed out');
    if (this.members.some((member) => member.peerURL === peerURL(address)))
      throw new MembershipRefused('etcdserver: Peer URLs already exists');
    if (isLearner && this.members.some((member) => member.learner))
      throw new MembershipRefused('etcdserver: too many learner members in cluster');
    const started = this.voters.filter((member) => member.started && member.running).length;
    const isFirstAddition = this.voters.length === 1 && started === 1;
    if (!isLearner && !isFirstAddition && started < quorumOf(this.voters.length + 1))
      throw new MembershipRefused('etcdserver: re-configuration failed due to not enough started members');
    return this.#append(machine, address, isLearner);
  }

  /** MemberPromote: a learner that has caught up becomes a voter. */
  promote(id: string): void {
    if (!this.hasQuorum) throw new MembershipRefused('etcdserver: request timed out');
    const member = this.members.find((candidate) => candidate.id === id);
    if (member === undefined) throw new MembershipRefused('etcdserver: member not found');
    if (!member.started || !member.running)
      throw new MembershipRefused(
        'etcdserver: can only promote a learner member which is in sync with leader',
      );
    member.learner = false;
  }

  /** MemberRemove, with the strict reconfiguration check of etcd 3.4. */
  remove(id: string): void {
    const index = this.members.findIndex((candidate) => candidate.id === id);
    const member = this.members[index];
    if (member === undefined) return;
    if (!this.hasQuorum) throw new MembershipRefused('etcdserver: request timed out');
    if (!member.learner && this.voters.length > 1 && !this.wouldKeepQuorumWithout(id) && isAlive(member))
      throw new MembershipRefused('etcdserver: re-configuration failed due to not enough started members');
    this.members.splice(index, 1);
    this.electIfNeeded();
  }

  /** Whether the voters that are left decide without this one. */
  wouldKeepQuorumWithout(id: string): boolean {
    const rest = this.voters.filter((member) => member.id !== id);
    return rest.length > 0 && rest.filter(isAlive).length >= quorumOf(rest.length);
  }

  electIfNeeded(): void {
    const leader = this.members.find((member) => member.id === this.leader);
    if (!this.hasQuorum) this.leader = undefined;
    else if (leader === undefined || !isAlive(leader) || leader.learner)
      this.leader = this.voters.find(isAlive)?.id;
  }

  #append(machine: string, address: string, learner: boolean): ModelMember {
    this.everAdded.push(machine);
    const member: ModelMember = {
      id: (0x8e9e05c52164694dn + BigInt(this.everAdded.length) * 0x1000003n).toString(16),
      name: '',
      peerURL: peerURL(address),
      machine,
      started: false,
      learner,
      running: false,
    };
    this.members.push(member);
    return member;
  }
}

const isAlive = (member: ModelMember): boolean => member.started && member.running;
const peerURL = (address: string): string => `https://${address}:2380`;
