import type { Ports, SecretsPort } from '../../../provisioners/contract/ports.ts';
import type { ClusterKeys } from '../../../provisioners/contract/secrets.ts';
import { Blocked } from '../../../provisioners/contract/problem.ts';
import { backupPort, etcdDataPort, etcdPort, fleetProvider, kubernetesPort } from './cluster-ports.ts';
import type { Door } from './door.ts';
import { filePort, hookPort, hostPort, kubeadmPort, payloadPort, servicePort } from './machine-ports.ts';

/** All ports over the model, for one attempt. */
export function fleetPorts(
  door: Door,
  secrets: SecretsPort,
  log: (text: string, machine?: string) => void = () => undefined,
): Ports {
  return {
    host: hostPort(door),
    file: filePort(door),
    service: servicePort(door),
    payload: payloadPort(door),
    kubeadm: kubeadmPort(door, log),
    etcd: etcdPort(door),
    etcdData: etcdDataPort(door),
    kubernetes: kubernetesPort(door),
    provider: fleetProvider(door),
    secrets,
    backup: backupPort(door),
    hooks: hookPort(door),
  };
}

const authority = (name: string): { certificate: string; key: string } => ({
  certificate: `-----BEGIN CERTIFICATE-----\nmodel ${name}\n-----END CERTIFICATE-----\n`,
  key: `-----BEGIN PRIVATE KEY-----\nmodel ${name}\n-----END PRIVATE KEY-----\n`,
});

/** Three authorities of the model that are nobody else's. */
export const fakeAuthorities = (drawn: string): Pick<ClusterKeys, 'kubernetes' | 'etcd' | 'frontProxy'> => ({
  kubernetes: authority(`kubernetes of ${drawn}`),
  etcd: authority(`etcd of ${drawn}`),
  frontProxy: authority(`front-proxy of ${drawn}`),
});

/** Fake keys of a cluster: they look like the real ones and open nothing. The same for every cluster. */
export function fakeClusterKeys(): ClusterKeys {
  return {
    kubernetes: authority(`kubernetes`),
    etcd: authority(`etcd`),
    frontProxy: authority(`front-proxy`),
    serviceAccount: { publicKey: `model sa.pub`, privateKey: `model sa.key` },
    encryptionKey: Buffer.alloc(32, 'model').toString('base64'),
    bootstrapToken: 'abcdef.0123456789abcdef',
    vrrpPassword: 'modelpwd',
    sshPrivateKey: `model ssh private`,
    sshPublicKey: `ssh-ed25519 ${Buffer.from(`model ssh`).toString('base64')}`,
  };
}

/** The key with which somebody opens machines that Remuda is to take in. */
const login = { privateKey: 'model ssh private' };

/** Secrets of the simulation: the fake keys of the cluster, and what the test gives; else what signs hooks. */
export const fakeSecrets = (
  values: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    hooks: { hmac: 'model' },
    login,
    'adoption-of-demo': login,
  },
  keys?: ClusterKeys,
): SecretsPort => ({
  clusterKeys: async () => keys ?? fakeClusterKeys(),
  value: async (secretRef, key) => {
    const found = values[secretRef]?.[key];
    if (found === undefined)
      throw new Blocked('SECRET-001', `There is no secret ${secretRef} with a key ${key}`, {
        remedy: `remuda secret set ${secretRef} ${key}=…`,
      });
    return found;
  },
});
