import type { ProblemDetails } from '../../../../daemon/api/types.ts';

/** The daemon refused; its answer says why and what to do. */
export class Refusal extends Error {
  readonly details: ProblemDetails;
  /** Seconds until it is worth trying again, when the daemon said so. */
  readonly retryAfter: number | undefined;

  constructor(details: ProblemDetails, retryAfter?: number) {
    super(details.title);
    this.name = 'Refusal';
    this.details = details;
    this.retryAfter = retryAfter;
  }
}

/** The daemon did not answer, or something else answered in its place. */
export class ServerAway extends Error {
  constructor(cause: unknown) {
    super('The Remuda daemon does not answer.', { cause });
    this.name = 'ServerAway';
  }
}

/** One call of the API. */
interface Call {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Made by a timer, not by a person: it does not keep the session awake. */
  readonly isBackground?: boolean;
}

/** An answer with what stood in its headers. */
export interface Answered<Body> {
  readonly body: Body;
  /** The object's revision, from `ETag`. */
  readonly revision: string | undefined;
}

/** Code of "nobody is signed in": a wrong password is refused with the same status, but ends nothing. */
const noSession = ':ACCESS-001';

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** The session's word against forged requests; only this page knows it. Undefined = not signed in. */
let forgeryGuard: string | undefined;
let onSessionEnd: () => void = () => undefined;

/** Sets the header value that proves that a change was asked for by this page. */
export function setForgeryGuard(value: string | undefined): void {
  forgeryGuard = value;
}

/** Calls back when the daemon no longer knows the session. */
export function whenSessionEnds(callback: () => void): void {
  onSessionEnd = callback;
}

/**
 * Calls the API. The caller names the answer's type; the daemon guarantees it by its schemas.
 * @throws Refusal, ServerAway
 */
export async function call<Body>(method: Method, path: string, asked: Call = {}): Promise<Answered<Body>> {
  const response = await send(method, path, asked);
  const text = await response.text().catch((error: unknown) => {
    throw new ServerAway(error);
  });
  if (response.ok) {
    const body = (text === '' ? undefined : JSON.parse(text)) as Body;
    return { body, revision: response.headers.get('ETag')?.replaceAll('"', '') };
  }
  const details = detailsOf(text);
  if (details === undefined) throw new ServerAway(`status ${response.status}`);
  if (details.type.endsWith(noSession) && forgeryGuard !== undefined) onSessionEnd();
  const retryAfter = Number(response.headers.get('Retry-After') ?? Number.NaN);
  throw new Refusal(details, Number.isFinite(retryAfter) ? retryAfter : undefined);
}

/** {@link call} for those who want only the body of a `GET`. */
export const get = async <Body>(path: string, asked: Call = {}): Promise<Body> =>
  (await call<Body>('GET', path, asked)).body;

/** {@link call} for those who want only the body of a `POST`. */
export const post = async <Body>(path: string, body: unknown, asked: Call = {}): Promise<Body> =>
  (await call<Body>('POST', path, { ...asked, body })).body;

/** All pages of a list. @throws Refusal, ServerAway */
export async function list<Item>(path: string, asked: Call = {}): Promise<readonly Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = await get<{ readonly items: readonly Item[]; readonly next?: string }>(path, {
      ...asked,
      query: { limit: 1000, ...asked.query, cursor },
    });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return items;
}

async function send(method: Method, path: string, asked: Call): Promise<Response> {
  const url = new URL(path, globalThis.location.origin);
  for (const [name, value] of Object.entries(asked.query ?? {}))
    if (value !== undefined) url.searchParams.set(name, String(value));
  const headers: Record<string, string> = { Accept: 'application/json', ...asked.headers };
  if (asked.body !== undefined) headers['Content-Type'] = 'application/json';
  if (asked.isBackground) headers['X-Remuda-Background'] = '1';
  if (method !== 'GET' && forgeryGuard !== undefined) headers['X-Remuda-Csrf'] = forgeryGuard;
  try {
    return await fetch(url, {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
      ...(asked.signal ? { signal: asked.signal } : {}),
    });
  } catch (error) {
    if (asked.signal?.aborted) throw error;
    throw new ServerAway(error);
  }
}

/** The problem in a body, when it is one of ours and not a proxy's page. */
function detailsOf(text: string): ProblemDetails | undefined {
  try {
    const body = JSON.parse(text) as Partial<ProblemDetails>;
    const isOurs = typeof body.type === 'string' && body.type.startsWith('urn:remuda:') && body.problems;
    return isOurs ? (body as ProblemDetails) : undefined;
  } catch {
    return undefined;
  }
}
