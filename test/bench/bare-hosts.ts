/** Hosts of the yardstick: lab machines that are made, equipped and driven by bare commands over ssh. */
import { spawn } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateSshKey } from '../../provisioners/contract/ssh-key.ts';
import { labSettings, LabProvider } from '../../provisioners/infrastructure/lab/provider.ts';
import { parseManifest, type PayloadManifest } from '../../provisioners/payload/manifest.ts';
import { type Host, layOut } from './bare-files.ts';

const gibibyte = 1024 ** 3;
const never = new AbortController().signal;
const cluster = { uid: 'bench-bare', name: 'bare' };

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
      if (code === 0) return resolve(text);
      const what = words.at(-1)?.slice(0, 200) ?? '';
      reject(new Error(`${program} ${what} ended with ${code}:\n${text.slice(-3000)}`));
    });
  });
}

/** A payload by its folder. */
export interface Payload {
  readonly folder: string;
  readonly manifest: PayloadManifest;
}

/** @throws Error when the folder holds no payload */
export function readPayload(folder: string): Payload {
  const read = parseManifest(readFileSync(join(folder, 'manifest.json')));
  if (!('manifest' in read)) throw new Error(`${folder} holds no readable manifest`);
  return { folder, manifest: read.manifest };
}

/** Parts of a payload that a host needs, as paths below its folder. */
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

/** The hosts of one bare cluster, in a folder and a subnet of their own. */
export class BareHosts {
  readonly #folder: string;
  readonly #subnet: string;
  readonly #provider: LabProvider;
  readonly #ssh: readonly string[];
  readonly #authorizedKey: string;

  private constructor(folder: string, subnet: string, provider: LabProvider) {
    this.#folder = folder;
    this.#subnet = subnet;
    this.#provider = provider;
    const key = generateSshKey('bench');
    const keyFile = join(folder, 'key');
    writeFileSync(keyFile, key.private);
    chmodSync(keyFile, 0o600);
    this.#authorizedKey = key.public;
    const options = [
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'LogLevel=ERROR',
      'ControlMaster=auto',
      `ControlPath=${folder}/%C`,
      'ControlPersist=60',
    ];
    this.#ssh = ['-i', keyFile, ...options.flatMap((option) => ['-o', option])];
  }

  static async prepare(folder: string, subnet: string): Promise<BareHosts> {
    const provider = new LabProvider(await labSettings({ labDirectory: join(folder, 'labs') }));
    const hosts = new BareHosts(folder, subnet, provider);
    const ranges = [`${hosts.at(11)}-${hosts.at(99)}`];
    const network = { ranges, prefix: 24, gateway: hosts.at(1), dns: [], ntp: [] };
    await provider.infrastructure.prepare(cluster, network, never);
    return hosts;
  }

  /** An address of the subnet. */
  at(last: number): string {
    return this.#subnet.replace(/0\/24$/, String(last));
  }

  async create({ name, address, isMaster }: Host): Promise<void> {
    await this.#provider.machines.create(
      {
        cluster,
        name,
        role: isMaster ? 'control-plane' : 'worker',
        incarnation: 1,
        token: name,
        shape: { cpus: 2, memory: 2 * gibibyte, disks: [] },
        address: `${address}/24`,
        authorizedKey: this.#authorizedKey,
        labels: {},
      },
      never,
    );
  }

  async destroy({ name }: Host): Promise<void> {
    await this.#provider.machines.destroy(cluster, name, never);
  }

  /** Runs a script. @throws Error with what it printed */
  on(host: Host, script: string): Promise<string> {
    return run('ssh', [...this.#ssh, `root@${host.address}`, script]);
  }

  /** Copies, unpacks, imports and starts everything below kubeadm. */
  async equip(host: Host, masters: readonly Host[], { folder, manifest }: Payload): Promise<void> {
    const tree = join(this.#folder, host.name);
    layOut(tree, host, masters, this.at(100));
    const target = `root@${host.address}`;
    await run('ssh', [...this.#ssh, target, 'tar -x -C /'], {
      from: 'tar',
      words: ['-c', '--owner=0', '--group=0', '-C', tree, '.'],
    });
    const { files, images } = partsOf(manifest, host);
    const words = ['-c', '-C', folder, ...files.map(({ path }) => path), ...images];
    const unpack = 'mkdir -p /opt/payload && tar -x -C /opt/payload';
    await run('ssh', [...this.#ssh, target, unpack], { from: 'tar', words });
    const install = files.map(({ kind, path, install: to, mode }) =>
      kind === 'tar'
        ? `mkdir -p ${to} && tar -x -C ${to} -f /opt/payload/${path}`
        : `install -D -m ${mode} /opt/payload/${path} ${to}`,
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
    await this.on(host, script.join('\n'));
  }

  /** Tells a serving master's haproxy and keepalived of the masters there are now. */
  async tellOf(master: Host, masters: readonly Host[]): Promise<void> {
    const tree = join(this.#folder, `${master.name}-endpoint`);
    layOut(tree, master, masters, this.at(100));
    await run('ssh', [...this.#ssh, `root@${master.address}`, 'tar -x -C /'], {
      from: 'tar',
      words: ['-c', '--owner=0', '--group=0', '-C', tree, 'etc/haproxy', 'etc/keepalived'],
    });
    await this.on(master, 'systemctl reload haproxy keepalived');
  }

  /** Everything away. */
  async sweep(): Promise<void> {
    await this.#provider.sweep(cluster, never);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
