import { Agent, request as httpsRequest } from 'node:https';
import type { z } from 'zod';
import { pageOf, type ProblemDetails, problemDetailsSchema } from '../api/types.ts';
import { type Connection, readConnection } from './configuration.ts';
import { CommandFailure, type ExitCode, exitCode, plainFailure } from './exit.ts';
import { fetchAuthority } from './trust.ts';

/** How long the server may take to answer. Planning looks at real machines, so it is generous. */
const answerWithin = 150_000;

/** One request to the API. */
export interface Call<Answer extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest silence before the server counts as away, milliseconds. */
  readonly within?: number;
  /** Absent = the answer is not read. */
  readonly answer?: Answer;
}

/** The server refused; the body of the refusal. */
export class ApiRefusal extends CommandFailure {
  readonly details: ProblemDetails;

  constructor(details: ProblemDetails) {
    super(exitCodeOf(details), details.problems, details.changes);
    this.details = details;
  }
}

/** The server could not be reached, or went away before it answered. */
export class ServerAway extends Error {
  readonly server: string;

  constructor(server: string, cause: unknown) {
    super(`${server} does not answer: ${reasonOf(cause)}`, { cause });
    this.server = server;
  }
}

const exitCodes: Readonly<Partial<Record<ProblemDetails['reason'], ExitCode>>> = {
  invalid: exitCode.usage,
  'too-large': exitCode.usage,
  conflict: exitCode.conflict,
  'plan-changed': exitCode.conflict,
  'needs-confirmation': exitCode.approval,
};

const exitCodeOf = (details: ProblemDetails): ExitCode => exitCodes[details.reason] ?? exitCode.failed;

/** What the API answers, typed by its own schemas. */
export class Client {
  readonly connection: Connection;
  /** PEM of the verified CA. */
  readonly authority: string;
  readonly #url: URL;
  readonly #agent: Agent;

  private constructor(connection: Connection, url: URL, authority: string) {
    this.connection = connection;
    this.authority = authority;
    this.#url = url;
    this.#agent = new Agent({ ca: authority, keepAlive: true, maxSockets: 4, minVersion: 'TLSv1.2' });
  }

  /** Connects as the environment and `login` say; the server is verified before the token is sent. */
  static open(environment: NodeJS.ProcessEnv): Promise<Client> {
    return Client.connect(readConnection(environment));
  }

  /** @throws ServerAway, CommandFailure */
  static async connect(connection: Connection): Promise<Client> {
    const url = serverUrl(connection.server);
    try {
      const authority = connection.authority ?? (await fetchAuthority(url, connection.authorityHash ?? ''));
      return new Client(connection, url, authority);
    } catch (error) {
      if (error instanceof CommandFailure) throw error;
      throw new ServerAway(url.origin, error);
    }
  }

  get server(): string {
    return this.#url.origin;
  }

  /** @throws ApiRefusal, ServerAway */
  async call<Answer extends z.ZodType>(call: Call<Answer>): Promise<z.output<Answer>> {
    const { status, text } = await this.#send(call);
    if (status < 300) return call.answer?.parse(JSON.parse(text === '' ? 'null' : text)) as z.output<Answer>;
    const details = problemDetailsSchema.safeParse(jsonOf(text));
    if (details.success) throw new ApiRefusal(details.data);
    throw plainFailure(
      'CLI-010',
      `${this.server} answered ${status}, not in the manner of Remuda`,
      'Check that REMUDA_SERVER is the address of a Remuda daemon.',
    );
  }

  /** All pages of a list. */
  async list<Item extends z.ZodType>(
    path: string,
    item: Item,
    query: Readonly<Record<string, string | undefined>> = {},
  ): Promise<readonly z.output<Item>[]> {
    const items: z.output<Item>[] = [];
    let cursor: string | undefined;
    do {
      const { items: more, next } = await this.call({
        method: 'GET',
        path,
        query: { ...query, cursor },
        answer: pageOf(item),
      });
      items.push(...more);
      cursor = next;
    } while (cursor !== undefined);
    return items;
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(call: Call<z.ZodType>): Promise<{ readonly status: number; readonly text: string }> {
    const url = new URL(call.path, this.#url);
    for (const [name, value] of Object.entries(call.query ?? {}))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    return new Promise((resolve, reject) => {
      const away = (error: unknown): void => reject(new ServerAway(this.server, error));
      const request = httpsRequest(
        url,
        {
          method: call.method,
          agent: this.#agent,
          timeout: call.within ?? answerWithin,
          headers: {
            Accept: 'application/json',
            Authorization: `Bearer ${this.connection.secret}`,
            ...(body === undefined
              ? {}
              : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
            ...call.headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', away);
          response.once('end', () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
          );
        },
      );
      request.once('timeout', () => request.destroy(new Error('no answer in time')));
      request.once('error', away);
      request.end(body);
    });
  }
}

function serverUrl(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url?.protocol === 'https:') return url;
  throw new CommandFailure(exitCode.usage, [
    {
      kind: 'user',
      code: 'CLI-006',
      summary: `"${server}" is not the address of a server`,
      value: server,
      remedy: 'Write it as https://host:port; Remuda speaks TLS only.',
    },
  ]);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(cause: unknown): string {
  const { code } = cause as { readonly code?: unknown };
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there',
    ENOTFOUND: 'the name is not known',
    EHOSTUNREACH: 'there is no way to it',
    ETIMEDOUT: 'no answer in time',
    ECONNRESET: 'it closed the connection',
  };
  if (typeof code === 'string' && known[code] !== undefined) return known[code];
  return cause instanceof Error ? cause.message : String(cause);
}
