import type { ClusterIdentity } from '../../../provisioners/contract/machine.ts';
import type { NodeNetwork } from '../../../provisioners/contract/provider.ts';
import { hasRunOut } from './certificates.ts';
import type { MadeThing } from './controllers.ts';
import { ModelEtcd } from './etcd.ts';
import { field, ObjectStore, textMap, type StoredObject } from './kubernetes.ts';
import { isServing, type ModelMachine, startedAt } from './machine.ts';
import { Placements } from './placement.ts';
import { isPodReady, podsOf, type NodeState } from './workloads.ts';

/** How long after the last heartbeat a node is called NotReady: kube-controller-manager's node-monitor-grace-period. */
const nodeGrace = 40_000;
/** Time from static pods' start to a ready API server, ms (measured on the lab: 8–15 s). */
const apiStart = 10_000;
/** Time from static pods' start to a running etcd member, ms. */
const etcdStart = 3_000;

/** Paths that matter to the model. */
export const paths = {
  etcdManifest: '/etc/kubernetes/manifests/etcd.yaml',
  apiManifest: '/etc/kubernetes/manifests/kube-apiserver.yaml',
  controllerManifest: '/etc/kubernetes/manifests/kube-controller-manager.yaml',
  schedulerManifest: '/etc/kubernetes/manifests/kube-scheduler.yaml',
  kubeletConf: '/etc/kubernetes/kubelet.conf',
  adminConf: '/etc/kubernetes/admin.conf',
  kubeletConfig: '/var/lib/kubelet/config.yaml',
  etcdData: '/var/lib/etcd/member',
} as const;

/** One cluster of the model: infrastructure, machines, etcd and API. */
export class ModelCluster {
  /** Machines on which kube-proxy runs. */
  readonly #proxies = new Set<string>();
  /** Nodes that a network has served. */
  readonly #networks = new Set<string>();
  readonly identity: ClusterIdentity;
  readonly machines = new Map<string, ModelMachine>();
  readonly objects = new ObjectStore();
  readonly placements = new Placements();
  readonly nodeReadySince = new Map<string, number>();
  /** What controllers in it have made at the provider, by id. */
  readonly made = new Map<string, MadeThing>();
  etcd = new ModelEtcd();
  /** What etcd was before it was restored: it must never serve again. */
  readonly formerEtcds: ModelEtcd[] = [];
  infrastructure: 'absent' | 'partial' | 'present' = 'absent';
  /** Given away at the provider. */
  isReleased = false;
  network: NodeNetwork | undefined;
  /** While it is being deleted, lost quorum is what was asked for. */
  isGoing = false;
  hadQuorum = false;
  /** More than one authority was seen on its machines: from then on everybody is asked whom they believe. */
  isRotating = false;
  /** What pods of every namespace were told of the authorities, and since when. */
  readonly published: { readonly at: number; readonly text: string; readonly ids: readonly string[] }[] = [];
  /** Who does not believe whom just now: told once while it lasts. */
  quarrels: ReadonlySet<string> = new Set();
  /** Which backend of a Service answers next. */
  nextBackend = 0;

  constructor(identity: ClusterIdentity) {
    this.identity = identity;
  }

  /** Brings etcd's processes in line with the machines they run on; says whether quorum was lost just now. */
  refresh(now: number): { readonly lostQuorum: boolean } {
    for (const member of this.etcd.members) {
      const machine = this.machines.get(member.machine);
      member.running = machine !== undefined && this.#isEtcdRunning(machine, member.id, now);
      if (member.running && !member.started) {
        member.started = true;
        member.name = member.machine;
      }
    }
    this.etcd.electIfNeeded();
    const lostQuorum = this.hadQuorum && !this.etcd.hasQuorum;
    this.hadQuorum = this.etcd.hasQuorum;
    return { lostQuorum };
  }

