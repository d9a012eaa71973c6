import { z } from 'zod';
import { backupDestinationSchema } from './backup.ts';
import { restoreKeySchema } from './etcd-data.ts';
import { rotationStages } from './secrets.ts';

/** Places for backups that take no secret: another one is only what the cluster's document names. */
const openDestinationSchema = z.discriminatedUnion('type', [
  backupDestinationSchema.options[0],
  backupDestinationSchema.options[1],
]);

/** Intents that somebody may ask for as they stand. */
export const askedIntentSchema = z.discriminatedUnion('kind', [
  /** Ends an upgrade: the machines that were kept for the way back are destroyed (DESIGN §5). */
  z.strictObject({ kind: z.literal('finalize') }),
  /**
   * Makes the certificates anew that kubeadm makes: of every master, or of those named, as far as they were made before
   * `since`. Where nobody says since when, the planner does, and in which order; the plan carries both.
   */
  z.strictObject({
    kind: z.literal('renew'),
    machines: z.array(z.string().max(63)).min(1).max(100).exactOptional(),
    since: z.iso.datetime().exactOptional(),
    /** Also kubelets, workers' too, whose own certificates have run out; the planner says so where masters' have. */
    kubelets: z.boolean().exactOptional(),
  }),
  /** A backup of etcd, and then the old ones away that nothing keeps. Goes where the document says, if not elsewhere. */
  z.strictObject({ kind: z.literal('backup'), destination: openDestinationSchema.exactOptional() }),
]);

/**
 * One stage of a rotation of the cluster's authorities. Never asked for as it stands: the keys change with it, and the
 * daemon looks first whether somebody would be left behind.
 */
const rotateIntentSchema = z.strictObject({
  kind: z.literal('rotate'),
  stage: z.enum(rotationStages),
});

/** From what a cluster's data is restored. */
const restoreSourceSchema = z.discriminatedUnion('from', [
  z.strictObject({
    from: z.literal('backup'),
    destination: backupDestinationSchema,
    id: z.string(),
    at: z.iso.datetime(),
    kubernetesVersion: z.string(),
    /** Every write up to this revision of etcd is in it. */
    revision: z.int().nonnegative(),
    /** Of the snapshot. */
    bytes: z.int().positive(),
    snapshotSha256: z.string(),
    /** Of the encrypted file: from the journal where that knows the backup, else from what lies beside the file. */
    fileSha256: z.string(),
    /** Whether the journal knows the backup. */
    isKnown: z.boolean(),
  }),
  /** The data of a master, or of a machine of etcd, that is left when the majority is gone. */
  z.strictObject({ from: z.literal('survivor'), machine: z.string() }),
]);

/**
 * The cluster's data back from a backup, or on with that of a master that is left (DESIGN §5). Never asked for as it
 * stands: what is known of a backup is looked up by the daemon.
 */
const restoreIntentSchema = z.strictObject({
  kind: z.literal('restore'),
  key: restoreKeySchema,
  source: restoreSourceSchema,
  /** Masters and machines of etcd that do not answer and never will: destroyed before anything is restored. */
  lost: z.array(z.string().max(63)),
  /** The machine that is made to be the first master where none is left. The planner's choice; the plan carries it. */
  newMaster: z.string().max(63).exactOptional(),
  /** As `newMaster`: the machine of etcd that is made for the data where etcd stands apart and none of its machines is left. */
  newEtcd: z.string().max(63).exactOptional(),
  /** The data is restored and serves; what is left is what the document asks for. The planner's word, never taken back. */
  isServing: z.literal(true).exactOptional(),
});

/**
 * The cluster is given away: it lives on without Remuda. Never asked for as it stands: its keys are handed over first.
 */
const ejectIntentSchema = z.strictObject({ kind: z.literal('eject') });

/**
 * A cluster that is there is taken in. Never asked for as it stands: what is there is found out first, and its keys are
 * read from a master.
 */
const adoptIntentSchema = z.strictObject({
  kind: z.literal('adopt'),
  /** Name of the user's secret whose key `privateKey` opens the machines until ours is on them. */
  login: z.string(),
  /** Node → the mark that its machine is finished, of the machines that are as the document says. */
  digests: z.record(z.string(), z.string()),
  /** What the cluster is to note of its etcd, where that stands apart and it notes nothing yet. */
  etcdNote: z.string().exactOptional(),
  /** Somebody else kept the cluster until now, and is locked out. */
  takesOver: z.boolean(),
  /** Somebody gave the host keys of the machines beforehand. */
  hasKnownHosts: z.literal(true).exactOptional(),
});

/**
 * What an operation is to bring about that no document says: what is wanted once, of a cluster that is there. It travels
 * with the plan, so that whoever plans again plans for the same. Holds no secret.
 */
export const intentSchema = z.discriminatedUnion('kind', [
  ...askedIntentSchema.options,
  restoreIntentSchema,
  ejectIntentSchema,
  adoptIntentSchema,
  rotateIntentSchema,
]);
export type Intent = z.infer<typeof intentSchema>;
