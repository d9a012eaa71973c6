import { generateKeyPairSync, sign } from 'node:crypto';
import type { KubernetesObject } from '../../../provisioners/contract/ports/kubernetes.ts';
import { leafLife, leafText, readText } from './certificates.ts';
import { paths, type ModelCluster } from './cluster.ts';
import type { FaultSchedule } from './faults.ts';
import { field, type StoredObject } from './kubernetes.ts';
import { leader } from './distrust.ts';
import { isServing, type ModelMachine } from './machine.ts';
import { clusterSigner } from './trust.ts';

/** What a kubelet serves with that asks the cluster for it. */
export const kubeletServingPath = '/var/lib/kubelet/pki/kubelet-server-current.pem';

const apiVersion = 'certificates.k8s.io/v1';
const kind = 'CertificateSigningRequest';
const signerName = 'kubernetes.io/kubelet-serving';

/** How long a kubelet that was denied waits before it asks again, ms. */
const asksAgainAfter = 15_000;

/** A kubelet asks anew when so much of the life of what it has is over (client-go: 70 to 90 %). */
const rotatesAt = 0.8;

/** The key of every kubelet of the model: it opens nothing. */
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
};

/** X.690, 8.1.3: short or long. */
function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const text = (value: string): Buffer => der(0x0c, Buffer.from(value));
const named = (type: string, value: string): Buffer => der(0x31, der(0x30, oid(type), text(value)));

/** A PKCS#10 request (RFC 2986) as a kubelet makes it, for these names and IPv4 addresses. Synchronous, as the model is. */
export function servingRequest(node: string, names: readonly string[], addresses: readonly string[]): string {
  const alternatives = der(
    0x30,
    ...names.map((name) => der(0x82, Buffer.from(name))),
    ...addresses.map((address) => der(0x87, Buffer.from(address.split('.').map(Number)))),
  );
  const extension = der(0x30, oid('551d11'), der(0x04, alternatives));
  const info = der(
    0x30,
    der(0x02, Buffer.from([0])),
    der(0x30, named('55040a', 'system:nodes'), named('550403', `system:node:${node}`)),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa0, der(0x30, oid('2a864886f70d01090e'), der(0x31, der(0x30, extension)))),
  );
  const signature = sign('sha256', info, keys.privateKey);
  const algorithm = der(0x30, oid('2a8648ce3d040302'));
  const whole = der(0x30, info, algorithm, der(0x03, Buffer.from([0]), signature)).toString('base64');
  const lines = whole.match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

/** Whether the kubelet of a machine asks the cluster for what it serves with. */
const asks = (machine: ModelMachine): boolean =>
  machine.files.get(paths.kubeletConfig)?.content.includes('serverTLSBootstrap: true') === true;

/** Whether it has something to serve with; one that signs for itself always has. */
export function canServe(machine: ModelMachine, now: number): boolean {
  if (!asks(machine)) return true;
  const own = machine.files.get(kubeletServingPath);
  return own !== undefined && Date.parse(readText(own.content).notAfter) > now;
}

function isWanting(machine: ModelMachine, now: number): boolean {
  const own = machine.files.get(kubeletServingPath);
  return own === undefined || Date.parse(readText(own.content).notAfter) - now < leafLife * (1 - rotatesAt);
}

/** Every kubelet that runs, is a Node's and wants a certificate asks for one, unless its last request is open. */
export function askForServing(cluster: ModelCluster, faults: FaultSchedule, now: number): void {
  const last = new Map<unknown, StoredObject>();
  const numbers = new Map<unknown, number>();
  for (const object of cluster.objects.list(apiVersion, kind)) {
    const username = field(object, 'spec', 'username');
    last.set(username, object);
    numbers.set(username, (numbers.get(username) ?? 0) + 1);
  }
  for (const machine of cluster.machines.values()) {
    const isRunning = isServing(machine, 'kubelet', now) && machine.files.has(paths.kubeletConf);
    if (!isRunning || !asks(machine) || !isWanting(machine, now)) continue;
    const { name } = machine;
    if (cluster.objects.get({ apiVersion: 'v1', kind: 'Node', name }) === undefined) continue;
    const username = `system:node:${name}`;
    const own = last.get(username);
    if (own !== undefined && field(own, 'status', 'conditions') === undefined) continue;
    if (own !== undefined && now - Number(own.metadata['decidedAt'] ?? now) < asksAgainAfter) continue;
    const foreign = faults.of('asks-for-foreign', name).map((fault) => fault.address);
    cluster.objects.apply(request(machine, (numbers.get(username) ?? 0) + 1, foreign), now, 'kubelet');
  }
}

function request(machine: ModelMachine, number: number, foreign: readonly string[]): KubernetesObject {
  const { name, address } = machine;
  const pem = servingRequest(name, [name], [address, ...foreign]);
  return {
    apiVersion,
    kind,
    metadata: { name: `csr-${name}-${machine.incarnation}-${number}` },
    spec: {
      signerName,
      username: `system:node:${name}`,
      groups: ['system:nodes', 'system:authenticated'],
      usages: ['digital signature', 'key encipherment', 'server auth'],
      request: Buffer.from(pem).toString('base64'),
    },
  };
}

/** The controller-manager signs what was approved, and the kubelet that runs takes it up. */
export function issueServing(cluster: ModelCluster, approved: KubernetesObject, now: number): void {
  if (field(approved, 'spec', 'signerName') !== signerName) return;
  const name = String(field(approved, 'spec', 'username')).slice('system:node:'.length);
  const machine = cluster.machines.get(name);
  const master = leader(cluster, now);
  const signer = master === undefined ? undefined : clusterSigner(master);
  if (signer === undefined) return;
  if (machine === undefined || !isServing(machine, 'kubelet', now) || !asks(machine)) return;
  machine.files.set(kubeletServingPath, {
    content: leafText('kubelet/serving', machine, now, signer),
    mode: 0o600,
  });
}
