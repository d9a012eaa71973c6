import { z } from 'zod';
import { type ClusterIdentity, clusterIdentitySchema } from './machine.ts';
import type { Instant } from './time.ts';

/** Secret of a user that stands in the store: only its name travels in plans. */
const secretReferenceSchema = z.strictObject({ secretRef: z.string().min(1) });

/** A password in an address would stand in every log of every proxy. */
function hasNoUser(address: string): boolean {
  const { username, password } = new URL(address);
  return username === '' && password === '';
}

/** An absolute path without `.` and `..`. */
const absolutePathSchema = z
  .string()
  .regex(/^\/(?!.*(?:^|\/)\.{1,2}(?:\/|$))/, 'must be an absolute path without . and ..');

/**
 * Where backups are kept. In it every cluster has a folder of its own, named by its uid; nothing outside of that is
 * ever read, listed or removed.
 */
export const backupDestinationSchema = z.discriminatedUnion('type', [
  /** The state disk of the appliance: good against a lost cluster, not against a lost appliance. */
  z.strictObject({ type: z.literal('stateDisk') }),
  /** A folder that is there on the agent's machine, usually of a file server. */
  z.strictObject({
    type: z.literal('path'),
    path: absolutePathSchema,
    /** Refuse when nothing is mounted at `path`: a share that went away leaves an empty folder behind. */
    mustBeMounted: z.boolean().default(true),
  }),
  /** SFTP. The secret's key `privateKey` is an OpenSSH private key. */
  z.strictObject({
    type: z.literal('ssh'),
    host: z.string().min(1),
    port: z.int().min(1).max(65_535).default(22),
    user: z.string().min(1),
    path: absolutePathSchema,
    /** Accepted host keys in OpenSSH public key form; a server that shows another one is refused. */
    hostKeys: z.array(z.string().min(1)).min(1),
    credentials: secretReferenceSchema,
  }),
  /** S3 or what speaks like it. The secret's keys are `accessKeyId` and `secretAccessKey`. */
  z.strictObject({
    type: z.literal('s3'),
    /** `https://host[:port]`. */
    endpoint: z.url({ protocol: /^https$/ }).refine(hasNoUser, 'must not hold a user or a password'),
    region: z.string().min(1).default('us-east-1'),
    bucket: z.string().min(3).max(63),
    /** Beginning of every object's name, without slashes at its ends. */
    prefix: z
      .string()
      .regex(/^[^/]+(?:\/[^/]+)*$/)
      .exactOptional(),
    /** PEM of the only authorities that are believed; without it the public ones. */
    authority: z.string().exactOptional(),
    /** The bucket in the path instead of in the host name: what most servers beside AWS want. */
    pathStyle: z.boolean().default(true),
    credentials: secretReferenceSchema,
  }),
]);
export type BackupDestination = z.infer<typeof backupDestinationSchema>;

/** A place for backups in words, for titles and messages; never with a secret. */
export function backupWords(place: BackupDestination): string {
  if (place.type === 'stateDisk') return 'the state disk';
  if (place.type === 'path') return place.path;
  if (place.type === 'ssh') return `${place.host}:${place.path}`;
  return `the bucket ${place.bucket}${place.prefix === undefined ? '' : `/${place.prefix}`}`;
}

/**
 * Which backups are kept, by the words of restic and borg: the last so many, and of so many hours, days, weeks, months
 * and years that have one the newest of each. Without any of them all are kept.
 */
export const backupRetentionSchema = z.strictObject({
  keepLast: z.int().positive().exactOptional(),
  keepHourly: z.int().positive().exactOptional(),
  keepDaily: z.int().positive().exactOptional(),
  keepWeekly: z.int().positive().exactOptional(),
  keepMonthly: z.int().positive().exactOptional(),
  keepYearly: z.int().positive().exactOptional(),
});
export type BackupRetention = z.infer<typeof backupRetentionSchema>;

/** The backups of one cluster at one destination. */
export interface BackupPlace {
  readonly cluster: ClusterIdentity;
  readonly destination: BackupDestination;
}

/**
 * What is known of one finished backup: the text beside the encrypted file, which holds no secret. It is written last:
 * a file without it is no backup. Unknown members are left out, so that an older release can list a newer one's.
 */
export const backupManifestSchema = z.object({
  format: z.literal(1),
  /** Name of the file, `<UTC time>-<16 hex digits>`; the digits say for which step it was made. */
  id: z.string().regex(/^\d{8}T\d{6}Z-[0-9a-f]{16}$/),
  cluster: clusterIdentitySchema,
  at: z.iso.datetime(),
  kubernetesVersion: z.string(),
  etcdVersion: z.string(),
  /** Every write up to this revision of etcd is in it; later ones may be. */
  revision: z.int().nonnegative(),
  /** Name of the etcd member that gave it. */
  member: z.string(),
  /** `etcd`: a snapshot of all keys. `keys`: the cluster's sealed PKI and tokens. */
  contains: z.array(z.enum(['etcd', 'keys'])),
  /** The snapshot as `etcdutl snapshot restore` takes it. */
  snapshot: z.object({ bytes: z.int().positive(), sha256: z.string() }),
  /** The encrypted file. */
  file: z.object({ bytes: z.int().positive(), sha256: z.string() }),
});
export type BackupManifest = z.infer<typeof backupManifestSchema>;

/** What a backup is made for. */
export interface BackupRequest {
  /** The step's own key: a finished backup under the same key is taken instead of a second one. */
  readonly key: string;
  readonly at: Instant;
  readonly kubernetesVersion: string;
  /** age recipients beside the agent's own, first of all the recovery key's. */
  readonly recipients: readonly string[];
}
