import { z } from 'zod';
import {
  agentViewSchema,
  auditRowSchema,
  clusterDetailSchema,
  clusterViewSchema,
  eventSchema,
  logPageSchema,
  operationDetailSchema,
  operationViewSchema,
  payloadSchema,
  providerViewSchema,
  secretViewSchema,
  serverSchema,
} from '../../api/types.ts';
import { type Client, ServerAway } from '../client.ts';
import { CommandFailure } from '../exit.ts';
import type { Bundle } from './bundle.ts';
import type { Gathered } from './findings.ts';

/** What a case is about. */
export interface CaseOptions {
  /** Only this cluster; all when absent. */
  readonly cluster: string | undefined;
  /** How many operations of each cluster, newest first. */
  readonly operations: number;
}

/** Newest events and audit rows that are taken along. */
const mostRows = 20_000;
const pageSize = 5000;

/** What the world or the user's rights keep from us; anything else is our own mistake. */
export const isExpected = (error: unknown): error is Error =>
  error instanceof CommandFailure || error instanceof ServerAway;

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
const lines = (values: readonly unknown[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('');

/** Reads everything of a case through the API, as far as the caller may; what could not be read is said. */
export class Collection {
  readonly gathered: Gathered = { agents: [], clusters: [], operations: [] };
  readonly #client: Client;
  readonly #bundle: Bundle;
  readonly #options: CaseOptions;

  constructor(client: Client, bundle: Bundle, options: CaseOptions) {
    this.#client = client;
    this.#bundle = bundle;
    this.#options = options;
  }

  /** What matters most comes first, for the bundle has a limit. */
  async collect(): Promise<void> {
    await this.#site();
    const names = await this.#clusterNames();
    for (const name of names) await this.#cluster(name);
    const ids = await this.#operationIds(names);
    for (const id of ids) await this.#operation(id);
    for (const id of ids) await this.#log(id);
    await this.#read('events.ndjson', async (path) => {
      const cluster = this.#options.cluster === undefined ? {} : { cluster: this.#options.cluster };
      this.#bundle.add(path, lines(await this.#newest('/api/v1/events', eventSchema, cluster)));
    });
    await this.#read('audit.ndjson', async (path) => {
      this.#bundle.add(path, lines(await this.#newest('/api/v1/audit', auditRowSchema, {})));
    });
  }

  async #site(): Promise<void> {
    await this.#read('server.json', async (path) => {
      const server = await this.#get('/api/v1/server', serverSchema);
      this.gathered.server = server;
      this.#bundle.add(path, json(server));
    });
    await this.#read('agents.json', async (path) => {
      const { items } = await this.#get('/api/v1/agents', z.object({ items: z.array(agentViewSchema) }));
      this.gathered.agents = items;
      this.#bundle.add(path, json(items));
    });
    await this.#read('payloads.json', async (path) => {
      const answer = await this.#get('/api/v1/payloads', z.object({ items: z.array(payloadSchema) }));
      this.#bundle.add(path, json(answer.items));
    });
    await this.#read('providers.json', async (path) =>
      this.#bundle.add(path, json(await this.#client.list('/api/v1/providers', providerViewSchema))),
    );
    await this.#read('secret-names.json', async (path) =>
      this.#bundle.add(path, json(await this.#client.list('/api/v1/secrets', secretViewSchema))),
    );
  }

  async #clusterNames(): Promise<readonly string[]> {
    const { cluster } = this.#options;
    if (cluster !== undefined) return [cluster];
    const names: string[] = [];
    await this.#read('clusters/', async () => {
      const all = await this.#client.list('/api/v1/clusters', clusterViewSchema);
      names.push(...all.map(({ name }) => name));
    });
    return names;
  }

  async #cluster(name: string): Promise<void> {
    await this.#read(`clusters/${name}/cluster.json`, async (path) => {
      const cluster = await this.#get(`/api/v1/clusters/${encodeURIComponent(name)}`, clusterDetailSchema);
      const { text, ...rest } = cluster;
      this.gathered.clusters.push(cluster);
      this.#bundle.add(path, json(rest));
      this.#bundle.add(`clusters/${name}/answer-file.yaml`, text);
    });
  }

  /** Newest first; also those of clusters that are deleted, unless one cluster is asked for. */
  async #operationIds(names: readonly string[]): Promise<readonly string[]> {
    const taken = new Map<string, number>();
    const ids: string[] = [];
    await this.#read('operations/', async () => {
      const all = await this.#client.list('/api/v1/operations', operationViewSchema, {
        cluster: this.#options.cluster,
      });
      for (const { id, cluster } of all) {
        const count = taken.get(cluster.uid) ?? 0;
        if (count >= this.#options.operations) continue;
        if (this.#options.cluster !== undefined && !names.includes(cluster.name)) continue;
        taken.set(cluster.uid, count + 1);
        ids.push(id);
      }
    });
    return ids;
  }

  async #operation(id: string): Promise<void> {
    await this.#read(`operations/${id}/operation.json`, async (path) => {
      const operation = await this.#get(`/api/v1/operations/${id}`, operationDetailSchema);
      const { plan, ...rest } = operation;
      this.gathered.operations.push(operation);
      this.#bundle.add(path, json(rest));
      this.#bundle.add(`operations/${id}/plan.json`, json(plan));
    });
  }

  /** The server keeps 16 MiB of each log at most. */
  async #log(id: string): Promise<void> {
    await this.#read(`operations/${id}/log.ndjson`, async (path) => {
      const kept: string[] = [];
      for (let after = 0; ; ) {
        const page = await this.#client.call({
          method: 'GET',
          path: `/api/v1/operations/${id}/log`,
          query: { after, limit: pageSize },
          answer: logPageSchema,
        });
        if (page.lines.length === 0) break;
        kept.push(lines(page.lines));
        after = page.last;
      }
      this.#bundle.add(path, kept.join(''));
    });
  }

  /** The newest rows of a list that is numbered from the oldest on. */
  async #newest<Row extends z.ZodType<{ readonly number: number }>>(
    path: string,
    row: Row,
    query: Readonly<Record<string, string>>,
  ): Promise<readonly z.output<Row>[]> {
    let rows: z.output<Row>[] = [];
    for (let after = 0; ; ) {
      const { items } = await this.#client.call({
        method: 'GET',
        path,
        query: { ...query, after, limit: pageSize },
        answer: z.object({ items: z.array(row) }),
      });
      const last = items.at(-1);
      if (last === undefined) return rows;
      rows = [...rows, ...items].slice(-mostRows);
      after = last.number;
    }
  }

  #get<Answer extends z.ZodType>(path: string, answer: Answer): Promise<z.output<Answer>> {
    return this.#client.call({ method: 'GET', path, answer });
  }

  #read(path: string, read: (path: string) => Promise<void>): Promise<void> {
    return this.#bundle.collect(path, () => read(path), isExpected);
  }
}
