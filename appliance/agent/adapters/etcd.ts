import { z } from 'zod';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import type { EtcdMember } from '../../../provisioners/contract/observed.ts';
import type {
  ControlPlaneAccess,
  EtcdPort,
  EtcdSnapshot,
} from '../../../provisioners/contract/ports/etcd.ts';
import { Blocked, Transient } from '../../../provisioners/contract/problem.ts';
import type { KeptConnections } from '../kept-connections.ts';
import type { Machines } from '../machines.ts';
import type { ClientCertificates } from '../client-certificates.ts';
import { callOver, streamOver } from '../tunnel.ts';
import { beginSnapshot } from './etcd-snapshot.ts';
import {
  type Hold,
  successorOf,
  whyNotAdd,
  whyNotRemove,
} from '../../../provisioners/kubernetes/membership.ts';

/** etcd's client port on each member; kubeadm's own number. */
const clientPort = 2379;

/** A master's own member, as the master itself sees it. */
const ownHost = '127.0.0.1';

/** The host of a URL that a member gives; undefined before it has started and given any. */
const hostOf = (url: string | undefined): string | undefined =>
  url === undefined ? undefined : new URL(url).hostname;

/** How long a member may take: an answer from a healthy one takes milliseconds. */
const patience = 5000;
/** A change goes through Raft and may meet an election. */
const changePatience = 15_000;
/** How long a snapshot may stand still: a disk that is slow, a line that is full. */
const silence = 60_000;

const memberList = z.object({
  members: z.array(
    z.object({
      ID: z.string(),
      name: z.string().default(''),
      peerURLs: z.array(z.string()).default([]),
      clientURLs: z.array(z.string()).default([]),
      isLearner: z.boolean().default(false),
    }),
  ),
});
const memberStatus = z.object({
  leader: z.string().default('0'),
  // Numbers of 64 bits travel as text in etcd's JSON.
  dbSize: z.coerce.number().optional(),
  dbSizeQuota: z.coerce.number().optional(),
  header: z.object({ member_id: z.string(), revision: z.coerce.number().optional() }),
});
const health = z.object({ health: z.union([z.string(), z.boolean()]) });

/** What one member says of itself. */
interface MemberLook {
  readonly id: string;
  readonly leader: string;
  readonly isHealthy: boolean;
  readonly revision?: number;
  readonly dbSize?: number;
  readonly dbQuota?: number;
}

/** Ids travel as decimal text in JSON and are spoken of in hexadecimal everywhere else. */
const hexadecimal = (id: string): string => BigInt(id).toString(16);
const decimal = (id: string): string => BigInt(`0x${id}`).toString(10);

/**
 * etcd through the JSON gateway of its own client port, over SSH, with a client certificate of the cluster's etcd CA.
 * Changes are refused when looking, just before, says that the rest would lose quorum.
 */
export class EtcdAdapter implements EtcdPort {
  readonly #machines: Machines;
  readonly #certificates: ClientCertificates;
  readonly #signal: () => AbortSignal;

  readonly #connections: KeptConnections | undefined;

  constructor(
    machines: Machines,
    certificates: ClientCertificates,
    signal: () => AbortSignal,
    connections?: KeptConnections,
  ) {
    this.#connections = connections;
    this.#machines = machines;
    this.#certificates = certificates;
    this.#signal = signal;
  }

