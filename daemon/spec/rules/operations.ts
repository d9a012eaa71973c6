import type { DocumentProblem } from '../issue.ts';
import type { Path } from '../schema/walk.ts';
import { nearest } from '../suggestion.ts';
import type { ClusterContext } from './context.ts';

/** An upgrade must be able to move: one machine more, or one machine less. */
export function upgradePace({ cluster, isWritten }: ClusterContext): DocumentProblem[] {
  const { strategy, maxSurge, maxUnavailable } = cluster.spec.upgrade;
  if (strategy === 'InPlace' || maxSurge > 0 || maxUnavailable > 0) return [];
  const surge: Path = ['spec', 'upgrade', 'maxSurge'];
  const unavailable: Path = ['spec', 'upgrade', 'maxUnavailable'];
  return [
    {
      code: 'SPEC-056',
      path: isWritten(surge) ? surge : unavailable,
      summary: 'With maxSurge 0 and maxUnavailable 0 no worker could ever be replaced.',
      remedy: 'Write maxSurge: 1 or maxUnavailable: 1.',
    },
  ];
}

/** Maintenance windows: open for some time, in a time zone that exists. */
export function maintenanceWindows({ cluster }: ClusterContext): DocumentProblem[] {
  return cluster.spec.maintenance.windows.flatMap((window, index) => {
    const base: Path = ['spec', 'maintenance', 'windows', index];
    const problems: DocumentProblem[] = [];
    if (window.from === window.to)
      problems.push({
        code: 'SPEC-057',
        path: [...base, 'to'],
        summary: `The window closes at ${window.to}, the very minute it opens.`,
        remedy: 'Write a later time; a time before "from" means on the next day.',
        related: [[...base, 'from']],
      });
    if (!isTimeZone(window.timeZone))
      problems.push({
        code: 'SPEC-058',
        path: [...base, 'timeZone'],
        summary: `"${window.timeZone}" is not a known time zone.`,
        remedy: timeZoneRemedy(window.timeZone),
      });
    return problems;
  });
}

/** As many machines Ready as no group has is a share that lacks its sign, or a slip. */
export function minimumReady({ cluster }: ClusterContext): DocumentProblem[] {
  const { workers, maintenance } = cluster.spec;
  const { minimumReady: asked } = maintenance;
  const largest = Math.max(0, ...workers.map(({ replicas }) => replicas));
  if (typeof asked === 'string' || asked <= largest) return [];
  return [
    {
      code: 'SPEC-067',
      path: ['spec', 'maintenance', 'minimumReady'],
      summary: `No worker group has ${asked} machines; the largest has ${largest}.`,
      remedy: asked <= 100 ? `Write ${asked}% if a share is meant.` : `Write a share such as 80%.`,
    },
  ];
}

/** The zone that was most likely meant, among those this system knows. */
export function timeZoneRemedy(name: string): string {
  const meant = nearest(name, Intl.supportedValuesOf('timeZone'));
  return meant === undefined ? 'Write an IANA name such as Europe/Berlin, or UTC.' : `Did you mean ${meant}?`;
}

/** Whether this system knows a time zone of that IANA name. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== '';
  } catch {
    // The constructor throws a RangeError for a name it does not know; there is no other way to ask.
    return false;
  }
}
