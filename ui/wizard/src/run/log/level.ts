/** How serious a line looks. Machines write text, not levels: this reads the text, and the page says so. */
export const levels = ['plain', 'warning', 'error'] as const;
/** See {@link levels}. */
export type Level = (typeof levels)[number];

/** klog's head, as all of Kubernetes writes it: severity, month and day. */
const klog = /^([IWEF])\d{4} /;
const errorWord = /\b(?:error|fatal|panic|failed|failure|cannot|refused)\b/i;
const warningWord = /\b(?:warn|warning|deprecated|retrying|timed out)\b/i;

/** What a line looks like by its own severity mark, else by its words. */
export function levelOf(text: string): Level {
  const severity = klog.exec(text)?.[1];
  if (severity === 'E' || severity === 'F') return 'error';
  if (severity === 'W') return 'warning';
  if (severity === 'I') return 'plain';
  if (errorWord.test(text)) return 'error';
  return warningWord.test(text) ? 'warning' : 'plain';
}