  async members(access: ControlPlaneAccess): Promise<EtcdMember[]> {
    const { list, through } = await firstAnswer(hostsOf(access), async (master) => ({
      list: memberList.parse(await this.#call(master, '/v3/cluster/member/list', {}, patience)),
      through: master,
    }));
    return Promise.all(list.members.map((member) => this.#look(access, member, through)));
  }

  async moveLeader(access: ControlPlaneAccess, to: string): Promise<void> {
    const leader = (await this.members(access)).find((member) => member.leader);
    if (leader?.id === to) return;
    if (leader === undefined)
      throw new Transient('ETCD-102', 'etcd has no leader that can be reached just now (an election?)');
    const hosts = hostsOf(access);
    const own = hosts.filter(({ name }) => name === leader.name);
    // The leader alone can hand leadership on. One that leaves is no longer among the masters, and is asked at its own
    // address, as another sees it.
    const host = own.length > 0 ? ownHost : hostOf(leader.peerURLs[0]);
    await firstAnswer(own.length > 0 ? own : hosts, (master) =>
      this.#call(
        master,
        '/v3/maintenance/transfer-leadership',
        { targetID: decimal(to) },
        changePatience,
        host,
      ),
    );
  }

  async removeMember(access: ControlPlaneAccess, id: string): Promise<void> {
    const before = await this.members(access);
    const member = before.find((each) => each.id === id);
    if (member === undefined) return;
    const hold = whyNotRemove(before, id);
    if (hold !== undefined) throw refusal(member, hold, access);
    const successor = successorOf(before, id);
    if (member.leader && successor !== undefined) await this.moveLeader(access, successor.id);
    // Asked of another member: the one that goes may close the connection before it answers.
    const hosts = hostsOf(access);
    const others = hosts.filter(({ name }) => name !== member.name);
    await firstAnswer(others.length > 0 ? others : hosts, (master) =>
      this.#call(master, '/v3/cluster/member/remove', { ID: decimal(id) }, changePatience),
    );
  }

  async addLearner(access: ControlPlaneAccess, peerURL: string): Promise<void> {
    const before = await this.members(access);
    const isThere = (member: EtcdMember): boolean => member.peerURLs.includes(peerURL);
    if (before.some(isThere)) return;
    const hold = whyNotAdd(before, true);
    if (hold !== undefined)
      throw new Blocked('ETCD-106', `No etcd member is added: ${hold.why}.`, {
        remedy: `Bring ${hold.unwell.join(', ')} back; the addition goes on by itself.`,
      });
    const wish = { peerURLs: [peerURL], isLearner: true };
    await this.#askVoter(access, before, (host) =>
      this.#call(host, '/v3/cluster/member/add', wish, changePatience),
    );
  }

  async promote(access: ControlPlaneAccess, id: string): Promise<void> {
    const before = await this.members(access);
    if (before.find((member) => member.id === id)?.learner !== true) return;
    await this.#askVoter(access, before, (host) =>
      this.#call(host, '/v3/cluster/member/promote', { ID: decimal(id) }, changePatience),
    );
  }

  async snapshot(access: ControlPlaneAccess): Promise<EtcdSnapshot> {
    const members = await this.members(access);
    const usable = members.filter(({ healthy, learner }) => healthy && !learner);
    const leader = usable.find((member) => member.leader)?.name;
    // A follower if there is one: the leader has the most to do.
    const hosts = hostsOf(access)
      .filter(({ name }) => usable.some((member) => member.name === name))
      .sort((a, b) => Number(a.name === leader) - Number(b.name === leader));
    return firstAnswer(hosts, (master) =>
      beginSnapshot({
        member: master.name,
        call: (path, body) => this.#call(master, path, body, changePatience),
        stream: (path, body) => this.#stream(master, path, body),
      }),
    );
  }

