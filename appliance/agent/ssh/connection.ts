import { connect as connectTo } from 'node:net';
import type { Duplex } from 'node:stream';
import ssh2, {
  type Client,
  type ClientChannel,
  type ConnectConfig,
  type ServerHostKeyAlgorithm,
  type SFTPWrapper,
} from 'ssh2';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import { Blocked, type Problem, Transient } from '../../../provisioners/contract/problem.ts';
import type { Duration } from '../../../provisioners/contract/time.ts';
import { channelCommand, channelCommandAsUser, epochRefused, preamble, type Program } from './program.ts';

/** What a program left behind. */
export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * How long nobody may answer the call: the kernel calls again after one second and would then wait ever longer
 * (RFC 6298 §5), so that a machine that came back would go unnoticed; a fresh call finds it at once.
 */
const callPatience: Duration = 3000;
/** How long the handshake may take, and how soon a dead line is noticed: three missed answers, five seconds apart. */
const connectPatience: Duration = 15_000;
const keepalive = { keepaliveInterval: 5000, keepaliveCountMax: 3 } as const;

/** More output than this is nobody's plan, bytes. */
const outputLimit = 16 * 1024 * 1024;

/** One SSH connection to one machine; many channels. */
export class Connection {
  readonly machine: MachineRef;
  /** The host key the machine has shown, and so proven to hold; base64. */
  readonly #shown: string;
  readonly #client: Client;
  #isOpen = true;
  #channels = 0;

  private constructor(machine: MachineRef, client: Client, shown: string) {
    this.machine = machine;
    this.#client = client;
    this.#shown = shown;
    // A listener a channel that is being opened; the number of channels is bounded by the steps that run.
    client.setMaxListeners(0);
    const onGone = (): void => {
      this.#isOpen = false;
    };
    client.on('end', onGone);
    client.on('close', onGone);
    // An error after the handshake is followed by close; whoever has a channel learns it there.
    client.on('error', onGone);
  }

  /**
   * Connects, and lets nobody answer who does not show one of the machine's accepted host keys.
   * @throws Transient SSH-001 (nobody answers), Blocked SSH-002 (another host key), SSH-003 (our key is refused).
   */
  static open(machine: MachineRef, privateKey: string): Promise<Connection> {
    const accepted = acceptedBy(machine);
    const client = new ssh2.Client();
    let shown: string | undefined;
    return new Promise((resolve, reject) => {
      client.once('ready', () => resolve(new Connection(machine, client, shown ?? '')));
      client.on('error', (error: Error & { level?: string }) => {
        client.end();
        reject(connectProblem(machine, error, shown !== undefined && !accepted.has(shown)));
      });
      client.once('close', () => reject(unreachable(machine, 'the connection was closed')));
      const socket = connectTo({ host: machine.address, port: machine.port, noDelay: true });
      socket.setTimeout(callPatience, () =>
        socket.destroy(new Error(`nobody answered within ${callPatience / 1000} s`)),
      );
      socket.once('connect', () => socket.setTimeout(0));
      client.connect({
        sock: socket,
        username: machine.user,
        privateKey,
        readyTimeout: connectPatience,
        ...keepalive,
        ...hostKeyAlgorithms(machine),
        hostVerifier: (key: Buffer) => {
          shown = key.toString('base64');
          return accepted.has(shown);
        },
      });
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether the connection is what `machine` would get: the same user at the same door, with a host key it accepts. */
  serves(machine: MachineRef): boolean {
    const { user, address, port } = this.machine;
    const isSameDoor = machine.user === user && machine.address === address && machine.port === port;
    return this.#isOpen && isSameDoor && acceptedBy(machine).has(this.#shown);
  }

  /** Whether something is under way on it. */
  get isBusy(): boolean {
    return this.#channels > 0;
  }

  /** The address of this end, as the machine's network sees it. */
  get localAddress(): string {
    // ssh2 keeps its socket there; its types do not say so.
    const { _sock: socket } = this.#client as Client & {
      readonly _sock?: { readonly localAddress?: string };
    };
    return socket?.localAddress ?? '';
  }

  /**
   * Runs a program and waits for its end. Its exit code is the caller's business.
   * @throws Transient SSH-004 when the line is lost or it takes longer than `patience`: what it did is unknown then;
   *   Blocked SSH-005 when the machine has seen a newer epoch.
   */
  async run(program: Program, patience: Duration, signal?: AbortSignal): Promise<ProgramResult> {
    const channel = await this.#open((done) =>
      this.#client.exec(this.machine.user === 'root' ? channelCommand : channelCommandAsUser, done),
    );
    const timeout = AbortSignal.timeout(patience);
    const over = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    try {
      const ended = collect(channel, over);
      channel.write(preamble(program));
      channel.end(program.input ?? '');
      const result = await ended;
      if (result === undefined) {
        signal?.throwIfAborted();
        throw lost(this.machine, timeout.aborted ? `no end after ${patience / 1000} s` : 'the line was lost');
      }
      if (result.exitCode === epochRefused && program.epoch !== undefined)
        throw tooOld(this.machine, result.stderr);
      return result;
    } finally {
      this.#channels -= 1;
    }
  }

  /** A stream to a port as the machine itself sees it (direct-tcpip, RFC 4254 §7.2). */
  async forward(host: string, port: number): Promise<Duplex> {
    const channel = await this.#open((done) => this.#client.forwardOut('127.0.0.1', 0, host, port, done), {
      refused: `nobody listens on ${host}:${port} there`,
    });
    channel.once('close', () => {
      this.#channels -= 1;
    });
    return channel;
  }

  /** The server's files (draft-ietf-secsh-filexfer-02); ends with the connection. @throws Error when it has none. */
  sftp(): Promise<SFTPWrapper> {
    return new Promise((resolve, reject) => {
      this.#client.once('close', () => reject(new Error('the line was lost')));
      this.#client.sftp((error, sftp) => (error === undefined ? resolve(sftp) : reject(error)));
    });
  }

  close(): void {
    this.#isOpen = false;
    this.#client.end();
  }

  async #open(
    ask: (done: (error: Error | undefined, channel: ClientChannel) => void) => void,
    words: { readonly refused?: string } = {},
  ): Promise<ClientChannel> {
    // Counted from the first moment: a connection on which a channel is being opened is not idle.
    this.#channels += 1;
    try {
      return await this.#ask(ask, words);
    } catch (error) {
      this.#channels -= 1;
      throw error;
    }
  }

  #ask(
    ask: (done: (error: Error | undefined, channel: ClientChannel) => void) => void,
    words: { readonly refused?: string },
  ): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      // A connection that dies while a channel is being opened never calls back.
      const onClose = (): void => reject(new NotOpened(this.machine, 'the line was lost'));
      this.#client.once('close', onClose);
      try {
        ask((error, channel) => {
          this.#client.off('close', onClose);
          if (error) reject(new NotOpened(this.machine, words.refused ?? error.message));
          else resolve(channel);
        });
      } catch (error) {
        // ssh2 throws when the connection is gone and nobody has said so yet.
        this.#isOpen = false;
        this.#client.off('close', onClose);
        reject(new NotOpened(this.machine, error instanceof Error ? error.message : String(error)));
      }
    });
  }
}

