import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:https';
import { load } from 'js-yaml';
import { z } from 'zod';

const kubeconfigSchema = z.object({
  clusters: z
    .array(z.object({ cluster: z.object({ server: z.url(), 'certificate-authority-data': z.string() }) }))
    .min(1),
  users: z
    .array(
      z.object({ user: z.object({ exec: z.object({ command: z.string(), args: z.array(z.string()) }) }) }),
    )
    .min(1),
});

const credentialSchema = z.object({
  status: z.object({ clientCertificateData: z.string(), clientKeyData: z.string() }),
});

const listSchema = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }) })) });

/** One write that was not acknowledged. */
interface FailedWrite {
  readonly at: string;
  readonly name: string;
  readonly cause: string;
}

/** How often it writes, milliseconds (issue 4, proof 1). */
const every = 200;

/**
 * Writes a small object to a cluster five times a second, through its address, and keeps which writes were
 * acknowledged. Each write is asked for once: what fails is told and not repeated.
 */
export class Writer {
  readonly acknowledged = new Set<string>();
  readonly failed: FailedWrite[] = [];
  readonly #server: URL;
  readonly #agent: Agent;
  readonly #namespace: string;
  #timer: NodeJS.Timeout | undefined;
  /** Names of one writer's objects begin alike, and like nobody else's. */
  readonly #run = `write-${randomBytes(4).toString('hex')}`;
  #written = 0;
  readonly #open = new Set<Promise<void>>();

  /** @param environment of the exec plugin that the kubeconfig names */
  constructor(kubeconfig: string, environment: NodeJS.ProcessEnv, namespace = 'default') {
    const { clusters, users } = kubeconfigSchema.parse(load(kubeconfig));
    const [{ cluster } = never('cluster')] = clusters;
    const [{ user } = never('user')] = users;
    const printed = execFileSync(user.exec.command, user.exec.args, { encoding: 'utf8', env: environment });
    const { status } = credentialSchema.parse(JSON.parse(printed));
    this.#server = new URL(cluster.server);
    this.#namespace = namespace;
    this.#agent = new Agent({
      ca: Buffer.from(cluster['certificate-authority-data'], 'base64'),
      cert: status.clientCertificateData,
      key: status.clientKeyData,
      keepAlive: true,
    });
  }

  start(): void {
    this.#timer = setInterval(() => {
      const write = this.#write(`${this.#run}-${(this.#written += 1)}`);
      this.#open.add(write);
      void write.finally(() => this.#open.delete(write));
    }, every);
  }

  /** Ends it, and answers the acknowledged writes that the cluster does not hold. */
  async stop(): Promise<string[]> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    return this.missing();
  }

  /** The acknowledged writes that the cluster does not hold now. */
  async missing(): Promise<string[]> {
    const body = await this.#ask('GET', `?labelSelector=${encodeURIComponent('test.remuda.dev/writer')}`);
    const held = new Set(listSchema.parse(JSON.parse(body)).items.map(({ metadata }) => metadata.name));
    this.#agent.destroy();
    return [...this.acknowledged].filter((name) => !held.has(name));
  }

  /** What failed, by cause, for the record of a run. */
  summary(): string {
    const causes = Map.groupBy(this.failed, ({ cause }) => cause);
    const lines = [...causes].map(
      ([cause, writes]) => `${writes.length} x ${cause} (${writes[0]?.at} to ${writes.at(-1)?.at})`,
    );
    return [`${this.acknowledged.size} of ${this.#written} writes acknowledged`, ...lines].join('\n');
  }

  async #write(name: string): Promise<void> {
    const metadata = { name, labels: { 'test.remuda.dev/writer': 'yes' } };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
    try {
      await this.#ask('POST', '', JSON.stringify(object));
      this.acknowledged.add(name);
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      this.failed.push({ at: new Date().toISOString(), name, cause });
    }
  }

  #ask(method: 'GET' | 'POST', query: string, body?: string): Promise<string> {
    const path = `/api/v1/namespaces/${this.#namespace}/configmaps${query}`;
    const headers = { 'Content-Type': 'application/json' };
    const options = { method, path, headers, agent: this.#agent, timeout: 10_000 };
    return new Promise((resolve, reject) => {
      const asked = request(this.#server, options, (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(pieces).toString();
          const status = answer.statusCode ?? 0;
          if (status >= 200 && status < 300) resolve(text);
          else reject(new Error(`status ${status}: ${text.slice(0, 120)}`));
        });
      });
      asked.on('timeout', () => asked.destroy(new Error('no answer in 10 s')));
      asked.on('error', reject);
      asked.end(body);
    });
  }
}

function never(what: string): never {
  throw new Error(`the kubeconfig names no ${what}`);
}
