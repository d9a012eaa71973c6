import { type BackupDestination, backupDestinationSchema } from '../../provisioners/contract/backup.ts';
import type { ProviderDocument } from './documents.ts';

/** The server a provider sends its secrets to: what they are bound to. Undefined where it names no such server. */
export function secretDestination({ spec }: Pick<ProviderDocument, 'spec'>): string | undefined {
  if (spec.vsphere) return spec.vsphere.server;
  return spec.ec2 && (spec.ec2.endpoint ?? `ec2:${spec.ec2.region}`);
}

/** As much of a place for backups as says which server its secret is given to. */
type BackupServer =
  | { readonly type: 'ssh'; readonly host: string; readonly port: number }
  | { readonly type: 's3'; readonly endpoint: string };

/** The server that the secret of a place for backups is given to: its host, and its port where that is not the usual one. */
export function serverOfBackup(place: BackupServer): string {
  if (place.type === 'ssh') return place.port === 22 ? place.host : `${place.host}:${place.port}`;
  return URL.canParse(place.endpoint) ? new URL(place.endpoint).host : place.endpoint;
}

/** The secret of a place for backups and the server it is for; undefined where it takes none. */
export function secretOfBackup(
  place: BackupDestination,
): { readonly name: string; readonly destination: string } | undefined {
  if (place.type === 'stateDisk' || place.type === 'path') return undefined;
  return { name: place.credentials.secretRef, destination: serverOfBackup(place) };
}

/** The place for backups that a step's input names, at whatever depth; undefined when it names none. */
export function backupDestinationIn(input: unknown): BackupDestination | undefined {
  if (input === null || typeof input !== 'object') return undefined;
  const own = 'destination' in input ? backupDestinationSchema.safeParse(input.destination).data : undefined;
  if (own !== undefined) return own;
  for (const part of Object.values(input)) {
    const found = backupDestinationIn(part);
    if (found !== undefined) return found;
  }
  return undefined;
}
