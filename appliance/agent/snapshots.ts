import type { ControlPlaneAccess, EtcdPort } from '../../provisioners/contract/ports/etcd.ts';
import type { HostPort } from '../../provisioners/contract/ports/host.ts';
import type { KubernetesObject, KubernetesPort } from '../../provisioners/contract/ports/kubernetes.ts';
import type { Ports } from '../../provisioners/contract/ports.ts';
import { Problem } from '../../provisioners/contract/problem.ts';
import type { Duration } from '../../provisioners/contract/time.ts';
import type { Clock } from './clock.ts';

/** How old what somebody else has just read may be: a tick (DESIGN §4). */
const tick: Duration = 1000;

/** A cluster that nobody asked about for so long is forgotten. */
const keptFor: Duration = 60_000;

/** From so many Nodes asked for within a tick on, all are listed at once: for a few, single ones cost less. */
const worthListing = 4;

/** Something read of a cluster, and since when. The promise is kept while it is under way, too. */
interface Picture {
  readonly at: number;
  readonly read: Promise<unknown>;
}

/** What is known of one cluster just now. Forgotten as a whole, so that nothing read before a change outlives it. */
interface Album {
  readonly pictures: Map<string, Picture>;
  /** Name of a Node → when it was last asked for. */
  readonly asked: Map<string, number>;
  usedAt: number;
}

/** Whose eyes look: they never get to see the same picture twice, so that a step that looks again sees anew. */
class Viewer {
  readonly #seen = new WeakSet<Picture>();
  /** Whether it must see for itself now. */
  readonly looksAfresh: () => boolean;

  constructor(looksAfresh: () => boolean) {
    this.looksAfresh = looksAfresh;
  }

  hasSeen(picture: Picture): boolean {
    return this.#seen.has(picture);
  }

  see(picture: Picture): void {
    this.#seen.add(picture);
  }
}

/**
 * Shares what steps read of Kubernetes, etcd and machines between those that look at a cluster at the same moment, so
 * that fifty workers that are awaited, or compared with each other, cost as many calls as one. Whoever applies looks afresh, and forgets what others read before.
 */
export class Snapshots {
  readonly #clock: Clock;
  readonly #albums = new Map<string, Album>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something of the cluster was changed, or may have been: nothing read before counts any more. */
  forget(cluster: string): void {
    this.#albums.delete(cluster);
  }

  /** The ports of one attempt, reading through the cluster's snapshot unless `looksAfresh` says otherwise. */
  share(ports: Ports, cluster: string, looksAfresh: () => boolean): Ports {
    const viewer = new Viewer(looksAfresh);
    const read = <Value>(key: string, ask: () => Promise<Value>): Promise<Value> =>
      this.#read(cluster, viewer, key, ask);
    const changing = async <Value>(change: () => Promise<Value>): Promise<Value> => {
      try {
        return await change();
      } finally {
        this.forget(cluster);
      }
    };
    const isCrowd = (name: string): boolean => !viewer.looksAfresh() && this.#askFor(cluster, name);
    return {
      ...ports,
      host: shareHost(ports.host, read),
      kubernetes: shareKubernetes(ports.kubernetes, { read, changing, isCrowd }),
      etcd: shareEtcd(ports.etcd, { read, changing }),
    };
  }

  async #read<Value>(
    cluster: string,
    viewer: Viewer,
    key: string,
    ask: () => Promise<Value>,
  ): Promise<Value> {
    if (viewer.looksAfresh()) return ask();
    const { pictures } = this.#album(cluster);
    const kept = pictures.get(key);
    if (kept !== undefined && !viewer.hasSeen(kept) && this.#now() - kept.at < tick) {
      viewer.see(kept);
      try {
        // One key is always asked with one kind of question.
        return (await kept.read) as Value;
      } catch (error) {
        // A problem of the cluster is everybody's; that another attempt was cancelled while it asked is not ours.
        if (error instanceof Problem) throw error;
        return this.#read(cluster, viewer, key, ask);
      }
    }
    const picture: Picture = { at: this.#now(), read: ask() };
    viewer.see(picture);
    pictures.set(key, picture);
    try {
      return (await picture.read) as Value;
    } catch (error) {
      if (pictures.get(key) === picture) pictures.delete(key);
      throw error;
    }
  }

  /** Notes that a Node is asked for. @returns whether so many are that listing them costs less */
  #askFor(cluster: string, name: string): boolean {
    const { asked } = this.#album(cluster);
    const now = this.#now();
    asked.set(name, now);
    for (const [other, at] of asked) if (now - at >= tick) asked.delete(other);
    return asked.size >= worthListing;
  }

  #album(cluster: string): Album {
    const now = this.#now();
    const known = this.#albums.get(cluster);
    if (known !== undefined) {
      known.usedAt = now;
      return known;
    }
    for (const [name, { usedAt }] of this.#albums) if (now - usedAt > keptFor) this.#albums.delete(name);
    const album: Album = { pictures: new Map(), asked: new Map(), usedAt: now };
    this.#albums.set(cluster, album);
    return album;
  }

  #now(): number {
    return Date.parse(this.#clock.now());
  }
}

