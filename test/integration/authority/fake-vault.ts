import { once } from 'node:events';
import { X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { authorityExtensions, type OpenSsl } from './openssl.ts';

/** How the fake misbehaves. */
export interface Manners {
  /** Answers every request so. */
  status?: number;
  /** Signs another key than was asked. */
  signsOther?: string;
  /** Answers nothing of the engine. */
  isSomethingElse?: boolean;
}

/**
 * A fake of the PKI engine of Vault and OpenBao: the two questions that Remuda asks, over real HTTPS, answered with what
 * a real authority (OpenSSL's) signs. Field names are those of the API's documentation.
 */
export class FakeVault {
  readonly token = 'hvs.fake-token-of-a-fake-vault';
  readonly manners: Manners = {};
  /** Paths that were asked, with their method. */
  readonly asked: string[] = [];
  signed = 0;
  readonly #openssl: OpenSsl;
  /** Name of the authority that signs, and the names above it. */
  readonly #chain: readonly string[];
  #server: Server | undefined;

  constructor(openssl: OpenSsl, chain: readonly string[]) {
    this.#openssl = openssl;
    this.#chain = chain;
  }

  /** Listens with a certificate of its own. @returns `https://127.0.0.1:PORT` */
  async start(certificate: string, key: string): Promise<string> {
    const server = createServer({ cert: certificate, key }, (request, response) =>
      this.#take(request, response),
    );
    this.#server = server;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
    if (this.#server !== undefined) await once(this.#server, 'close');
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString('utf8')));
    request.once('end', () => {
      this.asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      const { status, text } = this.#answer(request, body);
      response.writeHead(status, { 'content-type': 'application/json', location: 'https://192.0.2.1/' });
      response.end(text);
    });
  }

  #answer({ url, method, headers }: IncomingMessage, body: string): { status: number; text: string } {
    const { status, isSomethingElse } = this.manners;
    if (status !== undefined) return { status, text: '{"errors":["a word that must not be repeated"]}' };
    if (isSomethingElse === true) return { status: 200, text: '<html>welcome</html>' };
    const chain = this.#chain.map((name) => this.#openssl.read(`${name}.crt`).trim());
    if (method === 'GET' && url === '/v1/pki/cert/ca_chain')
      return { status: 200, text: JSON.stringify({ data: { certificate: chain.join('\n') } }) };
    if (headers['x-vault-token'] !== this.token)
      return { status: 403, text: '{"errors":["permission denied"]}' };
    if (method !== 'POST' || url !== '/v1/pki/root/sign-intermediate') return { status: 404, text: '{}' };
    if (this.#isTooLong(body))
      return { status: 400, text: '{"errors":["cannot satisfy request, as TTL would result in notAfter"]}' };
    const certificate = this.#sign(JSON.parse(body) as { csr: string; max_path_length: number; ttl: string });
    const data = { certificate, issuing_ca: chain[0], ca_chain: chain, serial_number: String(this.signed) };
    return { status: 200, text: JSON.stringify({ data }) };
  }

  /** As the engine refuses by default what would outlive its authority (leaf_not_after_behavior: err). */
  #isTooLong(body: string): boolean {
    const { ttl } = JSON.parse(body) as { readonly ttl: string };
    const { validToDate } = new X509Certificate(this.#openssl.read(`${this.#chain[0]}.crt`));
    return Date.now() + Number.parseInt(ttl, 10) * 1000 > validToDate.getTime();
  }

  #sign(wish: { readonly csr: string; readonly max_path_length: number; readonly ttl: string }): string {
    const [by = ''] = this.#chain;
    this.signed += 1;
    const name = `signed-${this.signed}`;
    const request = this.manners.signsOther ?? this.#openssl.write(`${name}.csr`, wish.csr);
    const days = Math.floor(Number.parseInt(wish.ttl, 10) / 86_400);
    this.#openssl.sign(request, `${name}.crt`, {
      by,
      extensions: authorityExtensions(wish.max_path_length),
      days,
    });
    return this.#openssl.read(`${name}.crt`).trim();
  }
}
