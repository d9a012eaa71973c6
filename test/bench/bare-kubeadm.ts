/**
 * The yardstick: the same 3+2 cluster by bare kubeadm commands over ssh, in the best order a careful person could
 * script for one run: everything parallel that may be, no checks, no records, no hardening, nothing to resume.
 */
import { spawn } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterDns } from '../../provisioners/addons/dns/cluster-dns/addon.ts';
import { routedBridge } from '../../provisioners/addons/network/routed-bridge/addon.ts';
import { labSettings, LabProvider } from '../../provisioners/infrastructure/lab/provider.ts';
import { generateSshKey } from '../../provisioners/contract/ssh-key.ts';
import { certificateKey, type Host, layOut, token, version } from './bare-files.ts';
import { readySince } from './readiness.ts';
import { say } from './table.ts';
import { parseManifest, type PayloadManifest } from '../../provisioners/payload/manifest.ts';

const gibibyte = 1024 ** 3;
const kubectl = 'kubectl --kubeconfig /etc/kubernetes/admin.conf';

/** Runs a program to its end; `input` is another program's output. @throws Error with what it printed */
function run(
  program: string,
  words: readonly string[],
  input?: { readonly from: string; readonly words: readonly string[] },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const source =
      input === undefined
        ? undefined
        : spawn(input.from, input.words, { stdio: ['ignore', 'pipe', 'inherit'] });
    const child = spawn(program, words, { stdio: [source?.stdout ?? 'ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stdout?.on('data', (part: Buffer) => (text += part.toString()));
    child.stderr?.on('data', (part: Buffer) => (text += part.toString()));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(text);
      else
        reject(
          new Error(`${program} ${words.at(-1)?.slice(0, 200)} ended with ${code}:\n${text.slice(-3000)}`),
        );
    });
  });
}

/** Parts of the payload a host needs, as paths below its folder. */
function partsOf(
  manifest: PayloadManifest,
  host: Host,
): { readonly files: PayloadManifest['files']; readonly images: string[] } {
  const isNeeded = ({ for: use }: { readonly for: string }): boolean =>
    use !== 'control-plane' || host.isMaster;
  return {
    files: manifest.files.filter(isNeeded),
    images: manifest.images.filter(isNeeded).map(({ archive }) => archive),
  };
}

/** Copies, unpacks, imports and starts everything below kubeadm. */
async function equip(
  ssh: readonly string[],
  payload: string,
  folder: string,
  host: Host,
  manifest: PayloadManifest,
): Promise<void> {
  const { files, images } = partsOf(manifest, host);
  await run('ssh', [...ssh, `root@${host.address}`, 'tar -x -C /'], {
    from: 'tar',
    words: ['-c', '--owner=0', '--group=0', '-C', folder, '.'],
  });
  const words = ['-c', '-C', payload, ...files.map(({ path }) => path), ...images];
  await run('ssh', [...ssh, `root@${host.address}`, 'mkdir -p /opt/payload && tar -x -C /opt/payload'], {
    from: 'tar',
    words,
  });
  const install = files.map(({ kind, path, install: target, mode }) =>
    kind === 'tar'
      ? `mkdir -p ${target} && tar -x -C ${target} -f /opt/payload/${path}`
      : `install -D -m ${mode} /opt/payload/${path} ${target}`,
  );
  const script = [
    'set -e',
    'sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.ip_nonlocal_bind=1 net.bridge.bridge-nf-call-iptables=1 || true',
    ...install,
    'systemctl daemon-reload',
    'systemctl enable -q --now containerd kubelet',
    ...(host.isMaster
      ? ['systemctl enable -q haproxy keepalived', 'systemctl restart haproxy keepalived']
      : []),
    ...images.map((image) => `ctr -n k8s.io images import /opt/payload/${image} >/dev/null`),
  ];
  await run('ssh', [...ssh, `root@${host.address}`, script.join('\n')]);
}

/**
 * Makes the hosts (not timed), installs, and says how long that took: seconds from the first host reachable to the last
 * Node, network and DNS pod Ready (see {@link readySince}).
 */
