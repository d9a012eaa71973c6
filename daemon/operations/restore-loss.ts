import type { Intent } from '../../provisioners/contract/intent.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';

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

/**
 * What a restore loses as it stands now, sentences for whoever has to agree. Not part of the plan: it changes from one
 * moment to the next, and the plan that was read is to be the one that is run. `now`: milliseconds.
 */
export function lossText(
  { source }: Extract<Intent, { kind: 'restore' }>,
  observed: Observed | undefined,
  now: number,
): string {
  const seen = newest(observed);
  const lines =
    source.from === 'backup'
      ? [
          `LOST: everything written since the backup, ${spanText(now - Date.parse(source.at))} ago.`,
          ...(seen === undefined || seen.revision <= source.revision
            ? ['How many changes that are cannot be told: no member of etcd answers with a newer revision.']
            : [
                `etcd on ${seen.name} stands at revision ${seen.revision}: ${seen.revision - source.revision} changes newer than the backup.`,
                `Where the majority is gone for ever, "--from survivor" goes on with the data of a master that is left instead, which is newer than every backup.`,
              ]),
        ]
      : [
          `LOST: what had been acknowledged elsewhere and had not reached ${source.machine}${seen?.name === source.machine ? `, which stands at revision ${seen.revision}` : ''}.`,
          ...(seen !== undefined && seen.name !== source.machine
            ? [`etcd on ${seen.name} speaks of revision ${seen.revision}: its data may be newer.`]
            : []),
          'A backup would lose more: everything written since it was made.',
        ];
  return `\n${lines.join('\n')}\n`;
}
