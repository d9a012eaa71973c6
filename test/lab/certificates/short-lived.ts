import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import ssh2 from 'ssh2';
import type { FileContent } from '../../../provisioners/contract/ports/file.ts';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import { componentsOf } from '../../../provisioners/kubernetes/kubeadm-certificates.ts';
import type { LabMasters } from './masters.ts';

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const embedded = /client-certificate-data: (\S+)/u;

interface Authority {
  readonly certificate: string;
  readonly key: string;
}

/** The same certificate once more, for a shorter time. */
async function resign(pem: string, authority: Authority, notAfter: Date): Promise<string> {
  const old = new x509.X509Certificate(pem);
  const [der] = x509.PemConverter.decode(authority.key);
  const signingKey = await crypto.subtle.importKey('pkcs8', der ?? new ArrayBuffer(0), ecdsa, false, [
    'sign',
  ]);
  const issuer = new x509.X509Certificate(authority.certificate).subjectName;
  const certificate = await x509.X509CertificateGenerator.create({
    subject: old.subjectName,
    issuer,
    publicKey: old.publicKey,
    signingKey,
    signingAlgorithm: ecdsa,
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter,
    extensions: old.extensions,
  });
  return `${certificate.toString('pem')}\n`;
}

/** Gives every certificate of a master that kubeadm renews a near end, and restarts what reads them. */
export async function shorten(masters: LabMasters, machine: MachineRef, notAfter: Date): Promise<void> {
  const { kubernetes, etcd, frontProxy } = masters.bench.keys;
  const { file, host } = masters.bench.ports();
  const pki: [string, Authority][] = [
    ['apiserver', kubernetes],
    ['apiserver-kubelet-client', kubernetes],
    ['apiserver-etcd-client', etcd],
    ['front-proxy-client', frontProxy],
    ['etcd/server', etcd],
    ['etcd/peer', etcd],
    ['etcd/healthcheck-client', etcd],
  ];
  const files: FileContent[] = [];
  for (const [name, authority] of pki) {
    const path = `/etc/kubernetes/pki/${name}.crt`;
    const content = await resign((await file.read(machine, path)) ?? '', authority, notAfter);
    files.push({ path, content, mode: 0o644 });
  }
  for (const name of ['admin', 'controller-manager', 'scheduler']) {
    const path = `/etc/kubernetes/${name}.conf`;
    const text = (await file.read(machine, path)) ?? '';
    const old = Buffer.from(embedded.exec(text)?.[1] ?? '', 'base64').toString('utf8');
    const data = Buffer.from(await resign(old, kubernetes, notAfter)).toString('base64');
    files.push({ path, content: text.replace(embedded, `client-certificate-data: ${data}`), mode: 0o600 });
  }
  await file.write(machine, files);
  for (const component of componentsOf(masters.settings.apiPort))
    await host.restartComponent(machine, component);
}

const kubeletPki = '/var/lib/kubelet/pki';
const current = 'kubelet-client-current.pem';
const keyBlock = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?-----END [A-Z ]*PRIVATE KEY-----\n?/u;

/** Gives a kubelet's client certificate a near end; it goes on with the old one until it is started anew. */
export async function shortenKubelet(
  masters: LabMasters,
  machine: MachineRef,
  notAfter: Date,
): Promise<void> {
  const { file } = masters.bench.ports();
  const both = (await file.read(machine, `${kubeletPki}/${current}`)) ?? '';
  const key = keyBlock.exec(both)?.[0] ?? '';
  const certificate = await resign(both.replace(keyBlock, ''), masters.bench.keys.kubernetes, notAfter);
  const short = 'kubelet-client-short.pem';
  await file.write(machine, [
    { path: `${kubeletPki}/${short}`, content: `${certificate}${key}`, mode: 0o600 },
  ]);
  // The kubelet insists on a link there.
  await onMachine(masters, machine, `ln -sfn ${short} ${kubeletPki}/${current}`);
}

/** Runs a command on a machine with the cluster's own key. */
function onMachine({ bench }: LabMasters, machine: MachineRef, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    client.on('error', reject);
    client.on('ready', () => {
      client.exec(command, (error, stream) => {
        if (error) return reject(error);
        stream.resume();
        stream.on('close', (code: number | null) => {
          client.end();
          if (code === 0) resolve();
          else reject(new Error(`"${command}" ended with ${code}`));
        });
      });
    });
    const { address, port, user, hostKeys } = machine;
    client.connect({
      host: address,
      port,
      username: user,
      privateKey: bench.keys.sshPrivateKey,
      hostVerifier: (key: Buffer) => hostKeys.some((known) => known.split(' ')[1] === key.toString('base64')),
    });
  });
}
