import { Temporal } from 'temporal-polyfill';
import type { Instant } from '../../provisioners/contract/time.ts';

/** When Remuda may work by itself: `spec.maintenance.windows` of a cluster. */
export interface MaintenanceWindow {
  readonly days: readonly ('Mon' | 'Tue' | 'Wed' | 'Thu' | 'Fri' | 'Sat' | 'Sun')[];
  /** `HH:MM` on the clock of the zone. */
  readonly from: string;
  /** Earlier than `from`: on the next day. */
  readonly to: string;
  /** IANA name. */
  readonly timeZone: string;
}

/** Whether work may go on at some instant, and until when that is so. */
export type WindowState =
  /** `until` and its zone are absent when it never closes: there are no windows, or they cover the whole week. */
  | { readonly state: 'open'; readonly until?: Instant; readonly timeZone?: string }
  | {
      readonly state: 'closed';
      readonly opensAt: Instant;
      readonly closesAt: Instant;
      /** Zone of the window that opens first. */
      readonly timeZone: string;
    };

/** One opening, in milliseconds since the epoch. */
interface Opening {
  readonly from: number;
  readonly to: number;
  /** Zone by whose clock it opens, and by whose it closes: two windows that overlap are one opening. */
  readonly opensIn: string;
  readonly closesIn: string;
}

const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

/**
 * Days ahead for which openings are listed. A week holds every opening there is; one that falls into the hour that a
 * clock leaves out is missing that week, so the next may be two weeks away.
 */
const daysAhead = 16;

/** Longer than a week at a stretch, with a clock's jump, means always: openings come again every week. */
const longestStretch = 8 * 24 * 3_600_000;

/**
 * The first instant at which the clock of a zone shows the given time or a later one. A time that the clock leaves out
 * is the instant of the jump; one that it shows twice is the first of the two. So the order of times on the clock is the
 * order of instants, and a window that is set inside an hour left out does not open.
 */
function firstInstant(time: Temporal.PlainDateTime, timeZone: string): number {
  const first = time.toZonedDateTime(timeZone, { disambiguation: 'earlier' });
  if (first.toPlainDateTime().equals(time)) return first.epochMilliseconds;
  const { offsetNanoseconds } = first;
  // Some entries of the database change a zone's name and not its offset: those are no jumps.
  for (
    let jump = first.getTimeZoneTransition('next');
    jump !== null;
    jump = jump.getTimeZoneTransition('next')
  )
    if (jump.offsetNanoseconds !== offsetNanoseconds) return jump.epochMilliseconds;
  throw new RangeError(`${time.toString()} is left out in ${timeZone}, and no jump explains it`);
}

/** Openings of a window around an instant, those that last no time left out. */
function openingsOf({ days, from, to, timeZone }: MaintenanceWindow, at: number): Opening[] {
  const today = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone).toPlainDate();
  const [opens, closes] = [Temporal.PlainTime.from(from), Temporal.PlainTime.from(to)];
  const nights = Temporal.PlainTime.compare(closes, opens) > 0 ? 0 : 1;
  return Array.from({ length: daysAhead + 3 }, (_, index) => today.add({ days: index - 2 })).flatMap(
    (date) => {
      const day = weekdays[date.dayOfWeek - 1];
      if (day === undefined || !days.includes(day)) return [];
      const opening = {
        from: firstInstant(date.toPlainDateTime(opens), timeZone),
        to: firstInstant(date.add({ days: nights }).toPlainDateTime(closes), timeZone),
        opensIn: timeZone,
        closesIn: timeZone,
      };
      return opening.from < opening.to ? [opening] : [];
    },
  );
}

/** Openings in their order, those that overlap or touch as one. */
function merged(openings: readonly Opening[]): Opening[] {
  const result: Opening[] = [];
  for (const opening of [...openings].sort((a, b) => a.from - b.from || a.to - b.to)) {
    const last = result.at(-1);
    if (last === undefined || opening.from > last.to) result.push(opening);
    else if (opening.to > last.to)
      result.splice(-1, 1, { ...last, to: opening.to, closesIn: opening.closesIn });
  }
  return result;
}

const instantOf = (milliseconds: number): Instant => new Date(milliseconds).toISOString();

/**
 * Whether one of the windows is open at an instant, and until when; or when the next one opens. An instant belongs to
 * the window that opens at it, and not to the one that closes at it.
 * @throws RangeError for a zone that does not exist or a window that never opens: the answer file is checked for both
 */
export function windowAt(windows: readonly MaintenanceWindow[], instant: Instant): WindowState {
  if (windows.length === 0) return { state: 'open' };
  const at = Date.parse(instant);
  const openings = merged(windows.flatMap((window) => openingsOf(window, at)));
  const open = openings.find(({ from, to }) => from <= at && at < to);
  if (open !== undefined && open.to - at > longestStretch) return { state: 'open' };
  if (open !== undefined) return { state: 'open', until: instantOf(open.to), timeZone: open.closesIn };
  const next = openings.find(({ from }) => from > at);
  if (next === undefined) throw new RangeError('no maintenance window ever opens');
  return {
    state: 'closed',
    opensAt: instantOf(next.from),
    closesAt: instantOf(next.to),
    timeZone: next.opensIn,
  };
}
