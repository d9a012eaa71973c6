import type { Answer } from './http.ts';
import { ask } from './http.ts';

/** Where a browser points: what a fake site and a real daemon have in common. */
export interface Server {
  readonly url: string;
  readonly certificate: string;
}

/** A password that the rules take. */
export const goodPassword = 'correct horse battery staple';

/**
 * A fake of a browser, named as one: it keeps cookies, sends its origin and the CSRF header as our page does. What a
 * test wants otherwise it says.
 */
export class FakeBrowser {
  readonly cookies = new Map<string, string>();
  csrf = '';
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  /** One request as a page of the server sends it; `headers` may take any of it away with an empty text. */
  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const all: Record<string, string> = {
      Cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      ...(method === 'GET'
        ? {}
        : { Origin: this.#server.url, 'Sec-Fetch-Site': 'same-origin', 'X-Remuda-Csrf': this.csrf }),
      ...headers,
    };
    const answer = await ask(this.#server.url + path, this.#server.certificate, {
      method,
      headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '')),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    for (const cookie of [answer.headers['set-cookie'] ?? []].flat()) this.#keep(cookie);
    const { csrf } = (answer.json ?? {}) as { readonly csrf?: unknown };
    if (typeof csrf === 'string') this.csrf = csrf;
    return answer;
  }

  get(path: string): Promise<Answer> {
    return this.send('GET', path);
  }

  /** Signs in with name and password. */
  signIn(name: string, password: string = goodPassword, more: object = {}): Promise<Answer> {
    return this.send('POST', '/api/v1/session', { name, password, ...more });
  }

  #keep(cookie: string): void {
    const [pair = ''] = cookie.split(';');
    const at = pair.indexOf('=');
    if (/Max-Age=0/.test(cookie)) this.cookies.delete(pair.slice(0, at));
    else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
}

/** Code of the first problem of an answer. */
export const codeOf = ({ json }: Answer): string =>
  (json as { readonly problems?: readonly { readonly code: string }[] } | undefined)?.problems?.[0]?.code ??
  '';
