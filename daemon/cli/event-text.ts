import { cleanLine } from './clean-text.ts';

/** What an event carries, as a person reads it: no braces and quotes. Clipped to `width` characters. */
export function eventDataText(data: unknown, width = 200): string {
  const text = cleanLine(textOf(data));
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}

function textOf(data: unknown): string {
  if (!isRecord(data)) return data === null || data === undefined ? '' : String(data);
  const { title, what, lastSeen, done, total, state, changed, attempt, ...rest } = data;
  const parts: string[] = [];
  if (typeof title === 'string') parts.push(title);
  if (typeof what === 'string' && typeof total === 'number')
    parts.push(`${String(done)} of ${total} ${what}`);
  else if (typeof what === 'string') parts.push(`waits for ${what}`);
  if (typeof lastSeen === 'string' && lastSeen !== what) parts.push(`last seen: ${lastSeen}`);
  if (typeof state === 'string') parts.push(changed === false ? `${state}, it was so already` : state);
  if (typeof attempt === 'number' && attempt > 1) parts.push(`attempt ${attempt}`);
  // The title says whom it is about.
  const more = typeof title === 'string' ? {} : rest;
  for (const [name, value] of Object.entries(more)) parts.push(`${name}: ${valueText(value)}`);
  return parts.join('; ');
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(valueText).join(' ');
  if (!isRecord(value)) return String(value);
  const { code, summary } = value;
  if (typeof code === 'string' && typeof summary === 'string') return `${code}: ${summary}`;
  return JSON.stringify(value);
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
