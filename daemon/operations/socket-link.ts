import type { Server as HttpsServer } from 'node:https';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import type {
  AgentChecks,
  AgentDrift,
  AgentQuestionName,
  AgentQuestions,
} from '../../appliance/agent/protocol/questions.ts';
import type { AgentOutgoing } from '../../appliance/agent/protocol/outgoing.ts';
import type {
  AgentReport,
  AttemptKey,
  Dispatch,
  Hello,
  Welcome,
} from '../../appliance/agent/protocol/dispatch.ts';
import type { AgentToDaemon, AskReply, DaemonToAgent } from '../../appliance/agent/protocol/transport.ts';
import type { HealthReport, WatchRequest } from '../../appliance/agent/protocol/watch.ts';
import type { Json } from '../../provisioners/contract/json.ts';
import { problemFrom, type ProblemReport, reportOf, Transient } from '../../provisioners/contract/problem.ts';
import { agentIdentityOf, type AgentIdentity } from '../access/authority.ts';
import type { AgentLink, HealthLink } from './link.ts';
import { healthSchema, helloSchema, reportsSchema } from './link-messages.ts';
import { malformedReports, whyNotWelcome } from './link-refusals.ts';

type AgentSocket = Socket<AgentToDaemon, DaemonToAgent>;

/** What the daemon's end of a site's link is made of. */
export interface SocketLinkOptions {
  readonly site: string;
  /** Epoch of the site's active agent, from the records of enrolment; read at each hello. */
  readonly epoch: () => number;
  /** Highest report sequence of that epoch which the journal holds; read at each hello. */
  readonly acknowledged: () => number;
  /** Told when an agent or its reports were refused, for the log. */
  readonly onRefused?: (problem: ProblemReport) => void;
  /** How long an answer to a question may take, milliseconds. Default two minutes: observing waits for machines. */
  readonly answerPatience?: number;
}

/** The socket.io end of {@link AgentLink}. */
export class SocketLink implements AgentLink {
  readonly site: string;
  readonly #options: SocketLinkOptions;
  readonly #reportHandlers: ((reports: readonly AgentReport[]) => void)[] = [];
  readonly #healthHandlers: ((report: HealthReport) => Promise<void>)[] = [];
  readonly health: HealthLink = {
    watch: (request: WatchRequest) => this.#agent()?.emit('watch', request),
    onHealth: (handler) => this.#healthHandlers.push(handler),
  };
  readonly #connectedHandlers: ((open: readonly AttemptKey[]) => void)[] = [];
  #socket: AgentSocket | undefined;
  /** Epoch of the agent behind the socket: when the site's has risen since, it is the agent no more. */
  #socketEpoch = 0;
  #refusal: ProblemReport | undefined;

  constructor(options: SocketLinkOptions) {
    this.site = options.site;
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.#agent() !== undefined;
  }

  get epoch(): number {
    return this.#options.epoch();
  }

  /** Why the agent that asked last was refused; undefined while one is connected. */
  get refusal(): ProblemReport | undefined {
    return this.isConnected ? undefined : this.#refusal;
  }

  dispatch(dispatch: Dispatch): void {
    this.#agent()?.emit('dispatch', dispatch);
  }

  cancel(key: AttemptKey): void {
    this.#agent()?.emit('cancel', key);
  }

  acknowledge(sequence: number): void {
    this.#agent()?.emit('acknowledge', sequence);
  }

