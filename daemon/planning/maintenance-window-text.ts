import { Temporal } from 'temporal-polyfill';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { WindowState } from './maintenance-window.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** `5 h`, `2 d 3 h`, `40 min`: the two largest units; less than a minute is one. */
function lengthText(milliseconds: number): string {
  const minutes = Math.max(1, Math.round(milliseconds / minute));
  const units: [number, string][] = [
    [Math.floor(minutes / 1440), 'd'],
    [Math.floor(minutes / 60) % 24, 'h'],
    [minutes % 60, 'min'],
  ];
  const first = units.findIndex(([count]) => count > 0);
  return units
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

const clock = (time: Temporal.ZonedDateTime | Temporal.PlainDateTime): string =>
  time.toPlainTime().toString({ smallestUnit: 'minute' });

const weekday = (time: Temporal.ZonedDateTime | Temporal.PlainDateTime): string =>
  weekdays[time.dayOfWeek - 1] ?? '';

/** The day by its name, with the date where the name alone could be taken for a nearer day. */
const dayText = (time: Temporal.ZonedDateTime, away: number): string =>
  away < 6 * day ? weekday(time) : `${weekday(time)} ${time.toPlainDate().toString()}`;

/** How a zone's clock jumps between now and then; empty when it does not, or jumps and jumps back. */
function shiftText(now: Temporal.ZonedDateTime, then: Temporal.ZonedDateTime): string {
  const shift = then.offsetNanoseconds - now.offsetNanoseconds;
  if (shift === 0) return '';
  let jump = now.getTimeZoneTransition('next');
  while (jump !== null && jump.offsetNanoseconds === now.offsetNanoseconds)
    jump = jump.getTimeZoneTransition('next');
  if (jump === null) return '';
  // The time at which people see it happen is that of the clock before the jump.
  const seen = jump.subtract({ nanoseconds: 1 }).toPlainDateTime().round({ smallestUnit: 'minute' });
  const direction = shift > 0 ? 'forward' : 'back';
  return `; the clocks go ${direction} by ${lengthText(Math.abs(shift) / 1e6)} on ${weekday(seen)} ${clock(seen)}`;
}

/** How a moment is told: with how far it is away, or in words that stay true while time goes on. */
type Form = 'relative' | 'lasting';

/** `Sat 22:00 Europe/Berlin (20:00 UTC), in 5 h`, and the jump of the clock in between if there is one. */
function momentText(instant: Instant, timeZone: string, now: Instant, form: Form): string {
  const [then, present] = [instant, now].map((each) =>
    Temporal.Instant.from(each).toZonedDateTimeISO(timeZone),
  );
  if (then === undefined || present === undefined) return instant;
  const away = then.epochMilliseconds - present.epochMilliseconds;
  const utc = then.withTimeZone('UTC');
  const utcDay = utc.dayOfWeek === then.dayOfWeek ? '' : `${weekday(utc)} `;
  const inUtc = timeZone === 'UTC' ? '' : ` (${utcDay}${clock(utc)} UTC)`;
  const dated = form === 'relative' ? dayText(then, away) : dayText(then, Number.POSITIVE_INFINITY);
  const distance = form === 'relative' ? `, in ${lengthText(away)}` : '';
  return `${dated} ${clock(then)} ${timeZone}${inUtc}${distance}${shiftText(present, then)}`;
}

/**
 * A window's state in a sentence's end: `open until Sat 22:00 Europe/Berlin (20:00 UTC), in 5 h`, `opens Sat …`, or
 * `open at any time`. In the lasting form the day has its date, and nothing is told from now.
 */
export function windowText(window: WindowState, now: Instant, form: Form = 'relative'): string {
  if (window.state === 'closed') return `opens ${momentText(window.opensAt, window.timeZone, now, form)}`;
  if (window.until === undefined) return 'open at any time';
  return `open until ${momentText(window.until, window.timeZone ?? 'UTC', now, form)}`;
}
