/**
 * The yardstick: the same 3+2 cluster by bare kubeadm commands over ssh, in the best order a careful person could
 * script for one run: everything parallel that may be, no checks, no records, no hardening, nothing to resume. And its
 * day two by the same means: one worker more, a master replaced, an upgrade by replacement within the same limits.
 */
import { clusterDns } from '../../provisioners/addons/dns/cluster-dns/addon.ts';
import { routedBridge } from '../../provisioners/addons/network/routed-bridge/addon.ts';
import { certificateKey, type Host, token, version } from './bare-files.ts';
import { BareHosts, type Payload, readPayload } from './bare-hosts.ts';
import { readySince } from './readiness.ts';
import { say } from './table.ts';

const kubectl = 'kubectl --kubeconfig /etc/kubernetes/admin.conf';

/** A cluster of three masters and two workers by bare commands. */
export class BareCluster {
  readonly #hosts: BareHosts;
  #payload: Payload;
  #masters: Host[];
  #workers: Host[];
  readonly #made = { masters: 3, workers: 2 };
  /** `kubeadm join` with everything that is the same for all; drawn when the cluster is. */
  #join = '';

  private constructor(hosts: BareHosts, payload: Payload) {
    this.#hosts = hosts;
    this.#payload = payload;
    this.#masters = [1, 2, 3].map((number) => this.#master(number));
    this.#workers = [1, 2].map((number) => this.#worker(number));
  }

