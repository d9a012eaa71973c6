import { describe, expect, it } from 'vitest';
import { backupDestinationSchema, backupManifestSchema } from '../../../provisioners/contract/backup.ts';

const s3 = {
  type: 's3',
  endpoint: 'https://s3.example:9000',
  bucket: 'backups',
  credentials: { secretRef: 'bucket' },
};

describe('where backups may go', () => {
  it.each([
    ['an address without protection', { ...s3, endpoint: 'http://s3.example' }],
    ['a password in the address', { ...s3, endpoint: 'https://user:pw@s3.example' }],
    ['a prefix that climbs out', { ...s3, prefix: '/elsewhere' }],
    ['a credential that stands there itself', { ...s3, credentials: { secretAccessKey: 'x' } }],
    ['a path that is not absolute', { type: 'path', path: 'backups' }],
    ['a path that climbs', { type: 'path', path: '/mnt/../etc' }],
    ['a path that climbs at its end', { type: 'path', path: '/mnt/..' }],
    [
      'an SSH server that anybody could be',
      {
        type: 'ssh',
        host: 'h',
        user: 'u',
        path: '/b',
        hostKeys: [],
        credentials: { secretRef: 'k' },
      },
    ],
    ['something unknown', { type: 'ftp', host: 'h' }],
  ])('not %s', (_what, destination) => {
    expect(backupDestinationSchema.safeParse(destination).success).toBe(false);
  });

  it.each([
    s3,
    { ...s3, prefix: 'site-1/remuda' },
    { type: 'stateDisk' },
    { type: 'path', path: '/mnt/..backups' },
  ])('but $type', (destination) => {
    expect(backupDestinationSchema.safeParse(destination).success).toBe(true);
  });

  it('is believed to be mounted unless somebody says otherwise', () => {
    expect(backupDestinationSchema.parse({ type: 'path', path: '/mnt/b' })).toMatchObject({
      mustBeMounted: true,
    });
  });
});

describe('what an older release makes of a newer manifest', () => {
  const manifest = {
    format: 1,
    id: '20261121T050000Z-00000000000000aa',
    cluster: { uid: 'u1', name: 'east' },
    at: '2026-11-21T05:00:00.000Z',
    kubernetesVersion: 'v1.20.2',
    etcdVersion: '3.4.23',
    revision: 7,
    member: 'cp-1',
    contains: ['etcd', 'keys'],
    snapshot: { bytes: 544, sha256: 'a' },
    file: { bytes: 900, sha256: 'b' },
  };

  it('reads it without what it does not know, and leaves another format alone', () => {
    expect(backupManifestSchema.parse({ ...manifest, colour: 'bay' })).toEqual(manifest);
    expect(backupManifestSchema.safeParse({ ...manifest, format: 2 }).success).toBe(false);
    expect(backupManifestSchema.safeParse({ ...manifest, id: '../../etc/passwd' }).success).toBe(false);
  });
});
