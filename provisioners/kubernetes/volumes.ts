import { z } from 'zod';
import type { KubernetesObject } from '../contract/ports/kubernetes.ts';
import type { ReleasedEntry } from '../contract/released.ts';

const text = z.union([z.string(), z.number()]).transform(String);

/** Where a PersistentVolume really is: the field of its source that names it, in the order people read it. */
const handles: Readonly<Record<string, readonly string[]>> = {
  csi: ['volumeHandle'],
  nfs: ['server', 'path'],
  iscsi: ['targetPortal', 'iqn', 'lun'],
  fc: ['wwids', 'targetWWNs', 'lun'],
  rbd: ['pool', 'image'],
  cephfs: ['path'],
  glusterfs: ['path'],
  cinder: ['volumeID'],
  awsElasticBlockStore: ['volumeID'],
  gcePersistentDisk: ['pdName'],
  azureDisk: ['diskURI'],
  azureFile: ['shareName'],
  vsphereVolume: ['volumePath'],
  local: ['path'],
  hostPath: ['path'],
};

const volumeSchema = z.object({
  metadata: z.object({ name: z.string(), uid: z.string().default('') }),
  spec: z.looseObject({
    persistentVolumeReclaimPolicy: z.string().default('Retain'),
    claimRef: z.object({ namespace: z.string(), name: z.string() }).nullish(),
  }),
  status: z.object({ phase: z.string().optional(), message: z.string().optional() }).optional(),
});

/** A PersistentVolume that a claim has, or had. */
export interface ClaimedVolume {
  readonly name: string;
  readonly uid: string;
  /** `shop/data`. */
  readonly claim: string;
  /** In the words of whoever holds it: a volume id, `server:path`. */
  readonly handle: string;
  /** `ebs.csi.aws.com`, `nfs`, `local`. */
  readonly driver: string;
  /** It lies on a machine's own disk, and goes with it. */
  readonly isOnMachine: boolean;
  readonly reclaimPolicy: string;
  readonly phase: string;
  /** Why it could not be removed, in its provisioner's words. */
  readonly message?: string;
}

function handleOf(spec: Readonly<Record<string, unknown>>): { driver: string; handle: string } | undefined {
  for (const [source, fields] of Object.entries(handles)) {
    const found = z.looseObject({}).safeParse(spec[source]);
    if (!found.success) continue;
    const parts = fields.flatMap((name) => text.safeParse(found.data[name]).data ?? []);
    const driver = source === 'csi' ? (text.safeParse(found.data['driver']).data ?? 'csi') : source;
    return { driver, handle: parts.join(':') };
  }
  return undefined;
}

/** Reads a PersistentVolume; undefined for one that no claim ever had: nothing of the cluster's is in it. */
export function claimedVolume(object: KubernetesObject): ClaimedVolume | undefined {
  const { metadata, spec, status } = volumeSchema.parse(object);
  if (spec.claimRef == null) return undefined;
  const { driver, handle } = handleOf(spec) ?? { driver: 'unknown', handle: metadata.name };
  return {
    name: metadata.name,
    uid: metadata.uid,
    claim: `${spec.claimRef.namespace}/${spec.claimRef.name}`,
    handle,
    driver,
    isOnMachine: driver === 'local' || driver === 'hostPath',
    reclaimPolicy: spec.persistentVolumeReclaimPolicy,
    phase: status?.phase ?? 'Bound',
    ...(status?.message === undefined || status.message === '' ? {} : { message: status.message }),
  };
}

/** As the lists of a deletion show it: the id is the handle, which outlives the cluster. */
export const volumeEntry = ({ handle, name, claim, driver }: ClaimedVolume): ReleasedEntry => ({
  type: 'volume',
  id: handle,
  name: `${handle} (${driver}; ${name} of claim ${claim})`,
});
