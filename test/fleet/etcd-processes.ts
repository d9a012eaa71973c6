import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import { unpackedPackages } from './debian-program.ts';

/**
 * Path of Debian's etcd 3.4, in a cache.
 * @throws Error when it is not cached and apt cannot bring it
 */
export const etcdBinary = (): string => join(unpackedPackages('etcd-server'), 'usr/bin/etcd');

/** Path of its etcdctl, likewise. */
export const etcdctlBinary = (): string => join(unpackedPackages('etcd-client'), 'usr/bin/etcdctl');

/** An authority, both PEM. */
export interface Authority {
  readonly certificate: string;
  readonly key: string;
}

interface Member {
  readonly name: string;
  readonly address: string;
  readonly folder: string;
  process: ChildProcess | undefined;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Real etcd processes on loopback addresses of their own, ports 2379 and 2380, TLS as kubeadm sets it up. */
export class EtcdProcesses {
  readonly authority: Authority;
  readonly #folder = mkdtempSync(join(tmpdir(), 'remuda-etcd-'));
  readonly #members = new Map<string, Member>();
  /** Third byte of the loopback addresses: one a cluster, so that two do not meet. */
  readonly #block: number;
  #count = 0;

  constructor(authority: Authority, block: number) {
    this.authority = authority;
    this.#block = block;
  }

  /** A place for a member: address and certificates; nothing is started. */
  async place(name: string): Promise<MachineRef> {
    this.#count += 1;
    const address = `127.77.${this.#block}.${this.#count}`;
    const folder = join(this.#folder, name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, 'ca.crt'), this.authority.certificate);
    const { certificate, key } = await issue(this.authority, name, address);
    writeFileSync(join(folder, 'member.crt'), certificate);
    writeFileSync(join(folder, 'member.key'), key, { mode: 0o600 });
    this.#members.set(name, { name, address, folder, process: undefined });
    return { name, address, port: 22, user: 'root', hostKeys: [] };
  }

  /** Starts the member's process; a cluster state of `existing` joins what `initial` names. */
  start(name: string, state: 'new' | 'existing', initial: Readonly<Record<string, string>>): void {
    const member = this.#member(name);
    const tls = (prefix: string): string[] => [
      `--${prefix}cert-file=member.crt`,
      `--${prefix}key-file=member.key`,
      `--${prefix}trusted-ca-file=ca.crt`,
      `--${prefix}client-cert-auth=true`,
    ];
    const log = openSync(join(member.folder, 'log'), 'a');
    member.process = spawn(
      etcdBinary(),
      [
        `--name=${name}`,
        `--data-dir=data`,
        `--listen-client-urls=https://${member.address}:2379`,
        `--advertise-client-urls=https://${member.address}:2379`,
        `--listen-peer-urls=https://${member.address}:2380`,
        `--initial-advertise-peer-urls=https://${member.address}:2380`,
        `--initial-cluster=${Object.entries(initial)
          .map(([other, url]) => `${other}=${url}`)
          .join(',')}`,
        `--initial-cluster-state=${state}`,
        `--initial-cluster-token=remuda-test-${this.#block}`,
        '--heartbeat-interval=50',
        '--election-timeout=500',
        ...tls(''),
        ...tls('peer-'),
      ],
      { cwd: member.folder, stdio: ['ignore', log, log] },
    );
    closeSync(log);
  }

  /** Everything it has printed so far. */
  logOf(name: string): string {
    return readFileSync(join(this.#member(name).folder, 'log'), 'utf8');
  }

  /** Where its data and certificates lie. */
  folderOf(name: string): string {
    return this.#member(name).folder;
  }

  isRunning(name: string): boolean {
    return this.#member(name).process !== undefined;
  }

  /** Starts it again on its data. */
  restart(name: string): void {
    this.start(name, 'existing', { [name]: this.peerURL(name) });
  }

  /** Makes the data of a cluster of this one member from a snapshot, with etcd's own tool, which checks it. Not started. */
  restore(name: string, snapshot: string): void {
    const { folder } = this.#member(name);
    execFileSync(
      etcdctlBinary(),
      [
        'snapshot',
        'restore',
        snapshot,
        `--name=${name}`,
        '--data-dir=data',
        `--initial-cluster=${name}=${this.peerURL(name)}`,
        `--initial-advertise-peer-urls=${this.peerURL(name)}`,
        `--initial-cluster-token=remuda-test-${this.#block}-restored`,
      ],
      { cwd: folder, stdio: 'pipe', env: { ...process.env, ETCDCTL_API: '3' } },
    );
  }

  peerURL(name: string): string {
    return `https://${this.#member(name).address}:2380`;
  }

  /** kill -9 of one member, by its pid. */
  kill(name: string): Promise<void> {
    return this.#signal(name, 'SIGKILL');
  }

  /** Asks it to end, as the kubelet does. */
  end(name: string): Promise<void> {
    return this.#signal(name, 'SIGTERM');
  }

  async #signal(name: string, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const member = this.#member(name);
    const { process: child } = member;
    member.process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  /** Ends all and removes everything. */
  async stop(): Promise<void> {
    await Promise.all([...this.#members.keys()].map((name) => this.kill(name)));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #member(name: string): Member {
    const member = this.#members.get(name);
    if (member === undefined) throw new Error(`there is no place for ${name}`);
    return member;
  }
}

/** A certificate for a member: server and client in one, as etcd's peers need it. */
export async function issue(authority: Authority, name: string, address: string): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const issuer = new x509.X509Certificate(authority.certificate);
  const [der] = x509.PemConverter.decode(authority.key);
  if (der === undefined) throw new Error('the authority has no key');
  const signingKey = await crypto.subtle.importKey('pkcs8', der, issuer.publicKey.algorithm, false, ['sign']);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: issuer.subjectName,
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 24 * 3_600_000),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: { ...issuer.publicKey.algorithm, hash: 'SHA-256' },
    extensions: [
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: name },
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: address },
        { type: 'ip', value: '127.0.0.1' },
      ]),
    ],
  });
  return {
    certificate: certificate.toString('pem'),
    key: x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'),
  };
}
