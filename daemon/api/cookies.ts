/** `__Host-`: set by this host alone, over TLS, for every path (RFC 6265bis §4.1.3.2). */
export const cookieNames = { session: '__Host-remuda-session', device: '__Host-remuda-device' } as const;

/** Chromium keeps none for longer. */
const deviceDays = 400;

/** The value of a cookie; the first one when a name is there twice. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const at = pair.indexOf('=');
    if (pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

const attributes = 'Path=/; Secure; HttpOnly';

/** Lax: a link from another page keeps one signed in. It ends with the browser, and on the server before. */
export const sessionCookie = (secret: string): string =>
  `${cookieNames.session}=${secret}; ${attributes}; SameSite=Lax`;

export const endedSessionCookie = `${cookieNames.session}=; ${attributes}; SameSite=Lax; Max-Age=0`;

/** Only sign-in looks at it, and that comes from our own page. */
export const deviceCookie = (value: string): string =>
  `${cookieNames.device}=${value}; ${attributes}; SameSite=Strict; Max-Age=${deviceDays * 24 * 60 * 60}`;
