import type { Logger } from 'pino';
import { io, type Socket } from 'socket.io-client';
import { type ProblemReport, reportOf } from '../../provisioners/contract/problem.ts';
import type { Json } from '../../provisioners/contract/json.ts';
import type { AttemptRunner } from './attempts.ts';
import type { Watching } from './health/watching.ts';
import type { AgentChecks, AgentDrift, AgentQuestionName, AgentQuestions } from './protocol/questions.ts';
import type { AgentOutgoing } from './protocol/outgoing.ts';
import type { AgentToDaemon, AskReply, DaemonToAgent } from './protocol/transport.ts';
import type { Hello, Welcome } from './protocol/dispatch.ts';

/** What proves who we are and whom we talk to. All PEM. */
export interface LinkIdentity {
  /** The site CA: the only one believed. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** What the agent's end of the link is made of. */
export interface LinkClientOptions {
  /** `https://host:port` of the daemon's link listener. */
  readonly url: string;
  readonly identity: LinkIdentity;
  readonly hello: () => Hello;
  readonly runner: AttemptRunner;
  readonly questions: AgentQuestions & Partial<AgentChecks & AgentDrift & AgentOutgoing>;
  /** Looks after clusters between operations; without it nothing is told of their health. */
  readonly watching?: Watching;
  readonly logger: Logger;
  /** How long a hello or an acknowledgement may take, milliseconds. Default 10 s. */
  readonly patience?: number;
}

/** Reports in one message, and on their way without an acknowledgement: bounds what a slow daemon must hold. */
const batchSize = 500;
const windowSize = 4000;

/** Pause before a refused agent asks again, milliseconds: an upgrade or a person ends the refusal. */
const refusedPause = 30_000;

/**
 * The agent's end of the link: says hello, takes dispatches and questions, and sends reports again until they are
 * acknowledged. Delivery rests on our sequence numbers; the socket may be lost at any instant.
 */
export class AgentLinkClient {
  readonly #options: LinkClientOptions;
  readonly #patience: number;
  #socket: Socket<DaemonToAgent, AgentToDaemon> | undefined;
  #isAccepted = false;
  #acknowledged = 0;
  #sent = 0;
  #stall: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;

