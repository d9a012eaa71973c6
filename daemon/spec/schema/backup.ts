import { z } from 'zod';
import { field } from './field.ts';
import { secretSourceSchema } from './secret.ts';
import {
  bucketSchema,
  folderPathSchema,
  hostSchema,
  portSchema,
  prefixSchema,
  scheduleSchema,
  serverUrlSchema,
  textSchema,
} from './values.ts';

/** The kinds of places backups go to, in the order of the manual. */
export const backupPlaces = ['stateDisk', 'path', 'ssh', 's3'] as const;

const pathSchema = z.strictObject({
  path: field(folderPathSchema, {
    mutability: 'in-place',
    help: 'Folder on the machine of the agent, usually of a file server. Every cluster gets a folder of its own in it.',
    example: '/mnt/backups',
  }),
  mustBeMounted: field(z.boolean().default(true), {
    mutability: 'in-place',
    help: 'Refuse while nothing is mounted there: a share that went away leaves an empty folder behind.',
    example: true,
  }),
});

const sshSchema = z.strictObject({
  host: field(hostSchema, {
    mutability: 'in-place',
    help: 'IPv4 address or DNS name of the SSH server; files are written by SFTP.',
    example: 'backup.dc1.example',
  }),
  port: field(portSchema.default(22), {
    mutability: 'in-place',
    help: 'Port of the SSH server.',
    example: 22,
  }),
  user: field(textSchema, { mutability: 'in-place', help: 'User who logs in there.', example: 'remuda' }),
  path: field(folderPathSchema, {
    mutability: 'in-place',
    help: 'Folder there. Every cluster gets a folder of its own in it.',
    example: '/srv/backups',
  }),
  hostKeys: field(z.array(textSchema).min(1).max(10), {
    mutability: 'in-place',
    help: 'Host keys that are accepted, as ssh-keyscan prints them without the name.',
    example: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExample'],
  }),
  credentials: secretSourceSchema,
});

const s3Schema = z.strictObject({
  endpoint: field(serverUrlSchema, {
    mutability: 'in-place',
    help: 'Address of the S3 server: `https://host[:port]`.',
    example: 'https://s3.dc1.example:9000',
  }),
  region: field(textSchema.default('us-east-1'), {
    mutability: 'in-place',
    help: 'Region that requests are signed for.',
    example: 'eu-central-1',
  }),
  bucket: field(bucketSchema, {
    mutability: 'in-place',
    help: 'Bucket; it must be there already.',
    example: 'cluster-backups',
  }),
  prefix: field(prefixSchema.optional(), {
    mutability: 'in-place',
    help: "Beginning of every object's name, without slashes at its ends.",
    example: 'remuda/dc1',
  }),
  authority: field(textSchema.optional(), {
    mutability: 'in-place',
    help: 'PEM of the only certificate authorities that are believed; the public ones when left out.',
  }),
  pathStyle: field(z.boolean().default(true), {
    mutability: 'in-place',
    help: 'The bucket in the path instead of in the host name: what most servers beside AWS want.',
    example: true,
  }),
  credentials: secretSourceSchema,
});

const destinationSchema = z.strictObject({
  type: field(z.enum(backupPlaces).default('stateDisk'), {
    mutability: 'in-place',
    help: 'Where backups go. The section of the same name describes it; `stateDisk` is the state disk of the appliance, which helps against a lost cluster and not against a lost appliance.',
    example: 'stateDisk',
  }),
  path: pathSchema.optional(),
  ssh: sshSchema.optional(),
  s3: s3Schema.optional(),
});

const kept = (help: string, example: number): z.ZodOptional<z.ZodInt> =>
  field(z.int().min(1).max(10_000).optional(), { mutability: 'in-place', help, example });

/** Names are those of restic and borg, and of BackupRetention in the contract. */
const keepSchema = z.strictObject({
  keepLast: kept('So many of the newest are kept.', 7),
  keepHourly: kept('Of so many hours that have a backup the newest is kept.', 24),
  keepDaily: kept('Of so many days that have a backup the newest is kept.', 14),
  keepWeekly: kept('Of so many weeks that have a backup the newest is kept.', 8),
  keepMonthly: kept('Of so many months that have a backup the newest is kept.', 12),
  keepYearly: kept('Of so many years that have a backup the newest is kept.', 5),
});

/** Backups of etcd and of the cluster's sealed keys. What is left out of `keep` as a whole keeps the last seven. */
export const backupSchema = z.strictObject({
  destination: destinationSchema.prefault({}),
  schedule: field(scheduleSchema.optional(), {
    mutability: 'in-place',
    help: 'When backups are made, in the five fields of cron: minute, hour, day of the month, month, day of the week. Only on demand when left out.',
    example: '30 2 * * *',
  }),
  timeZone: field(textSchema.default('UTC'), {
    mutability: 'in-place',
    help: 'Time zone of the schedule, by its IANA name.',
    example: 'Europe/Berlin',
  }),
  keep: keepSchema.default({ keepLast: 7 }),
});