/**
 * Everything up to the end; undefined when there was no exit status: the line was lost, or it took too long. In the
 * latter case the program is told to end, and not waited for.
 */
function collect(channel: ClientChannel, over: AbortSignal): Promise<ProgramResult | undefined> {
  return new Promise((resolve) => {
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let size = 0;
    let exitCode: number | undefined;
    const take =
      (into: Buffer[]) =>
      (chunk: Buffer): void => {
        size += chunk.length;
        if (size <= outputLimit) into.push(chunk);
      };
    const finish = (result: ProgramResult | undefined): void => {
      over.removeEventListener('abort', onAbort);
      resolve(result);
    };
    const onAbort = (): void => {
      channel.signal('TERM');
      channel.destroy();
      finish(undefined);
    };
    channel.on('data', take(out));
    channel.stderr.on('data', take(err));
    channel.on('exit', (code: number | null) => {
      exitCode = code ?? 255;
    });
    channel.on('error', () => {});
    channel.once('close', () => {
      const stderr = Buffer.concat(err).toString('utf8');
      finish(exitCode === undefined ? undefined : { exitCode, stdout: Buffer.concat(out), stderr });
    });
    if (over.aborted) onAbort();
    else over.addEventListener('abort', onAbort, { once: true });
  });
}

/** The accepted host keys without their types and comments. */
const acceptedBy = (machine: MachineRef): ReadonlySet<string> =>
  new Set(machine.hostKeys.map((key) => key.trim().split(/\s+/u)[1] ?? ''));

/** Only the types of the keys we accept are offered, so that a server with several shows one that we can check. */
function hostKeyAlgorithms(machine: MachineRef): Pick<ConnectConfig, 'algorithms'> {
  const types = new Set(machine.hostKeys.map((key) => key.trim().split(/\s+/u)[0] ?? ''));
  const serverHostKey = [...types].flatMap((type) =>
    type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type],
  );
  // The key types are those of the machine's own keys; ssh2 refuses the ones it does not know.
  return { algorithms: { serverHostKey: serverHostKey as ServerHostKeyAlgorithm[] } };
}

function connectProblem(machine: MachineRef, error: Error & { level?: string }, isOther: boolean): Problem {
  const hasNoCommonKey = /no matching host key/u.test(error.message);
  if (isOther || hasNoCommonKey)
    return new Blocked(
      'SSH-002',
      `${machine.name} (${machine.address}) shows another host key than the pinned one.`,
      {
        machine: machine.name,
        remedy:
          'If the machine was made anew by somebody else, remove it from the cluster and add it again; if not, somebody may be in between: do not go on.',
      },
    );
  if (error.level === 'client-authentication')
    return new Blocked(
      'SSH-003',
      `${machine.name} (${machine.address}) does not let the cluster's key log in.`,
      {
        machine: machine.name,
        remedy: `Put the cluster's public key into ~${machine.user}/.ssh/authorized_keys there.`,
      },
    );
  return unreachable(machine, error.message);
}

function unreachable(machine: MachineRef, why: string): Transient {
  return new Transient(
    'SSH-001',
    `${machine.name} (${machine.address}:${machine.port}) cannot be reached: ${why}`,
    {
      machine: machine.name,
      remedy: 'Look whether the machine has power and network; the work goes on by itself when it is back.',
    },
  );
}

/** A channel was not opened: nothing was started on the machine, so it may be tried again at once. */
export class NotOpened extends Transient {
  constructor(machine: MachineRef, why: string) {
    super('SSH-004', `No answer from ${machine.name}: ${why}.`, { machine: machine.name });
  }
}

function lost(machine: MachineRef, why: string): Transient {
  return new Transient('SSH-004', `No answer from ${machine.name}: ${why}.`, { machine: machine.name });
}

function tooOld(machine: MachineRef, stderr: string): Blocked {
  return new Blocked('SSH-005', `${machine.name} refuses this agent: ${stderr.trim()}, which is newer.`, {
    machine: machine.name,
    remedy: 'This agent was replaced; the one that replaced it goes on. Nothing is to be done here.',
  });
}
