import { once } from 'node:events';
import { createServer, type Server } from 'node:https';

/** What an API server's /readyz says, word for word as kube-apiserver 1.20.2 says it. */
const answers = {
  ready: [200, 'ok'],
  ending: [500, '[+]ping ok\n[+]etcd ok\n[-]shutdown failed: reason withheld\nreadyz check failed\n'],
  'without etcd': [500, '[+]ping ok\n[-]etcd failed: reason withheld\n[+]shutdown ok\nreadyz check failed\n'],
} as const;
export type Readiness = keyof typeof answers;

/** What it serves with, PEM. */
interface Identity {
  readonly certificate: string;
  readonly privateKey: string;
}

/** A fake API server: it says how ready it is, and answers everything else when it is told to, with its own name. */
export class FakeApiServer {
  readiness: Readiness = 'ready';
  /** How long it takes to say so, milliseconds. */
  hesitation = 0;
  readonly name: string;
  readonly #server: Server;
  readonly #waiting: (() => void)[] = [];

  private constructor(name: string, { certificate, privateKey }: Identity) {
    this.name = name;
    this.#server = createServer({ cert: certificate, key: privateKey }, ({ url }, response) => {
      if (url === '/readyz') {
        const [status, text] = answers[this.readiness];
        setTimeout(() => response.writeHead(status).end(text), this.hesitation);
      } else if (url === '/slow') this.#waiting.push(() => response.end(name));
      else response.end(name);
    });
  }

  static async listen(name: string, address: string, port: number, keys: Identity): Promise<FakeApiServer> {
    const made = new FakeApiServer(name, keys);
    made.#server.listen(port, address);
    await once(made.#server, 'listening');
    return made;
  }

  /** How many wait for an answer. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Answers all that wait. */
  answer(): void {
    for (const answer of this.#waiting.splice(0)) answer();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}
