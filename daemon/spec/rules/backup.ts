import { serverOfBackup } from '../destination.ts';
import type { DocumentProblem } from '../issue.ts';
import type { ClusterDocument } from '../documents.ts';
import { backupPlaces } from '../schema/backup.ts';
import type { SecretSource } from '../schema/secret.ts';
import type { Path } from '../schema/walk.ts';
import type { ClusterContext } from './context.ts';
import { isTimeZone, timeZoneRemedy } from './operations.ts';
import { authoritySecretUses } from './certificates.ts';
import { hookSecretUses } from './hooks.ts';
import type { SecretUse } from './sources.ts';

const base: Path = ['spec', 'backup'];

/** The section of the destination's type, and of no other; a schedule by the clock of a zone that exists. */
export function backups({ cluster }: ClusterContext): DocumentProblem[] {
  const { backup } = cluster.spec;
  if (backup === undefined) return [];
  return [...sections(backup.destination), ...zone(backup)];
}

type Backup = NonNullable<ClusterDocument['spec']['backup']>;

function sections(destination: Backup['destination']): DocumentProblem[] {
  const { type } = destination;
  const of = (name: (typeof backupPlaces)[number]): object | undefined =>
    name === 'stateDisk' ? undefined : destination[name];
  const foreign = backupPlaces
    .filter((name) => name !== type && of(name) !== undefined)
    .map((name) => ({
      code: 'SPEC-079',
      path: [...base, 'destination', name],
      atKey: true,
      summary: `The section "${name}" stands in a destination of type ${type}.`,
      remedy: `Remove the section, or write type: ${name}.`,
      related: [[...base, 'destination', 'type']],
    }));
  if (type === 'stateDisk' || of(type) !== undefined) return foreign;
  return [
    ...foreign,
    {
      code: 'SPEC-079',
      path: [...base, 'destination', 'type'],
      summary: `A destination of type ${type} needs a section "${type}" that describes it.`,
      remedy: `Add "${type}:" with its fields below "destination".`,
      related: [[...base, 'destination', type]],
    },
  ];
}

const zone = ({ timeZone }: Backup): DocumentProblem[] =>
  isTimeZone(timeZone)
    ? []
    : [
        {
          code: 'SPEC-058',
          path: [...base, 'timeZone'],
          summary: `"${timeZone}" is not a known time zone.`,
          remedy: timeZoneRemedy(timeZone),
        },
      ];

/** Where a cluster's document names secrets, and the servers they are for. */
export function clusterSecretUses({ spec }: ClusterDocument): SecretUse[] {
  const { ssh, s3 } = spec.backup?.destination ?? {};
  const use = (name: 'ssh' | 's3', source: SecretSource, destination: string): SecretUse => ({
    path: [...base, 'destination', name, 'credentials'],
    source,
    destination,
  });
  return [
    ...(ssh === undefined ? [] : [use('ssh', ssh.credentials, serverOfBackup({ ...ssh, type: 'ssh' }))]),
    ...(s3 === undefined ? [] : [use('s3', s3.credentials, serverOfBackup({ ...s3, type: 's3' }))]),
    ...authoritySecretUses({ spec }),
    ...hookSecretUses({ spec }),
  ];
}
