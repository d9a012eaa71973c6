import { load } from 'js-yaml';
import { z } from 'zod';
import type { VisitedMachine } from '../../provisioners/contract/found.ts';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { Ports } from '../../provisioners/contract/ports.ts';
import { UserProblem } from '../../provisioners/contract/problem.ts';
import {
  type Authority,
  type ClusterKeys,
  trustedCertificates,
} from '../../provisioners/contract/secrets.ts';
import { paths } from '../../provisioners/kubernetes/paths.ts';
import { drawBootstrapToken, drawPassword } from './pki.ts';

const encryptionSchema = z.looseObject({
  resources: z.array(
    z.looseObject({
      providers: z.array(
        z.looseObject({
          secretbox: z.looseObject({ keys: z.array(z.looseObject({ secret: z.string() })) }).optional(),
        }),
      ),
    }),
  ),
});

/** A file of others may be anything. */
function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : load(text);
  } catch {
    return undefined;
  }
}

/** The key that Secrets in etcd are encrypted with, as Remuda writes its file. */
function encryptionKeyIn(text: string): string | undefined {
  const read = encryptionSchema.safeParse(parsed(text)).data;
  const providers = read?.resources.flatMap((resource) => resource.providers) ?? [];
  return providers.flatMap(({ secretbox }) => secretbox?.keys ?? [])[0]?.secret;
}

/**
 * An authority as its files hold it. What else is believed, because somebody is rotating it, signs nothing: the key of
 * another one is nowhere on a master.
 */
function foundAuthority(certificates: string, key: string): Authority {
  const [certificate, ...others] = certificates.match(/-----BEGIN [\s\S]+?-----END [^\n]+\n?/gu) ?? [];
  if (certificate === undefined || others.length === 0) return { certificate: certificates, key };
  return { certificate, key, outgoing: { certificate: others.join('') } };
}

/** A file of the authorities' folder, where it lies on a machine. */
const inPki = (name: string): string => `${paths.pki}/${name}`;
const etcdKey = inPki('etcd/ca.key');

/**
 * The key of etcd's authority from one of its machines, where etcd stands apart and masters keep none: for kubeadm they
 * need the certificate alone (setup-ha-etcd-with-kubeadm). One that belongs to another certificate counts for nothing.
 * @throws UserProblem ADOPT-015 when it lies on none of them
 */
async function etcdKeyApart(
  { file }: Ports,
  master: MachineRef,
  certificate: string,
  doors: readonly VisitedMachine[],
): Promise<string> {
  const reasons: string[] = [];
  for (const { name, reference, why = 'it cannot be visited' } of doors) {
    const key = reference && (await file.read(reference, etcdKey));
    const own = key && reference && (await file.read(reference, inPki('etcd/ca.crt')));
    if (key && own?.trim() === certificate.trim()) return key;
    if (reference === undefined) reasons.push(`${name}: ${why}`);
    else reasons.push(key ? `${name}: its authority is another one` : `${name}: it is not there`);
  }
  throw new UserProblem(
    'ADOPT-015',
    `${etcdKey} lies neither on ${master.name} nor on a machine of etcd (${reasons.join('; ')}): without it nobody can ask etcd for its members, let a machine join it, or renew its certificates`,
    {
      machine: master.name,
      remedy: `Put the key of etcd's authority there on ${master.name} ("remuda eject" wrote it as pki/etcd/ca.key; root, 0600), then repeat. Nothing was changed.`,
    },
  );
}

/**
 * The cluster's keys as they lie on a master, all but the SSH key. The texts stay as they are: they are compared with
 * these files later. The token with which machines join is drawn anew. `doors`: machines of etcd where it stands apart.
 * @throws UserProblem ADOPT-003 when the master keeps no key of an authority, ADOPT-004 when it was made by others,
 * ADOPT-015 when nobody keeps that of etcd's authority
 */
export async function readKeys(
  ports: Ports,
  master: MachineRef,
  doors?: readonly VisitedMachine[],
): Promise<Omit<ClusterKeys, 'sshPrivateKey' | 'sshPublicKey'>> {
  const { file } = ports;
  const lacking: string[] = [];
  const read = async (name: string): Promise<string> => {
    const path = inPki(name);
    const text = await file.read(master, path);
    if (text === undefined || text === '') lacking.push(path);
    return text ?? '';
  };
  const pair = async (name: string): Promise<Authority> =>
    foundAuthority(await read(`${name}.crt`), await read(`${name}.key`));
  const keys = {
    kubernetes: await pair('ca'),
    etcd: await pair('etcd/ca'),
    frontProxy: await pair('front-proxy-ca'),
    serviceAccount: { publicKey: await read('sa.pub'), privateKey: await read('sa.key') },
  };
  const isAlone = doors !== undefined && lacking.every((path) => path === etcdKey);
  if (lacking.length > 0 && !isAlone) throw externalAuthority(master, lacking);
  const encryptionKey = encryptionKeyIn((await file.read(master, paths.encryption)) ?? '');
  if (encryptionKey === undefined)
    throw new UserProblem(
      'ADOPT-004',
      `${paths.encryption} on ${master.name} does not say how Secrets in etcd are encrypted: no Remuda has made this cluster`,
      {
        machine: master.name,
        remedy: 'Only clusters that a Remuda made can be adopted. Make a new one and move what runs.',
      },
    );
  const etcd =
    lacking.length === 0
      ? keys.etcd
      : { ...keys.etcd, key: await etcdKeyApart(ports, master, trustedCertificates(keys.etcd), doors ?? []) };
  const keepalived = await file.read(master, paths.keepalived);
  const vrrpPassword = /^\s*auth_pass\s+(\S+)\s*$/m.exec(keepalived ?? '')?.[1] ?? drawPassword();
  return { ...keys, etcd, encryptionKey, vrrpPassword, bootstrapToken: drawBootstrapToken() };
}

const externalAuthority = (master: MachineRef, lacking: readonly string[]): UserProblem =>
  new UserProblem(
    'ADOPT-003',
    `${master.name} keeps no ${lacking.join(', ')}: the authorities of this cluster are kept somewhere else, or it is no master`,
    {
      machine: master.name,
      remedy:
        'Name a master (--master); a cluster whose authorities live outside of its masters cannot be adopted by this release.',
    },
  );
