import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BackupManifest, BackupRetention } from '../../../provisioners/contract/backup.ts';
import { expiredBackups } from '../../../provisioners/kubernetes/backup-retention.ts';

const ours = { uid: 'u1', name: 'east' };
const others = { uid: 'u2', name: 'east' };

function backupAt(at: string, cluster = ours, digits = '0000000000000001'): BackupManifest {
  return {
    format: 1,
    id: `${at.replaceAll(/[-:]|\.\d+Z$/g, '')}Z-${digits}`,
    cluster,
    at,
    kubernetesVersion: 'v1.20.2',
    etcdVersion: '3.4.23',
    revision: 7,
    member: 'cp-1',
    contains: ['etcd', 'keys'],
    snapshot: { bytes: 544, sha256: 'a' },
    file: { bytes: 900, sha256: 'b' },
  };
}

const start = Date.parse('2024-01-01T00:00:00.000Z');
const someBackups = fc.array(
  fc
    .record({
      minute: fc.integer({ min: 0, max: 2 * 366 * 24 * 60 }),
      cluster: fc.constantFrom(ours, ours, others),
      digits: fc.stringMatching(/^[0-9a-f]{16}$/),
    })
    .map(({ minute, cluster, digits }) =>
      backupAt(new Date(start + minute * 60_000).toISOString(), cluster, digits),
    ),
  { maxLength: 60 },
);
const count = fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined });
const someRetention = fc
  .record({
    keepLast: count,
    keepHourly: count,
    keepDaily: count,
    keepWeekly: count,
    keepMonthly: count,
    keepYearly: count,
  })
  .map(
    (rules) =>
      Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined)) as BackupRetention,
  );

const newestOf = (backups: readonly BackupManifest[]): BackupManifest | undefined =>
  [...backups]
    .filter(({ cluster }) => cluster.uid === ours.uid)
    .sort((a, b) => (a.at === b.at ? a.id.localeCompare(b.id) : a.at.localeCompare(b.at)))
    .at(-1);

const property = (holds: (backups: readonly BackupManifest[], retention: BackupRetention) => void): void => {
  fc.assert(fc.property(someBackups, someRetention, (backups, retention) => holds(backups, retention)));
};

describe('which backups are kept', () => {
  it('never removes the newest of a cluster', () => {
    property((backups, retention) => {
      expect(expiredBackups(backups, ours, retention)).not.toContain(newestOf(backups));
    });
  });

  it('removes only what it was shown, and nothing of another cluster, whatever its name', () => {
    property((backups, retention) => {
      for (const expired of expiredBackups(backups, ours, retention)) {
        expect(backups).toContain(expired);
        expect(expired.cluster.uid).toBe(ours.uid);
      }
    });
  });

  it('removes nothing more when what it removed is gone', () => {
    property((backups, retention) => {
      const expired = new Set(expiredBackups(backups, ours, retention));
      const left = backups.filter((backup) => !expired.has(backup));
      expect(expiredBackups(left, ours, retention)).toEqual([]);
    });
  });

  it('keeps at most what its rules count together, and more rules never remove more', () => {
    property((backups, retention) => {
      const mine = backups.filter(({ cluster }) => cluster === ours);
      const expired = expiredBackups(mine, ours, retention);
      const rules = Object.values(retention);
      const most = rules.reduce((sum, each) => sum + each, 0);
      if (rules.length > 0) expect(mine.length - expired.length).toBeLessThanOrEqual(Math.max(1, most));
      const more = expiredBackups(mine, ours, { ...retention, keepLast: (retention.keepLast ?? 0) + 1 });
      if (rules.length > 0) for (const each of more) expect(expired).toContain(each);
    });
  });

  it('keeps all without a rule', () => {
    property((backups) => {
      expect(expiredBackups(backups, ours, {})).toEqual([]);
    });
  });

  it('keeps the newest of each period, by the clock of UTC', () => {
    const backups = [
      '2026-11-16T00:00:00.000Z', // Monday
      '2026-11-15T23:59:59.000Z', // Sunday, the week before
      '2026-11-15T01:00:00.000Z',
      '2026-11-09T12:00:00.000Z', // Monday
      '2026-10-31T23:00:00.000Z',
      '2025-12-31T23:59:00.000Z',
    ].map((at) => backupAt(at));
    const left = (retention: BackupRetention): string[] => {
      const expired = new Set(expiredBackups(backups, ours, retention));
      return backups.filter((backup) => !expired.has(backup)).map(({ at }) => at.slice(0, 13));
    };
    expect(left({ keepLast: 2 })).toEqual(['2026-11-16T00', '2026-11-15T23']);
    expect(left({ keepDaily: 3 })).toEqual(['2026-11-16T00', '2026-11-15T23', '2026-11-09T12']);
    expect(left({ keepWeekly: 2 })).toEqual(['2026-11-16T00', '2026-11-15T23']);
    expect(left({ keepMonthly: 2 })).toEqual(['2026-11-16T00', '2026-10-31T23']);
    expect(left({ keepYearly: 5 })).toEqual(['2026-11-16T00', '2025-12-31T23']);
    expect(left({ keepHourly: 3 })).toEqual(['2026-11-16T00', '2026-11-15T23', '2026-11-15T01']);
    expect(left({ keepLast: 1, keepMonthly: 2, keepYearly: 2 })).toEqual([
      '2026-11-16T00',
      '2026-10-31T23',
      '2025-12-31T23',
    ]);
  });
});
