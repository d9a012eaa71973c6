const longForm = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const shortForm = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dayForm = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});

/** An instant (RFC 3339) as {@link Time} shows it in full, where only text may stand. */
export const fullTime = (at: string): string => longForm.format(new Date(at));

/** An instant in the reader's own time zone; UTC on hover and for machines. */
export function Time(props: {
  /** RFC 3339. */
  readonly at: string;
  /** `clock`: today's time only; `day`: day and minute; `full`: everything. */
  readonly form?: 'clock' | 'day' | 'full';
}): React.JSX.Element {
  const { at, form = 'day' } = props;
  const date = new Date(at);
  const forms = { clock: shortForm, day: dayForm, full: longForm };
  return (
    <time dateTime={at} title={`${date.toISOString().replace('T', ' ').slice(0, 19)} UTC`}>
      {forms[form].format(date)}
    </time>
  );
}

/** A length of time as people say it: `4 min 12 s`. Milliseconds. */
export function durationText(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
