import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join, relative, resolve } from 'node:path';
import { buildRootImage } from '../../../provisioners/infrastructure/lab/root-image.ts';
import { buildPayload } from '../../../provisioners/payload/build.ts';
import { type CommandEnd, RunningCommand } from './command.ts';
import { until } from './wait.ts';

const root = resolve(import.meta.dirname, '../../..');

/** The daemon's user here: a number without an account, so that nothing of the box is changed. */
const daemonUser = 64_123;

const freePort = (): Promise<number> =>
  new Promise((done, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

type ServiceName = 'daemon' | 'agent';

/**
 * A site of its own as scripts/up makes it: the daemon as an unprivileged user, the agent as root, both as processes
 * that can be killed and started again; the command line to go with it. Folders, ports and labs are nobody else's.
 */
export class Site {
  readonly folder: string;
  readonly labs: string;
  readonly environment: NodeJS.ProcessEnv;
  /** From the payload. */
  readonly kubectlProgram: string;
  readonly etcdctlProgram: string;
  readonly #ports: { readonly api: number; readonly link: number };
  readonly #services = new Map<ServiceName, ChildProcess>();
  readonly #commands = new Set<RunningCommand>();

  private constructor(
    folder: string,
    payload: string,
    ports: { readonly api: number; readonly link: number },
  ) {
    this.folder = folder;
    this.labs = join(folder, 'labs');
    this.kubectlProgram = join(payload, 'files/kubectl');
    this.etcdctlProgram = join(payload, 'files/etcdctl');
    this.#ports = ports;
    this.environment = {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      LANG: 'C.UTF-8',
      HOME: join(folder, 'home'),
      XDG_CACHE_HOME: join(folder, 'home/cache'),
      KUBECONFIG: join(folder, 'home/kubeconfig'),
      REMUDA_CONFIG: join(folder, 'home/config.json'),
      REMUDA_LAB_DIR: join(folder, 'labs'),
      ...(process.env['REMUDA_CACHE'] === undefined ? {} : { REMUDA_CACHE: process.env['REMUDA_CACHE'] }),
    };
  }

  /** Lays out the folders; builds what the shared cache does not hold yet. Starts nothing. */
  static async prepare(): Promise<Site> {
    const cache = process.env['REMUDA_CACHE'] ?? '/var/cache/remuda';
    await buildRootImage(cache, (done, total, what) => console.log(`${done}/${total} ${what}`));
    const payload = await buildPayload({ version: 'v1.20.2' });
    const folder = mkdtempSync('/var/tmp/remuda-story-');
    // The daemon's user must reach its own folder in it.
    chmodSync(folder, 0o755);
    for (const name of ['daemon', 'agent', 'home', 'labs', 'program'])
      mkdirSync(join(folder, name), { mode: name === 'program' ? 0o755 : 0o700 });
    chownSync(join(folder, 'daemon'), daemonUser, daemonUser);
    return new Site(folder, payload.folder, { api: await freePort(), link: await freePort() });
  }

  get server(): string {
    return `https://127.0.0.1:${this.#ports.api}`;
  }

  folderOf(name: ServiceName): string {
    return join(this.folder, name);
  }

  logOf(name: ServiceName): string {
    return join(this.folder, `${name}.log`);
  }

  /** Process id of a service that runs. */
  pidOf(name: ServiceName): number {
    const pid = this.#services.get(name)?.pid;
    if (pid === undefined) throw new Error(`the ${name} does not run`);
    return pid;
  }

  /** Of such entries as `process 12 …`, those that are not this site's own daemon and agent. */
  withoutServices(entries: readonly string[]): string[] {
    const own = [...this.#services.values()].map(({ pid }) => `process ${pid} `);
    return entries.filter((entry) => !own.some((mark) => entry.startsWith(mark)));
  }

  /** First start of all: daemon, log-in, enrolment of the agent. */
  async start(): Promise<void> {
    this.startDaemon();
    const token = join(this.folderOf('daemon'), 'admin-token');
    const logIn = ['login', this.server, '--token-file', token];
    await until('the daemon', async () => existsSync(token) && (await this.remuda(logIn)).code === 0, {
      limit: 60_000,
      seen: () => readFileSync(this.logOf('daemon'), 'utf8'),
    });
    const { stdout } = await this.expectRemuda('agent', 'token', 'local');
    writeFileSync(join(this.folder, 'enrolment-token'), stdout, { mode: 0o600 });
    this.startAgent();
    await this.untilLinked();
  }

  startDaemon(): void {
    const program = join(this.folder, 'program');
    const bind = 'mount --bind "$0" "$1" && shift && exec "$@"';
    const node = join(program, relative(root, process.execPath));
    this.#startService('daemon', [
      'unshare',
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      bind,
      root,
      program,
      'setpriv',
      `--reuid=${daemonUser}`,
      `--regid=${daemonUser}`,
      '--clear-groups',
      '--no-new-privs',
      '--',
      node,
      join(program, 'daemon/main.ts'),
      '--state',
      this.folderOf('daemon'),
      '--listen',
      `127.0.0.1:${this.#ports.api}`,
      '--link-listen',
      `127.0.0.1:${this.#ports.link}`,
    ]);
  }

  startAgent(): void {
    this.#startService('agent', [
      process.execPath,
      join(root, 'appliance/agent/main.ts'),
      '--state',
      this.folderOf('agent'),
      '--server',
      this.server,
      '--enrol-file',
      join(this.folder, 'enrolment-token'),
    ]);
  }

  #startService(name: ServiceName, [program = '', ...words]: readonly string[]): void {
    const log = openSync(this.logOf(name), 'a', 0o600);
    const child = spawn(program, words, { cwd: '/', env: this.environment, stdio: ['ignore', log, log] });
    this.#services.set(name, child);
  }

  /** kill -9, and the death awaited. */
  async kill(name: ServiceName): Promise<void> {
    const child = this.#services.get(name);
    if (child === undefined) return;
    this.#services.delete(name);
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(
        `the ${name} had ended by itself: ${readFileSync(this.logOf(name), 'utf8').slice(-2000)}`,
      );
    await new Promise<void>((done) => {
      child.once('exit', () => done());
      child.kill('SIGKILL');
    });
  }

  /** Whether the daemon and the agent run and know each other. */
  async untilLinked(): Promise<void> {
    await until(
      'the link of agent and daemon',
      async () =>
        (await this.remuda(['get', 'agents', '-o', 'json'])).stdout.includes('"state": "connected"'),
      { limit: 60_000, every: 500, seen: () => readFileSync(this.logOf('agent'), 'utf8').slice(-2000) },
    );
  }

  /** Starts a program in the site's environment. */
  run(program: string, words: readonly string[]): RunningCommand {
    const command = new RunningCommand(program, words, this.environment);
    this.#commands.add(command);
    const forget = (): void => void this.#commands.delete(command);
    command.ended.then(forget, forget);
    return command;
  }

  /** The `remuda` command, to be watched. */
  follow(...words: readonly string[]): RunningCommand {
    return this.run(join(root, 'remuda'), words);
  }

  /** The `remuda` command to its end, however it ends. */
  remuda(words: readonly string[]): Promise<CommandEnd> {
    return this.follow(...words).ended;
  }

  /** As {@link remuda}. @throws Error when it does not end with 0 */
  expectRemuda(...words: readonly string[]): Promise<CommandEnd> {
    return expectSuccess(this.follow(...words));
  }

  /** scripts/lab on this site's labs. */
  lab(...words: readonly string[]): Promise<CommandEnd> {
    return expectSuccess(this.run(join(root, 'scripts/lab'), words));
  }

  /** kubectl of the payload with the kubeconfig of `remuda kubeconfig`. */
  async kubectl(...words: readonly string[]): Promise<string> {
    const { stdout } = await expectSuccess(this.run(this.kubectlProgram, words));
    return stdout;
  }

  /** What support would ask for when a story fails. */
  async describe(cluster: string): Promise<string> {
    const operations = await this.remuda(['get', 'operations', '-o', 'json']);
    const last = /"id": "([^"]+)"/.exec(operations.stdout)?.[1];
    const parts = [
      await this.remuda(['describe', 'cluster', cluster]),
      ...(last === undefined ? [] : [await this.remuda(['describe', 'operation', last])]),
      ...(last === undefined ? [] : [await this.remuda(['logs', last])]),
    ].map(({ stdout, stderr }) => (stdout + stderr).split('\n').slice(-150).join('\n'));
    const started = (['daemon', 'agent'] as const).filter((name) => existsSync(this.logOf(name)));
    const logs = started.map((name) => readFileSync(this.logOf(name), 'utf8').slice(-4000));
    return [...parts, ...logs].join('\n--\n');
  }

  /** Ends every process of the site, sweeps its labs, removes its folder. Works in any state. */
  async stop(): Promise<void> {
    for (const command of this.#commands) command.kill();
    for (const child of this.#services.values()) child.kill('SIGKILL');
    try {
      await this.lab('sweep', '--all', '--ejected');
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

/** Awaits a command. @throws Error with what it printed when it does not end with 0 */
export async function expectSuccess(command: RunningCommand): Promise<CommandEnd> {
  const end = await command.ended;
  if (end.code === 0) return end;
  throw new Error(`"${command.title}" ended with ${end.code}:\n${end.stdout}\n${end.stderr}`);
}