  async ask<Name extends keyof AgentQuestions>(
    name: Name,
    request: Parameters<AgentQuestions[Name]>[0],
  ): Promise<Awaited<ReturnType<AgentQuestions[Name]>>> {
    // What crosses the link is typed by the protocol that both ends share.
    return (await this.#answerOf(name, request)) as Awaited<ReturnType<AgentQuestions[Name]>>;
  }

  async preflight(
    request: Parameters<AgentChecks['preflight']>[0],
  ): Promise<Awaited<ReturnType<AgentChecks['preflight']>>> {
    return (await this.#answerOf('preflight', request)) as Awaited<ReturnType<AgentChecks['preflight']>>;
  }

  async drift(
    request: Parameters<AgentDrift['drift']>[0],
  ): Promise<Awaited<ReturnType<AgentDrift['drift']>>> {
    return (await this.#answerOf('drift', request)) as Awaited<ReturnType<AgentDrift['drift']>>;
  }

  async reach<Name extends keyof AgentOutgoing>(
    name: Name,
    request: Parameters<AgentOutgoing[Name]>[0],
  ): Promise<Awaited<ReturnType<AgentOutgoing[Name]>>> {
    return (await this.#answerOf(name, request)) as Awaited<ReturnType<AgentOutgoing[Name]>>;
  }

  async #answerOf(name: AgentQuestionName, request: unknown): Promise<unknown> {
    const reply = await this.#askSocket(name, request);
    if (reply.ok) return reply.value;
    throw problemFrom(reply.problem);
  }

  onReports(handler: (reports: readonly AgentReport[]) => void): void {
    this.#reportHandlers.push(handler);
  }

  onConnected(handler: (open: readonly AttemptKey[]) => void): void {
    this.#connectedHandlers.push(handler);
  }

  /** Judges a hello; when it is welcome, this socket is the site's agent and an older one is let go. */
  greet(socket: AgentSocket, identity: AgentIdentity, hello: Hello): Welcome {
    const problem = whyNotWelcome(hello, identity, { site: this.site, epoch: this.epoch });
    if (problem !== undefined) {
      this.#refusal = problem;
      this.#options.onRefused?.(problem);
      return { accepted: false, problem };
    }
    const before = this.#socket;
    this.#socket = socket;
    this.#socketEpoch = hello.epoch;
    before?.disconnect(true);
    socket.on('report', (reports) => this.#take(socket, reports));
    socket.on('health', (report, taken) => void this.#takeHealth(socket, report, taken));
    socket.on('disconnect', () => {
      if (this.#socket === socket) this.#socket = undefined;
    });
    return { accepted: true, acknowledged: this.#options.acknowledged() };
  }

  /** Tells the engine that the agent is there; after the welcome went out. */
  announce(socket: AgentSocket, open: readonly AttemptKey[]): void {
    if (this.#socket === socket) for (const handler of this.#connectedHandlers) handler(open);
  }

  /** Lets the present agent go, for example because its site's epoch was raised. */
  disconnect(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.disconnect(true);
  }

  /** The socket of the site's active agent; a replaced one is let go as soon as that shows. */
  #agent(): AgentSocket | undefined {
    if (this.#socket !== undefined && this.#socketEpoch !== this.epoch) this.disconnect();
    return this.#socket;
  }

  #take(socket: AgentSocket, reports: readonly AgentReport[]): void {
    // A replaced agent's last words are nobody's.
    if (this.#agent() !== socket) return;
    const checked = reportsSchema.safeParse(reports);
    if (!checked.success) {
      this.#options.onRefused?.(malformedReports(this.site));
      socket.disconnect(true);
      return;
    }
    try {
      for (const handler of this.#reportHandlers) handler(reports);
    } catch (error) {
      // The journal could not take them (a full disk): they are not acknowledged, so the agent sends them again.
      this.#options.onRefused?.(reportOf(error, `link/${this.site}`));
    }
  }

  async #takeHealth(socket: AgentSocket, report: HealthReport, taken: () => void): Promise<void> {
    const checked = healthSchema.safeParse(report);
    if (this.#agent() !== socket || !checked.success || checked.data.epoch !== this.epoch) return;
    try {
      for (const handler of this.#healthHandlers) await handler(checked.data);
      if (typeof taken === 'function') taken();
    } catch (error) {
      // It could not be kept (a full disk): it is not answered, so the agent tells it again.
      this.#options.onRefused?.(reportOf(error, `link/${this.site}`));
    }
  }

  #askSocket(name: AgentQuestionName, request: unknown): Promise<AskReply> {
    const socket = this.#agent();
    const { site, answerPatience = 120_000 } = this.#options;
    if (socket === undefined)
      return Promise.reject(new Transient('LINK-005', `The agent of site ${site} is not connected.`));
    return new Promise((resolve, reject) => {
      const lost = (): void =>
        reject(new Transient('LINK-005', `The agent of site ${site} went away before it answered.`));
      socket.once('disconnect', lost);
      socket
        .timeout(answerPatience)
        .emit('ask', { name, request: request as Json }, (error: Error | null, reply: AskReply) => {
          socket.off('disconnect', lost);
          if (error) reject(new Transient('LINK-006', `The agent of site ${site} did not answer in time.`));
          else resolve(reply);
        });
    });
  }
}

/** What the listener that only agents can reach is made of. All PEM. */
export interface LinkListenerOptions {
  readonly host: string;
  /** 0 = any free one; the real one is in the result. */
  readonly port: number;
  readonly certificate: string;
  readonly key: string;
  /** The site CA: only client certificates signed by it get as far as a hello. */
  readonly authority: string;
  /** The link of a site; undefined for a site that is not known. */
  readonly linkOf: (site: string) => SocketLink | undefined;
}

/** A listener that runs. */
export interface LinkListener {
  readonly port: number;
  /** Shows another certificate from the next connection on. */
  replaceCertificate(identity: { readonly certificate: string; readonly key: string }): void;
  stop(): Promise<void>;
}

/** How long a connection may stay silent before its hello, milliseconds. */
const helloPatience = 10_000;

/** Listens for agents: TLS 1.3, and only with a client certificate that names site and epoch. */
export async function listenForAgents(options: LinkListenerOptions): Promise<LinkListener> {
  const { certificate, key, authority } = options;
  const tls = { ca: authority, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' } as const;
  const server = createServer({ ...tls, cert: certificate, key });
  const sockets = new Server<AgentToDaemon, DaemonToAgent>(server, {
    transports: ['websocket'],
    serveClient: false,
    maxHttpBufferSize: 16 * 1024 * 1024,
    pingInterval: 5000,
    pingTimeout: 10_000,
  });
  sockets.on('connection', (socket) => receive(socket, options));
  await listening(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    replaceCertificate: (identity) =>
      server.setSecureContext({ ...tls, cert: identity.certificate, key: identity.key }),
    stop: async () => {
      await sockets.close();
    },
  };
}

function receive(socket: AgentSocket, options: LinkListenerOptions): void {
  const peer = (socket.request.socket as TLSSocket).getPeerCertificate();
  const commonName = peer.subject?.CN;
  const identity = typeof commonName === 'string' ? agentIdentityOf(commonName) : undefined;
  const link = identity && options.linkOf(identity.site);
  if (identity === undefined || link === undefined) {
    socket.disconnect(true);
    return;
  }
  const silence = setTimeout(() => socket.disconnect(true), helloPatience);
  socket.once('disconnect', () => clearTimeout(silence));
  socket.once('hello', (hello, answer) => {
    clearTimeout(silence);
    const checked = helloSchema.safeParse(hello);
    if (!checked.success || typeof answer !== 'function') {
      socket.disconnect(true);
      return;
    }
    const welcome = link.greet(socket, identity, checked.data);
    answer(welcome);
    if (welcome.accepted) link.announce(socket, checked.data.open);
  });
}

function listening(server: HttpsServer, { host, port }: LinkListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