  /** Makes the hosts. */
  static async prepare(folder: string, payload: string, subnet: string): Promise<BareCluster> {
    const hosts = await BareHosts.prepare(folder, subnet);
    const cluster = new BareCluster(hosts, readPayload(payload));
    await Promise.all([...cluster.#masters, ...cluster.#workers].map((host) => hosts.create(host)));
    return cluster;
  }

  #master(number: number): Host {
    return { name: `bare-cp-${number}`, address: this.#hosts.at(10 + number), isMaster: true };
  }

  #worker(number: number): Host {
    return { name: `bare-w-${number}`, address: this.#hosts.at(50 + number), isMaster: false };
  }

  /** A master that stays: commands to the API go through it. */
  get #first(): Host {
    return this.#masters[0] as Host;
  }

  /**
   * Seconds from the hosts, reachable, to the last Node, network and DNS pod Ready (see {@link readySince}).
   */
  async install(): Promise<number> {
    const began = Date.now();
    const told = (what: string): void =>
      say(`  ${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  bare: ${what}`);
    const equipNow = async (host: Host): Promise<void> => {
      await this.#hosts.equip(host, this.#masters, this.#payload);
      told(`${host.name} equipped`);
    };
    const [first, ...otherMasters] = this.#masters as [Host, ...Host[]];
    // The first master alone, the others while it starts: all five at once took twice as long until init could begin.
    await equipNow(first);
    const others = [...otherMasters, ...this.#workers];
    const equipped = new Map(others.map((host) => [host, equipNow(host)]));
    await this.#initialize(first);
    told('kubeadm init ended');
    const joinMasters = async (): Promise<void> => {
      for (const master of otherMasters) {
        await equipped.get(master);
        await this.#joinMaster(master);
        told(`${master.name} joined`);
      }
    };
    const joinWorker = async (worker: Host): Promise<void> => {
      await equipped.get(worker);
      await this.#hosts.on(worker, this.#join);
      told(`${worker.name} joined`);
    };
    await Promise.all([this.#installAddons(first), joinMasters(), ...this.#workers.map(joinWorker)]);
    await this.#hosts.on(
      first,
      `${kubectl} wait --for=condition=Ready node --all --timeout=300s && ${kubectl} -n kube-system rollout status daemonset/remuda-routed-bridge && ${kubectl} -n kube-system rollout status deployment/remuda-cluster-dns`,
    );
    const objects = await this.#hosts.on(first, `${kubectl} get nodes,pods -n kube-system -o json`);
    return (readySince(objects, this.#masters.length + this.#workers.length) - began) / 1000;
  }

  async #initialize(first: Host): Promise<void> {
    await this.#hosts.on(
      first,
      'kubeadm init --config /root/kubeadm.yaml --upload-certs --skip-phases=addon/coredns --ignore-preflight-errors=all',
    );
    const digest = await this.#hosts.on(
      first,
      "openssl x509 -pubkey -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der | sha256sum | cut -d' ' -f1",
    );
    this.#join = `kubeadm join ${this.#hosts.at(100)}:6443 --token ${token} --discovery-token-ca-cert-hash sha256:${digest.trim()} --cri-socket /run/containerd/containerd.sock --ignore-preflight-errors=all`;
  }

  #installAddons(first: Host): Promise<string> {
    const input = {
      kubernetesVersion: version,
      podCidr: '10.244.0.0/16',
      serviceCidr: '10.96.0.0/12',
      serviceDomain: 'cluster.local',
      settings: {},
    };
    const objects = [...routedBridge.manifests('1', input), ...clusterDns.manifests('1', input)];
    const manifests = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    return this.#hosts.on(first, `${kubectl} apply -f - <<'MANIFESTS' >/dev/null\n${manifests}\nMANIFESTS`);
  }

  #joinMaster(master: Host): Promise<string> {
    return this.#hosts.on(
      master,
      `${this.#join} --control-plane --certificate-key ${certificateKey} --apiserver-bind-port 6444 --apiserver-advertise-address ${master.address}`,
    );
  }

  #untilReady({ name }: Host): Promise<string> {
    return this.#hosts.on(this.#first, `${kubectl} wait --for=condition=Ready node/${name} --timeout=300s`);
  }

  /** One worker more, from nothing to Ready. */
  async addWorker(): Promise<void> {
    const worker = this.#worker((this.#made.workers += 1));
    await this.#hosts.create(worker);
    await this.#hosts.equip(worker, this.#masters, this.#payload);
    await this.#hosts.on(worker, this.#join);
    await this.#untilReady(worker);
    this.#workers = [...this.#workers, worker];
  }

  /** Drains a host and takes it out of the cluster and of the world. */
  async #remove(host: Host): Promise<void> {
    const { name, isMaster } = host;
    const drain = `${kubectl} drain ${name} --ignore-daemonsets --delete-emptydir-data --force --timeout=300s`;
    await this.#hosts.on(this.#first, drain);
    // Takes its member out of etcd, too.
    if (isMaster) await this.#hosts.on(host, 'kubeadm reset --force');
    await this.#hosts.destroy(host);
    await this.#hosts.on(this.#first, `${kubectl} delete node ${name}`);
  }

  /** Another master in place of the one that came first; never fewer than three. */
  async replaceMaster(): Promise<void> {
    const [old, ...staying] = this.#masters as [Host, ...Host[]];
    const fresh = this.#master((this.#made.masters += 1));
    await this.#hosts.create(fresh);
    await this.#hosts.equip(fresh, [...this.#masters, fresh], this.#payload);
    await Promise.all(this.#masters.map((one) => this.#hosts.tellOf(one, [...this.#masters, fresh])));
    await this.#joinMaster(fresh);
    await this.#untilReady(fresh);
    this.#masters = [...staying, fresh];
    await this.#remove(old);
    await Promise.all(this.#masters.map((one) => this.#hosts.tellOf(one, this.#masters)));
  }

  /** Every machine replaced by one of another payload, masters first, never more than one beyond. */
  async upgrade(payload: string, to: string): Promise<void> {
    this.#payload = readPayload(payload);
    const config = `${kubectl} -n kube-system get configmap kubeadm-config -o yaml | sed 's/kubernetesVersion: .*/kubernetesVersion: ${to}/' | ${kubectl} apply -f -`;
    // New machines have only their own kube-proxy on board, old ones only theirs.
    const proxy = `${kubectl} -n kube-system patch daemonset kube-proxy --patch '{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null},"template":{"spec":{"containers":[{"name":"kube-proxy","image":"k8s.gcr.io/kube-proxy:${to}"}]}}}}'`;
    await this.#hosts.on(this.#first, `${config} && ${proxy}`);
    for (let left = this.#masters.length; left > 0; left -= 1) await this.replaceMaster();
    for (const old of this.#workers) {
      await this.addWorker();
      this.#workers = this.#workers.filter((each) => each !== old);
      await this.#remove(old);
    }
  }

  sweep(): Promise<void> {
    return this.#hosts.sweep();
  }
}
