import { Blocked } from '../../../provisioners/contract/problem.ts';
import type { SecretsPort } from '../../../provisioners/contract/ports.ts';
import { type ClusterKeys, clusterKeysSchema } from '../../../provisioners/contract/secrets.ts';
import { z } from 'zod';
import type { ClusterContext } from '../protocol/dispatch.ts';
import { open } from '../sealing.ts';

const dataSchema = z.record(z.string(), z.string());

/** Secrets that came sealed with a dispatch or a question; opened here, in memory, and hidden from every log. */
export function createSecretsPort(
  context: ClusterContext,
  identity: string,
  hide: (secret: string) => void,
): SecretsPort {
  let keys: Promise<ClusterKeys> | undefined;
  return {
    clusterKeys() {
      keys ??= openKeys(context, identity, hide);
      return keys;
    },
    async value(secretRef, key) {
      const sealed = context.secrets[secretRef];
      if (sealed === undefined) throw missing(secretRef, key);
      const data = dataSchema.parse(JSON.parse(await open(identity, sealed, `the secret ${secretRef}`)));
      for (const secret of Object.values(data)) hide(secret);
      const value = data[key];
      if (value === undefined) throw missing(secretRef, key);
      return value;
    },
  };
}

async function openKeys(
  context: ClusterContext,
  identity: string,
  hide: (secret: string) => void,
): Promise<ClusterKeys> {
  const { cluster, keys: sealed } = context;
  if (sealed === undefined)
    throw new Blocked('SECRET-013', `The keys of cluster ${cluster.name} did not come with the work.`, {
      remedy:
        'Plan the operation again; if it happens again, send what remuda describe operation and remuda logs print of it.',
    });
  const text = await open(identity, sealed, `the keys of cluster ${cluster.name}`);
  const keys = clusterKeysSchema.parse(JSON.parse(text));
  const secrets = [
    keys.kubernetes.key,
    keys.etcd.key,
    keys.frontProxy.key,
    ...[keys.kubernetes, keys.etcd, keys.frontProxy].flatMap(({ incoming }) => incoming?.key ?? []),
    keys.serviceAccount.privateKey,
    keys.encryptionKey,
    keys.bootstrapToken,
    keys.vrrpPassword,
    keys.sshPrivateKey,
  ];
  for (const secret of secrets) hide(secret);
  return keys;
}

function missing(secretRef: string, key: string): Blocked {
  return new Blocked('SECRET-011', `The secret ${secretRef} has no value named ${key}.`, {
    remedy: `Give it with: remuda secret set ${secretRef} --from-file ${key}=FILE`,
  });
}
