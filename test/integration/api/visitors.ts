import { io, type Socket } from 'socket.io-client';
import { livePath } from '../../../daemon/api/schemas/live.ts';
import { FakeBrowser, goodPassword } from './fake-browser.ts';
import type { FakeSite } from './fake-site.ts';

/** The session's cookie. */
export const sessionName = '__Host-remuda-session';

/** A browser that was never here. */
export const browserOf = (site: FakeSite): FakeBrowser =>
  new FakeBrowser({ url: site.url, certificate: site.authority.certificate });

/** Somebody in a browser of her own. @throws Error when she is not let in */
export async function signedIn(site: FakeSite, name: string): Promise<FakeBrowser> {
  const browser = browserOf(site);
  const { status } = await browser.signIn(name);
  if (status !== 200) throw new Error(`${name} was answered ${status}`);
  return browser;
}

/** Alice, the administrator, in her browser. */
export async function owner(site: FakeSite): Promise<FakeBrowser> {
  await site.door.people.add({ name: 'alice', role: 'admin', password: goodPassword });
  return signedIn(site, 'alice');
}

/** What a browser sends with the handshake of a socket. */
export const cookieOf = (site: FakeSite, browser: FakeBrowser): Readonly<Record<string, string>> => ({
  Cookie: `${sessionName}=${browser.cookies.get(sessionName) ?? ''}`,
  Origin: site.url,
});

/** The next message of a name. */
export const heard = (socket: Socket, name: string): Promise<unknown> =>
  new Promise((resolve) => {
    socket.once(name, resolve);
  });

/** Live connections of one test, ended together. */
export class Sockets implements Disposable {
  readonly #site: FakeSite;
  readonly #open: Socket[] = [];

  constructor(site: FakeSite) {
    this.#site = site;
  }

  connect(
    auth: { readonly token: string } | undefined,
    headers: Readonly<Record<string, string>> = {},
  ): Socket {
    const socket = io(this.#site.url, {
      path: livePath,
      transports: ['websocket'],
      ...(auth ? { auth } : {}),
      ca: this.#site.authority.certificate,
      reconnection: false,
      forceNew: true,
      extraHeaders: headers,
    });
    this.#open.push(socket);
    return socket;
  }

  [Symbol.dispose](): void {
    for (const socket of this.#open) socket.disconnect();
  }
}