interface Sharing {
  readonly read: <Value>(key: string, ask: () => Promise<Value>) => Promise<Value>;
  readonly changing: <Value>(change: () => Promise<Value>) => Promise<Value>;
}

/** Who answers has shown a host key, so whose keys are accepted is part of the question. */
const shareHost = (port: HostPort, read: Sharing['read']): HostPort => ({
  ...port,
  facts: (machine) => read(`facts ${JSON.stringify(machine)}`, () => port.facts(machine)),
});

const nodes = { apiVersion: 'v1', kind: 'Node' } as const;

function shareKubernetes(
  port: KubernetesPort,
  { read, changing, isCrowd }: Sharing & { readonly isCrowd: (node: string) => boolean },
): KubernetesPort {
  const list = (access: ControlPlaneAccess, of: Parameters<KubernetesPort['list']>[1]) =>
    read(
      `list ${JSON.stringify([of.apiVersion, of.kind, of.namespace, of.labelSelector, of.fieldSelector])}`,
      () => port.list(access, of),
    );
  return {
    version: (access, master) => read(`version ${master.name}`, () => port.version(access, master)),
    versionAtEndpoint: (access, endpoint) =>
      read(`version at ${endpoint.host}:${endpoint.port}`, () => port.versionAtEndpoint(access, endpoint)),
    async get(access, of): Promise<KubernetesObject | undefined> {
      if (of.apiVersion === nodes.apiVersion && of.kind === nodes.kind && isCrowd(of.name))
        return (await list(access, nodes)).find(({ metadata }) => metadata.name === of.name);
      const key = `get ${JSON.stringify([of.apiVersion, of.kind, of.namespace, of.name])}`;
      return read(key, () => port.get(access, of));
    },
    list,
    apply: (access, objects) => changing(() => port.apply(access, objects)),
    markTemplate: (access, workload, annotation) =>
      changing(() => port.markTemplate(access, workload, annotation)),
    remove: (access, of) => changing(() => port.remove(access, of)),
    evict: (access, pod, gracePeriod) => changing(() => port.evict(access, pod, gracePeriod)),
    deletePod: (access, pod, gracePeriod) => changing(() => port.deletePod(access, pod, gracePeriod)),
    disruptionBudgets: (access) => read('disruption budgets', () => port.disruptionBudgets(access)),
    setUnschedulable: (access, node, isUnschedulable, annotations) =>
      changing(() => port.setUnschedulable(access, node, isUnschedulable, annotations)),
    decide: (access, request, decision) => changing(() => port.decide(access, request, decision)),
    // Proofs: which pod answers, and what it printed just now, is the point.
    podLog: (access, namespace, pod, lines) => port.podLog(access, namespace, pod, lines),
    throughService: (access, service, path) => port.throughService(access, service, path),
  };
}

function shareEtcd(port: EtcdPort, { read, changing }: Sharing): EtcdPort {
  return {
    members(access) {
      // Each member tells its own health, so whom one can ask is part of the question.
      const hosts = access.etcd ?? access.masters;
      const masters = hosts.map(({ name, address }) => `${name} ${address}`).sort();
      return read(`members ${masters.join(', ')}`, () => port.members(access));
    },
    removeMember: (access, id) => changing(() => port.removeMember(access, id)),
    addLearner: (access, peerURL) => changing(() => port.addLearner(access, peerURL)),
    promote: (access, id) => changing(() => port.promote(access, id)),
    moveLeader: (access, to) => changing(() => port.moveLeader(access, to)),
    // A stream has one reader.
    snapshot: (access) => port.snapshot(access),
  };
}
