import type { Intent } from '../../provisioners/contract/intent.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import type { Instant } from '../../provisioners/contract/time.ts';

/** `2 days 3 hours`, `14 minutes`: the two largest parts. */
function spanText(milliseconds: number): string {
  const minutes = Math.max(0, Math.floor(milliseconds / 60_000));
  const parts: readonly [number, string][] = [
    [Math.floor(minutes / 1440), 'day'],
    [Math.floor((minutes % 1440) / 60), 'hour'],
    [minutes % 60, 'minute'],
  ];
  const told = parts.filter(([count]) => count > 0).slice(0, 2);
  if (told.length === 0) return 'less than a minute';
  return told.map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`).join(' ');
}

/** The newest revision that a member of etcd speaks of, with its name. */
function newest(observed: Observed | undefined) {
  const told = (observed?.voters ?? []).flatMap(({ name, revision }) =>
    revision === undefined ? [] : [{ name, revision }],
  );
  return told.toSorted((one, other) => other.revision - one.revision)[0];
}

/** What the journal knows of the time since a backup was made. */
export interface SinceBackup {
  /** When it was made by the daemon's clock, where the journal knows it; else as the backup says itself. */
  readonly madeAt: Instant;
  /** Machines that came to the cluster and that left it, by name. */
  readonly came: readonly string[];
  readonly left: readonly string[];
  /** Masters were told of other authorities since. */
  readonly hasRotated: boolean;
}

const listed = (names: readonly string[]): string =>
  names.length <= 12 ? names.join(', ') : `${names.slice(0, 10).join(', ')} and ${names.length - 10} others`;

function movesText({ came, left, hasRotated }: SinceBackup): string[] {
  return [
    ...(hasRotated
      ? [
          'The authorities were rotated since (remuda certificates rotate): the cluster keeps those of today, and everybody in it is told of them anew. Pods that start before that believe the old ones: start anew those that cannot reach the API.',
        ]
      : []),
    ...(came.length === 0
      ? []
      : [
          `The backup does not know ${listed(came)}, which came since: ${came.length === 1 ? 'it joins' : 'they join'} again.`,
        ]),
    ...(left.length === 0
      ? []
      : [
          `${listed(left)} left since: ${left.length === 1 ? 'its Node comes' : 'their Nodes come'} back without a machine, and ${left.length === 1 ? 'is' : 'are'} listed.`,
        ]),
    'Volumes and load balancers that were made since stay where they are, and nothing names them any more: they are listed after the restore, and none is removed.',
  ];
}

function lostSince(at: string, revision: number, observed: Observed | undefined, now: number): string[] {
  const seen = newest(observed);
  const since = `Everything written since the backup, ${spanText(now - Date.parse(at))} ago.`;
  if (seen === undefined || seen.revision <= revision)
    return [
      since,
      'How many changes that are cannot be told: no member of etcd answers with a newer revision.',
    ];
  const newer = seen.revision - revision;
  return [
    since,
    `etcd on ${seen.name} stands at revision ${seen.revision}: ${newer === 1 ? '1 change' : `${newer} changes`} newer than the backup.`,
    'Where the majority is gone for ever, go on with the data of a machine that is left instead: it is newer than every backup.',
  ];
}

/**
 * What a restore loses as it stands now, sentences for whoever has to agree. Not part of the plan: it changes from one
 * moment to the next, and the plan that was read is to be the one that is run. `now`: milliseconds.
 */
export function lossOf(
  { source }: Extract<Intent, { kind: 'restore' }>,
  observed: Observed | undefined,
  since: SinceBackup,
  now: number,
): readonly string[] {
  if (source.from === 'backup')
    return [...lostSince(since.madeAt, source.revision, observed, now), ...movesText(since)];
  const { machine } = source;
  const seen = newest(observed);
  const where = seen?.name === machine ? `, which stands at revision ${seen.revision}` : '';
  return [
    `What had been acknowledged elsewhere and had not reached ${machine}${where}.`,
    ...(seen !== undefined && seen.name !== machine
      ? [`etcd on ${seen.name} speaks of revision ${seen.revision}: its data may be newer.`]
      : []),
    'A backup would lose more: everything written since it was made.',
  ];
}