export async function installBare(folder: string, payload: string, subnet: string): Promise<number> {
  const at = (last: number): string => subnet.replace(/0\/24$/, String(last));
  const hosts: Host[] = [1, 2, 3, 4, 5].map((number) => ({
    name: number <= 3 ? `bare-cp-${number}` : `bare-w-${number - 3}`,
    address: at(10 + number),
    isMaster: number <= 3,
  }));
  const masters = hosts.filter(({ isMaster }) => isMaster);
  const read = parseManifest(readFileSync(join(payload, 'manifest.json')));
  if (!('manifest' in read)) throw new Error(`${payload} holds no readable manifest`);
  const { manifest } = read;
  const provider = new LabProvider(await labSettings({ labDirectory: join(folder, 'labs') }));
  const cluster = { uid: 'bench-bare', name: 'bare' };
  const never = new AbortController().signal;
  const key = generateSshKey('bench');
  const keyFile = join(folder, 'key');
  writeFileSync(keyFile, key.private);
  chmodSync(keyFile, 0o600);
  const ssh = [
    '-i',
    keyFile,
    '-o',
    'StrictHostKeyChecking=no',
    '-o',
    'UserKnownHostsFile=/dev/null',
    '-o',
    'LogLevel=ERROR',
    '-o',
    'ControlMaster=auto',
    '-o',
    `ControlPath=${folder}/%C`,
    '-o',
    'ControlPersist=60',
  ];
  const on = (host: Host, script: string): Promise<string> =>
    run('ssh', [...ssh, `root@${host.address}`, script]);
  try {
    await provider.infrastructure.prepare(
      cluster,
      { ranges: [`${at(11)}-${at(99)}`], prefix: 24, gateway: at(1), dns: [], ntp: [] },
      never,
    );
    await Promise.all(
      hosts.map(({ name, address, isMaster }) =>
        provider.machines.create(
          {
            cluster,
            name,
            role: isMaster ? 'control-plane' : 'worker',
            incarnation: 1,
            token: name,
            shape: { cpus: 2, memory: 2 * gibibyte, disks: [] },
            address: `${address}/24`,
            authorizedKey: key.public,
            labels: {},
          },
          never,
        ),
      ),
    );
    const began = Date.now();
    await installKubernetes({ hosts, masters, on, folder, payload, manifest, ssh, endpoint: at(100), began });
    const objects = await on(masters[0] as Host, `${kubectl} get nodes,pods -n kube-system -o json`);
    return (readySince(objects, hosts.length) - began) / 1000;
  } finally {
    await provider.sweep(cluster, never);
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Installation {
  readonly hosts: readonly Host[];
  readonly masters: readonly Host[];
  readonly on: (host: Host, script: string) => Promise<string>;
  readonly folder: string;
  readonly payload: string;
  readonly manifest: PayloadManifest;
  readonly ssh: readonly string[];
  readonly endpoint: string;
  /** Milliseconds since the epoch. */
  readonly began: number;
}

async function installKubernetes({
  hosts,
  masters,
  on,
  folder,
  payload,
  manifest,
  ssh,
  endpoint,
  began,
}: Installation): Promise<void> {
  const told = (what: string): void =>
    say(`  ${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  bare: ${what}`);
  const [first, ...otherMasters] = masters as [Host, ...Host[]];
  const equipNow = async (host: Host): Promise<void> => {
    const tree = join(folder, host.name);
    layOut(tree, host, masters, endpoint);
    await equip(ssh, payload, tree, host, manifest);
    told(`${host.name} equipped`);
  };
  // The first master alone, the others while it starts: all five at once took twice as long until init could begin.
  await equipNow(first);
  const equipped = new Map(hosts.filter((host) => host !== first).map((host) => [host, equipNow(host)]));
  await on(
    first,
    'kubeadm init --config /root/kubeadm.yaml --upload-certs --skip-phases=addon/coredns --ignore-preflight-errors=all',
  );
  told('kubeadm init ended');
  const hash = (
    await on(
      first,
      "openssl x509 -pubkey -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der | sha256sum | cut -d' ' -f1",
    )
  ).trim();
  const join_ = `kubeadm join ${endpoint}:6443 --token ${token} --discovery-token-ca-cert-hash sha256:${hash} --cri-socket /run/containerd/containerd.sock --ignore-preflight-errors=all`;
  const input = {
    kubernetesVersion: version,
    podCidr: '10.244.0.0/16',
    serviceCidr: '10.96.0.0/12',
    serviceDomain: 'cluster.local',
    settings: {},
  };
  const objects = [...routedBridge.manifests('1', input), ...clusterDns.manifests('1', input)];
  const manifests = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  const joinMasters = async (): Promise<void> => {
    for (const master of otherMasters) {
      await equipped.get(master);
      await on(
        master,
        `${join_} --control-plane --certificate-key ${certificateKey} --apiserver-bind-port 6444 --apiserver-advertise-address ${master.address}`,
      );
      told(`${master.name} joined`);
    }
  };
  await Promise.all([
    on(first, `${kubectl} apply -f - <<'MANIFESTS' >/dev/null\n${manifests}\nMANIFESTS`),
    joinMasters(),
    ...hosts
      .filter(({ isMaster }) => !isMaster)
      .map(async (worker) => {
        await equipped.get(worker);
        await on(worker, join_);
        told(`${worker.name} joined`);
      }),
  ]);
  await on(
    first,
    `${kubectl} wait --for=condition=Ready node --all --timeout=300s && ${kubectl} -n kube-system rollout status daemonset/remuda-routed-bridge && ${kubectl} -n kube-system rollout status deployment/remuda-cluster-dns`,
  );
}