  /** Whether members of an etcd that was given up have come together again. */
  hasFormerQuorum(now: number): boolean {
    return this.formerEtcds.some((former) => {
      for (const member of former.members) {
        const machine = this.machines.get(member.machine);
        member.running = machine !== undefined && this.#isEtcdRunning(machine, member.id, now);
      }
      return former.hasQuorum;
    });
  }

  /** Whether control planes were stopped for a restore: then lost quorum is what was asked for. */
  get isRestoring(): boolean {
    return [...this.machines.values()].some(({ files }) =>
      [...files.keys()].some((path) => path === '/var/lib/remuda/restore/manifests/etcd.yaml'),
    );
  }

  #isEtcdRunning(machine: ModelMachine, member: string, now: number): boolean {
    return (
      isServing(machine, 'kubelet', now) &&
      isServing(machine, 'containerd', now) &&
      !machine.isPodRejected &&
      machine.files.get(paths.etcdData)?.content === member &&
      machine.files.has(paths.etcdManifest) &&
      startedAt(machine, 'etcd') + etcdStart * machine.slowness <= now &&
      !hasRunOut(machine, 'etcd', now)
    );
  }

  /** Whether etcd has machines of its own. */
  get isEtcdApart(): boolean {
    return [...this.machines.values()].some(({ role }) => role === 'etcd');
  }

  /** Whether an API server reaches a member that votes: its own, or one of those that it was given. */
  #hasStore(machine: ModelMachine): boolean {
    const given = etcdServersOf(machine);
    const members = given === undefined ? [this.etcd.byMachine(machine.name)] : this.etcd.members;
    return members.some((member) => {
      const isAsked = given === undefined || given.includes(member?.peerURL.replace(':2380', ':2379') ?? '');
      return member?.running === true && !member.learner && isAsked;
    });
  }

  /** Whether this master's own API server passes /readyz. */
  isApiReady(machine: ModelMachine, now: number): boolean {
    return (
      machine.files.has(paths.apiManifest) &&
      this.etcd.hasQuorum &&
      this.#hasStore(machine) &&
      startedAt(machine, 'kube-apiserver') + apiStart * machine.slowness <= now &&
      !hasRunOut(machine, 'kube-apiserver', now)
    );
  }

  /** Masters whose API servers are ready, by name. */
  readyMasters(now: number): ModelMachine[] {
    return [...this.machines.values()].filter((machine) => this.isApiReady(machine, now));
  }

  /** Nodes as the controllers see them now. */
  nodes(now: number): NodeState[] {
    const alive = this.objects.list('v1', 'Node').map((node) => this.#stateOf(node, now));
    const daemons = this.objects.list('apps/v1', 'DaemonSet');
    const networks = daemons.filter(isNetwork);
    const proxy = daemons.find(({ metadata }) => metadata.name === 'kube-proxy');
    const networked = new Set(
      networks
        .flatMap((daemon) => podsOf(daemon, alive, now, this.placements))
        .filter(isPodReady)
        .map((pod) => String(field(pod, 'spec', 'nodeName'))),
    );
    const bound = boundProxies(this.objects.list('v1', 'Pod'));
    this.#keepNetworks(alive, networked);
    return alive.map((node) => {
      const serves = this.#networks.has(node.name) || this.#hasOwnNetwork(node.name);
      return this.#withReadiness(node, serves && this.#hasProxy(node.name, proxy, bound.get(node.name)), now);
    });
  }

  /** What a network's pod has laid out on its machine stays there while the pod is exchanged for another. */
  #keepNetworks(alive: readonly NodeState[], networked: ReadonlySet<string>): void {
    const names = new Set(alive.map(({ name }) => name));
    for (const name of this.#networks) if (!names.has(name)) this.#networks.delete(name);
    for (const name of networked) this.#networks.add(name);
  }

  #hasOwnNetwork(name: string): boolean {
    const files = this.machines.get(name)?.files.keys() ?? [];
    return [...files].some((path) => path.startsWith('/etc/cni/net.d/'));
  }

  #withReadiness(node: NodeState, hasNetwork: boolean, now: number): NodeState {
    const isReady = node.isAlive && hasNetwork;
    if (!isReady) this.nodeReadySince.delete(node.name);
    else if (!this.nodeReadySince.has(node.name)) this.nodeReadySince.set(node.name, now);
    const readySince = this.nodeReadySince.get(node.name) ?? Number.POSITIVE_INFINITY;
    return { ...node, isReady, readySince };
  }

  /**
   * Whether kube-proxy runs on a machine: its image must be on board there, of whatever version the DaemonSet names when
   * the pod comes. One that runs is left alone while the DaemonSet exchanges pods only when they are deleted.
   */
  #hasProxy(name: string, daemon: StoredObject | undefined, bound?: string): boolean {
    const containers = daemon && field(daemon, 'spec', 'template', 'spec', 'containers');
    if (daemon === undefined || !Array.isArray(containers)) return true;
    const image = bound ?? String((containers[0] as { image?: unknown }).image);
    const tag = image.slice(image.lastIndexOf(':') + 1);
    const machine = this.machines.get(name);
    const onBoard = [...(machine?.payloads.keys() ?? []), ...(machine?.staged ?? [])];
    const isOnBoard = onBoard.some((one) => `v${one.replace(/^v/, '')}` === tag);
    const isLeft = field(daemon, 'spec', 'updateStrategy', 'type') === 'OnDelete';
    if (isOnBoard) this.#proxies.add(name);
    else if (!isLeft) this.#proxies.delete(name);
    return this.#proxies.has(name);
  }

  #stateOf(node: StoredObject, now: number): NodeState {
    const machine = this.machines.get(node.metadata.name);
    const isRunning =
      machine !== undefined && isServing(machine, 'kubelet', now) && machine.files.has(paths.kubeletConf);
    const lastSeen = Number(machine?.services.get('kubelet')?.since ?? 0);
    const isAlive =
      isRunning ||
      (machine !== undefined &&
        now - (machine.downSince ?? 0) < nodeGrace &&
        machine.downSince !== undefined);
    return {
      name: node.metadata.name,
      address: machine?.address ?? '',
      isAlive,
      aliveSince: Math.max(lastSeen, Date.parse(String(node.metadata['creationTimestamp'] ?? 0))),
      isReady: false,
      readySince: Number.POSITIVE_INFINITY,
      isUnschedulable: field(node, 'spec', 'unschedulable') === true,
      labels: textMap(node, 'metadata', 'labels'),
      taints: (field(node, 'spec', 'taints') ?? []) as { key: string; effect: string }[],
    };
  }
}

/** Members that an API server was given; undefined where it asks the one beside it. */
export function etcdServersOf({ files }: ModelMachine): readonly string[] | undefined {
  const flag = /--etcd-servers=(\S+)/.exec(files.get(paths.apiManifest)?.content ?? '');
  return flag?.[1]?.split(',');
}

/**
 * Images of kube-proxies by the name of the machine that they were bound to before there was a Node of it: their DaemonSet
 * makes no other there.
 */
const boundProxies = (pods: readonly StoredObject[]): ReadonlyMap<string, string> =>
  new Map(
    pods
      .filter(({ metadata }) => metadata.labels?.['k8s-app'] === 'kube-proxy')
      .map((pod) => {
        const [container] = field(pod, 'spec', 'containers') as { image: string }[];
        return [String(field(pod, 'spec', 'nodeName')), String(container?.image)];
      }),
  );

function isNetwork(daemon: StoredObject): boolean {
  const volumes = field(daemon, 'spec', 'template', 'spec', 'volumes');
  return (
    Array.isArray(volumes) && volumes.some((volume) => field(volume, 'hostPath', 'path') === '/etc/cni/net.d')
  );
}