  /** A learner answers no questions but its own status: members with a vote are asked, and all where none is known. */
  async #askVoter(
    access: ControlPlaneAccess,
    members: readonly EtcdMember[],
    ask: (host: MachineRef) => Promise<unknown>,
  ): Promise<void> {
    const hosts = hostsOf(access);
    const voters = hosts.filter(({ name }) =>
      members.some((member) => member.name === name && !member.learner && member.healthy),
    );
    await firstAnswer(voters.length > 0 ? voters : hosts, ask);
  }

  /** A member that is no master of `access` (it has joined since) is asked at its own address, as `through` sees it. */
  async #look(
    access: ControlPlaneAccess,
    member: z.infer<typeof memberList>['members'][number],
    through: MachineRef,
  ): Promise<EtcdMember> {
    const id = hexadecimal(member.ID);
    const master = hostsOf(access).find(({ name }) => name === member.name);
    const host = master === undefined ? hostOf(member.clientURLs[0]) : ownHost;
    const seen =
      member.name === '' || host === undefined ? undefined : await this.#status(master ?? through, host);
    return {
      id,
      name: member.name,
      peerURLs: member.peerURLs,
      started: member.name !== '',
      learner: member.isLearner,
      healthy: seen?.isHealthy === true && seen.id === id,
      leader: seen !== undefined && seen.id === id && seen.leader === id,
      ...(seen?.revision === undefined ? {} : { revision: seen.revision }),
      ...(seen?.dbSize === undefined ? {} : { dbSize: seen.dbSize }),
      ...(seen?.dbQuota === undefined ? {} : { dbQuota: seen.dbQuota }),
    };
  }

  /** Status and health of the member at a host as this master sees it; undefined when it does not answer both. */
  async #status(master: MachineRef, host: string): Promise<MemberLook | undefined> {
    try {
      const answers = await Promise.all([
        this.#call(master, '/v3/maintenance/status', {}, patience, host),
        this.#call(master, '/health', undefined, patience, host),
      ]);
      const [status, seen] = [memberStatus.parse(answers[0]), health.parse(answers[1])];
      return {
        id: hexadecimal(status.header.member_id),
        leader: hexadecimal(status.leader),
        isHealthy: String(seen.health) === 'true',
        ...(status.header.revision === undefined ? {} : { revision: status.header.revision }),
        ...(status.dbSize === undefined ? {} : { dbSize: status.dbSize }),
        ...(status.dbSizeQuota === undefined ? {} : { dbQuota: status.dbSizeQuota }),
      };
    } catch (error) {
      if (error instanceof Transient || error instanceof Blocked) return undefined;
      throw error;
    }
  }

  async *#stream(master: MachineRef, path: string, body: object): AsyncGenerator<Buffer, void, undefined> {
    yield* streamOver(
      () => this.#machines.forward(master, ownHost, clientPort),
      await this.#certificates.etcd(),
      { method: 'POST', path, body: JSON.stringify(body) },
      { patience: silence, signal: this.#signal(), what: `etcd on ${master.name}` },
    );
  }

  async #call(
    master: MachineRef,
    path: string,
    body: object | undefined,
    wait: number,
    host = ownHost,
  ): Promise<unknown> {
    const reply = await callOver(
      () => this.#machines.forward(master, host, clientPort),
      await this.#certificates.etcd(),
      body === undefined ? { method: 'GET', path } : { method: 'POST', path, body: JSON.stringify(body) },
      {
        patience: wait,
        signal: this.#signal(),
        what: `etcd on ${master.name}`,
        kept: this.#connections,
        server: `etcd ${master.name} ${host}`,
      },
    );
    if (reply.status === 200) return JSON.parse(reply.text) as unknown;
    const said = reply.text.trim().slice(0, 300);
    throw new Transient('ETCD-101', `etcd on ${master.name} says ${reply.status}: ${said}`, {
      machine: master.name,
    });
  }
}

/** Machines that have a member: those of etcd where it stands apart, else the masters. */
const hostsOf = ({ etcd, masters }: ControlPlaneAccess): readonly MachineRef[] => etcd ?? masters;

/** Asks one machine after the other until one answers. */
async function firstAnswer<Answer>(
  hosts: readonly MachineRef[],
  ask: (host: MachineRef) => Promise<Answer>,
): Promise<Answer> {
  const problems: string[] = [];
  for (const master of hosts) {
    try {
      return await ask(master);
    } catch (error) {
      if (!(error instanceof Transient) && !(error instanceof Blocked)) throw error;
      problems.push(error.message);
    }
  }
  throw new Transient(
    'ETCD-103',
    `etcd answers on no machine: ${problems.join('; ') || 'there is none to ask'}`,
  );
}

/** Names who has to be well, and the kind of machine that has members here. */
function refusal(member: EtcdMember, { why, unwell }: Hold, { etcd }: ControlPlaneAccess): Blocked {
  const another = etcd === undefined ? 'a master' : 'a machine of etcd';
  return new Blocked('ETCD-104', `The etcd member ${member.name} is not removed: ${why}.`, {
    machine: member.name,
    remedy: `${unwell.length === 0 ? `Add ${another} first` : `Bring ${unwell.join(', ')} back, or add ${another} first`}; the removal goes on by itself as soon as the rest keeps quorum.`,
  });
}
