import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createKubernetesPort } from '../../appliance/agent/adapters/kubernetes.ts';
import { ClientCertificates } from '../../appliance/agent/client-certificates.ts';
import type { Machines } from '../../appliance/agent/machines.ts';
import { drawClusterKeys } from '../../appliance/agent/pki.ts';
import { callOver } from '../../appliance/agent/tunnel.ts';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { ControlPlaneAccess } from '../../provisioners/contract/ports/etcd.ts';
import type { KubernetesPort } from '../../provisioners/contract/ports/kubernetes.ts';
import type { ClusterKeys } from '../../provisioners/contract/secrets.ts';
import { payloadCache } from '../../provisioners/payload/cache.ts';
import { etcdBinary } from '../fleet/etcd-processes.ts';
import { serverPair } from './contract-control-plane.ts';

/** Folder with the components of the lab payload. @throws Error when it was not built */
function components(): string {
  const { stages } = payloadCache();
  const stage = existsSync(stages)
    ? readdirSync(stages).find((name) => name.startsWith('binaries-v1.20.2-'))
    : undefined;
  if (stage === undefined) throw new Error('build the lab payload first: scripts/payload build v1.20.2');
  return join(stages, stage);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * A real control plane as processes on loopback: etcd, API server, controller manager and scheduler of the lab payload,
 * and its kubectl. No machine and no kubelet: tests play the kubelets (fake-kubelet.ts).
 */
export class LoopbackCluster {
  readonly #folder = mkdtempSync(join(tmpdir(), 'remuda-loopback-'));
  readonly #processes: ChildProcess[] = [];
  readonly #machine: MachineRef = { name: 'm1', address: '127.0.0.1', port: 22, user: 'root', hostKeys: [] };
  #port = 0;
  readonly #keys: Promise<ClusterKeys> = drawClusterKeys('loopback');
  readonly #certificates = new ClientCertificates(() => this.#keys);
  #kubernetes: KubernetesPort | undefined;

  get access(): ControlPlaneAccess {
    return { masters: [this.#machine], apiPort: this.#port };
  }

  /** The agent's own adapter; its way to the API server is a plain connection in the place of one through SSH. */
  get kubernetes(): KubernetesPort {
    if (this.#kubernetes === undefined) throw new Error('not started');
    return this.#kubernetes;
  }

  /** Runs the kubectl of that release as an administrator. */
  kubectl(...args: readonly string[]): string {
    const config = join(this.#folder, 'admin.conf');
    return execFileSync(join(components(), 'kubectl'), ['--kubeconfig', config, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Patches the status of a core object, as a kubelet does. */
  async patchStatus(path: string, status: object): Promise<void> {
    const { authority, client } = await this.#certificates.kubernetes();
    const reply = await callOver(
      () => connect(this.#port, '127.0.0.1'),
      { authority, client, serverName: 'kubernetes' },
      {
        method: 'PATCH',
        path: `/api/v1/${path}/status?fieldManager=kubelet`,
        contentType: 'application/merge-patch+json',
        body: JSON.stringify({ status }),
      },
      { patience: 10_000, signal: new AbortController().signal, what: 'the API server' },
    );
    // Not there any more: a pod that was ended meanwhile.
    if (reply.status !== 200 && reply.status !== 404) throw new Error(`${path}: ${reply.text}`);
  }

  /** Starts everything; the API answers and controllers work when it resolves. */
  async start(): Promise<void> {
    const keys = await this.#keys;
    const { client } = await this.#certificates.kubernetes();
    const api = await serverPair(keys.kubernetes, [
      { type: 'dns', value: 'kubernetes' },
      { type: 'ip', value: '127.0.0.1' },
    ]);
    const [etcd, peer, port] = await Promise.all([freePort(), freePort(), freePort()]);
    this.#port = port;
    this.#write({
      'ca.crt': keys.kubernetes.certificate,
      'api.crt': api.certificate,
      'api.key': api.key,
      'sa.pub': keys.serviceAccount.publicKey,
      'sa.key': keys.serviceAccount.privateKey,
      'admin.crt': client.certificate,
      'admin.key': client.key,
      'admin.conf': this.#kubeconfig(),
    });
    const etcdUrl = `http://127.0.0.1:${etcd}`;
    const peerUrl = `http://127.0.0.1:${peer}`;
    this.#spawn('etcd', etcdBinary(), [
      `--data-dir=etcd --listen-client-urls=${etcdUrl} --advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl} --initial-advertise-peer-urls=${peerUrl} --initial-cluster=default=${peerUrl}`,
    ]);
    this.#spawn('kube-apiserver', join(components(), 'kube-apiserver'), [
      `--etcd-servers=${etcdUrl} --client-ca-file=ca.crt --tls-cert-file=api.crt --tls-private-key-file=api.key`,
      '--service-account-key-file=sa.pub --service-account-signing-key-file=sa.key',
      '--service-account-issuer=https://kubernetes.default.svc --service-cluster-ip-range=10.96.0.0/12',
      `--secure-port=${port} --bind-address=127.0.0.1 --insecure-port=0 --authorization-mode=RBAC`,
    ]);
    const machines: Partial<Machines> = { forward: async () => connect(port, '127.0.0.1') };
    const signal = new AbortController().signal;
    this.#kubernetes = createKubernetesPort(machines as Machines, this.#certificates, () => signal);
    await this.#answering();
    const asClient = '--kubeconfig=admin.conf --leader-elect=false --port=0 --secure-port=0';
    this.#spawn('kube-controller-manager', join(components(), 'kube-controller-manager'), [
      // A dead node is to be seen soon here; the usual 40 s only cost time.
      `${asClient} --service-account-private-key-file=sa.key --root-ca-file=ca.crt --node-monitor-grace-period=10s`,
    ]);
    this.#spawn('kube-scheduler', join(components(), 'kube-scheduler'), [asClient]);
  }

  /** Ends every process and removes what they wrote. */
  async stop(): Promise<void> {
    const alive = this.#processes.filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    );
    const ends = alive.map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of alive) child.kill('SIGKILL');
    await Promise.all(ends);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #write(files: Readonly<Record<string, string>>): void {
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(this.#folder, name), content, { mode: 0o600 });
  }

  #spawn(name: string, binary: string, args: readonly string[]): void {
    const log = openSync(join(this.#folder, `${name}.log`), 'a');
    const child = spawn(binary, args.join(' ').split(' '), {
      cwd: this.#folder,
      stdio: ['ignore', log, log],
    });
    this.#processes.push(child);
  }

  async #answering(): Promise<void> {
    for (let tries = 0; tries < 240; tries += 1) {
      if ((await this.kubernetes.version(this.access, this.#machine)) !== undefined) return;
      await sleep(250);
    }
    const log = readFileSync(join(this.#folder, 'kube-apiserver.log'), 'utf8');
    throw new Error(`the API server did not come up: ${log.slice(-2000)}`);
  }

  #kubeconfig(): string {
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'c',
          cluster: { server: `https://127.0.0.1:${this.#port}`, 'certificate-authority': 'ca.crt' },
        },
      ],
      users: [{ name: 'u', user: { 'client-certificate': 'admin.crt', 'client-key': 'admin.key' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    });
  }
}