  constructor(options: LinkClientOptions) {
    this.#options = options;
    this.#patience = options.patience ?? 10_000;
    options.runner.onReports(() => this.#pump());
  }

  /** Whether the daemon welcomed us on the present connection. */
  get isAccepted(): boolean {
    return this.#isAccepted;
  }

  /** Connects, and again and again after every loss, until {@link stop}. */
  start(identity: LinkIdentity = this.#options.identity): void {
    const socket: Socket<DaemonToAgent, AgentToDaemon> = io(this.#options.url, {
      transports: ['websocket'],
      ca: identity.authority,
      cert: identity.certificate,
      key: identity.key,
      rejectUnauthorized: true,
      forceNew: true,
      reconnectionDelay: 200,
      reconnectionDelayMax: 5000,
      timeout: this.#patience,
    });
    this.#socket = socket;
    socket.on('connect', () => this.#sayHello(socket));
    socket.on('disconnect', (reason) => {
      this.#lost();
      // The library comes back by itself after every loss but this one.
      if (reason === 'io server disconnect') this.#comeAgain(socket, 1000, 'the daemon ended the connection');
    });
    socket.on('connect_error', (error) =>
      this.#options.logger.debug({ reason: error.message }, 'no link to the daemon yet'),
    );
    socket.on('dispatch', (dispatch) => this.#guard(() => this.#options.runner.dispatch(dispatch)));
    socket.on('cancel', (key) => this.#options.runner.cancel(key));
    socket.on('acknowledge', (sequence) => this.#guard(() => this.#arrived(sequence)));
    socket.on('watch', (request) => this.#options.watching?.set(request));
    socket.on('ask', (question, answer) => void this.#answer(question, answer));
  }

  /** Goes on with a renewed certificate. */
  restart(identity: LinkIdentity): void {
    this.#close();
    this.start(identity);
  }

  async stop(): Promise<void> {
    this.#close();
  }

  #close(): void {
    clearTimeout(this.#again);
    this.#lost();
    this.#socket?.removeAllListeners();
    this.#socket?.disconnect();
    this.#socket = undefined;
  }

  #lost(): void {
    this.#isAccepted = false;
    this.#options.watching?.lost();
    clearTimeout(this.#stall);
    this.#stall = undefined;
  }

  #sayHello(socket: Socket<DaemonToAgent, AgentToDaemon>): void {
    socket
      .timeout(this.#patience)
      .emit('hello', this.#options.hello(), (error: Error | null, welcome: Welcome) => {
        if (socket !== this.#socket) return;
        if (error) this.#comeAgain(socket, 1000, 'the daemon did not answer the hello');
        else if (welcome.accepted) this.#welcomed(welcome.acknowledged);
        else this.#refused(socket, welcome.problem);
      });
  }

  #welcomed(acknowledged: number): void {
    this.#options.logger.info({ acknowledged }, 'linked to the daemon');
    this.#guard(() => this.#options.runner.synchronise(acknowledged));
    this.#isAccepted = true;
    this.#acknowledged = acknowledged;
    this.#sent = acknowledged;
    const socket = this.#socket;
    if (socket !== undefined)
      this.#options.watching?.linked(async (report) => {
        await socket.timeout(this.#patience).emitWithAck('health', report);
      });
    this.#pump();
  }

  #refused(socket: Socket, problem: ProblemReport): void {
    this.#options.logger.error({ problem }, 'the daemon refuses this agent');
    this.#comeAgain(socket, refusedPause, problem.summary);
  }

  #comeAgain(socket: Socket, pause: number, why: string): void {
    this.#options.logger.warn({ why, pause }, 'the link is tried again later');
    socket.disconnect();
    clearTimeout(this.#again);
    this.#again = setTimeout(() => socket.connect(), pause);
  }

  #arrived(sequence: number): void {
    this.#options.runner.acknowledge(sequence);
    this.#acknowledged = Math.max(this.#acknowledged, sequence);
    clearTimeout(this.#stall);
    this.#stall = undefined;
    this.#pump();
  }

  /** Sends what is not on its way yet, as far as the window allows. */
  #pump(): void {
    if (!this.#isAccepted) return;
    while (this.#sent - this.#acknowledged < windowSize) {
      const reports = this.#options.runner.reports(this.#sent, batchSize);
      const last = reports.at(-1);
      if (last === undefined) break;
      this.#socket?.emit('report', reports);
      this.#sent = last.sequence;
    }
    if (this.#sent > this.#acknowledged) this.#stall ??= setTimeout(() => this.#sendAgain(), this.#patience);
  }

  /** Nothing was acknowledged for a while: the daemon may have refused to write them down (a full disk). */
  #sendAgain(): void {
    this.#stall = undefined;
    this.#sent = this.#acknowledged;
    this.#pump();
  }

  async #answer(
    question: { readonly name: AgentQuestionName; readonly request: Json },
    answer: (reply: AskReply) => void,
  ): Promise<void> {
    try {
      const { questions } = this.#options;
      if (!Object.hasOwn(questions, question.name)) throw new Error(`no question is named ${question.name}`);
      // The names and requests are typed where they are asked; the daemon is trusted with its own questions.
      const ask = questions[question.name] as (request: Json) => Promise<unknown>;
      const value = await ask(question.request);
      answer({ ok: true, value: JSON.parse(JSON.stringify(value ?? null)) as Json });
    } catch (thrown) {
      this.#options.logger.warn({ question: question.name, err: thrown }, 'a question could not be answered');
      answer({ ok: false, problem: reportOf(thrown, `ask/${question.name}`) });
    }
  }

  /** The store may refuse (a full disk). Nothing was done then; the daemon sends it again. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.logger.error({ err: error }, 'the agent could not write to its own store');
    }
  }
}
