import { generateIdentity, identityToRecipient } from 'age-encryption';
import { io, type Socket } from 'socket.io-client';
import type { AttemptKey, Dispatch, Outcome } from '../../../appliance/agent/protocol/dispatch.ts';
import { protocolVersion } from '../../../appliance/agent/protocol/dispatch.ts';
import { open, seal } from '../../../appliance/agent/sealing.ts';
import { createRequest } from '../../../daemon/cli/certificate-request.ts';
import { steps } from '../../../provisioners/kubernetes/steps.ts';
import type { DaemonProcess } from './daemon-process.ts';
import { ask } from './http.ts';

/**
 * A fake of the site's agent, named as one: it enrols and links as a real one does, sees an empty site, and does with
 * each dispatch what the test says. It makes no machine and runs no step.
 */
export class FakeAgent implements Disposable {
  readonly dispatched: Dispatch[] = [];
  readonly #socket: Socket;
  readonly #behave: (dispatch: Dispatch) => Outcome | undefined;
  readonly #ended = new Set<string>();
  readonly #identity: string;
  /** `age1…` */
  readonly recipient: string;
  #sequence = 0;

  private constructor(
    socket: Socket,
    behave: (dispatch: Dispatch) => Outcome | undefined,
    keys: { readonly identity: string; readonly recipient: string },
  ) {
    this.#socket = socket;
    this.#behave = behave;
    this.#identity = keys.identity;
    this.recipient = keys.recipient;
  }

  /** Opens what was sealed to it. @throws Blocked SECRET-012 */
  open(sealed: string): Promise<string> {
    return open(this.#identity, sealed, 'it');
  }

  /**
   * Enrols at the daemon, with the given token or one of its own, connects to its link and is welcomed. `behave` answers
   * undefined for "still running".
   */
  static async join(
    daemon: DaemonProcess,
    behave: (dispatch: Dispatch) => Outcome | undefined,
    given?: string,
  ): Promise<FakeAgent> {
    const post = async (path: string, token: string | undefined, body: unknown): Promise<unknown> =>
      (await ask(daemon.url + path, daemon.authority, { method: 'POST', token, body: JSON.stringify(body) }))
        .json;
    const draw = async (): Promise<string> =>
      ((await post('/api/v1/agents/local/token', daemon.admin, {})) as { readonly token: string }).token;
    const secret = (given ?? (await draw())).split('.').at(-1);
    const { key, request } = await createRequest();
    const identity = await generateIdentity();
    const recipient = await identityToRecipient(identity);
    const { certificate, epoch } = (await post('/api/v1/agents/enrol', undefined, {
      secret,
      request,
      recipient,
      release: '0.0.0-fake',
    })) as { readonly certificate: string; readonly epoch: number };
    const socket = io(`https://127.0.0.1:${daemon.linkPort}`, {
      transports: ['websocket'],
      ca: daemon.authority,
      cert: certificate,
      key,
      forceNew: true,
      reconnectionDelay: 100,
      reconnectionDelayMax: 500,
    });
    const agent = new FakeAgent(socket, behave, { identity, recipient });
    socket.on(
      'ask',
      (question: { readonly name: string; readonly request: unknown }, answer: (reply: unknown) => void) =>
        void answerTo(question).then(answer),
    );
    socket.on('dispatch', (dispatch: Dispatch) => agent.#take(dispatch));
    socket.on('cancel', (cancelled: AttemptKey) => agent.#end(cancelled, { state: 'cancelled' }));
    const kinds = Object.fromEntries(steps.map((step) => [step.kind, step.version]));
    const me = { protocol: protocolVersion, release: '0.0.0-fake', site: 'local', epoch, kinds, recipient };
    await new Promise<void>((done) => {
      // Again after each loss, as a real agent does.
      socket.on('connect', () => {
        socket.emit('hello', { ...me, open: agent.#open() }, (welcome: { readonly accepted: boolean }) => {
          if (welcome.accepted) done();
        });
      });
    });
    return agent;
  }

  [Symbol.dispose](): void {
    this.#socket.disconnect();
  }

  #open(): readonly AttemptKey[] {
    return this.dispatched
      .map(({ key }) => key)
      .filter((key) => !this.#ended.has(`${key.step} ${key.attempt}`));
  }

  #take(dispatch: Dispatch): void {
    if (
      this.dispatched.some(
        ({ key }) => key.step === dispatch.key.step && key.attempt === dispatch.key.attempt,
      )
    )
      return;
    this.dispatched.push(dispatch);
    this.#report(dispatch.key, { type: 'started' });
    const outcome = this.#behave(dispatch);
    if (outcome) this.#end(dispatch.key, outcome);
  }

  #end(key: AttemptKey, outcome: Outcome): void {
    this.#ended.add(`${key.step} ${key.attempt}`);
    this.#report(key, { type: 'ended', outcome });
  }

  #report(key: AttemptKey, report: Readonly<Record<string, unknown>>): void {
    this.#sequence += 1;
    this.#socket.emit('report', [{ sequence: this.#sequence, at: new Date().toISOString(), key, ...report }]);
  }
}

/** What a fake agent draws as a cluster's keys: a canary. */
export const fakeKeys = 'canary-of-the-cluster-keys';

/** An empty site. */
async function answerTo({
  name,
  request,
}: {
  readonly name: string;
  readonly request: unknown;
}): Promise<unknown> {
  if (name === 'drawKeys') {
    const { recipients } = request as { readonly recipients: readonly string[] };
    const keys = {
      caHash: `sha256:${'0'.repeat(64)}`,
      caCertificate: 'fake',
      sshPublicKey: 'ssh-ed25519 fake',
    };
    return { ok: true, value: { sealed: await seal(recipients, fakeKeys), public: keys } };
  }
  if (name === 'observe') {
    const { context } = request as { readonly context: { readonly cluster: unknown } };
    return {
      ok: true,
      value: {
        cluster: context.cluster,
        at: new Date().toISOString(),
        infrastructure: { state: 'absent', detail: 'nothing is there' },
        machines: [],
        unseen: [],
      },
    };
  }
  return {
    ok: false,
    problem: { kind: 'transient', code: 'FAKE-002', summary: `the fake agent does not know ${name}` },
  };
}
