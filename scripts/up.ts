/**
 * Second half of scripts/up: everything after the question. Each part looks before it acts, so that it can be
 * interrupted and repeated at any point.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { buildRootImage } from '../provisioners/infrastructure/lab/root-image.ts';
import { minorFor } from '../provisioners/kubernetes/versions.ts';
import { buildPayload } from '../provisioners/payload/build.ts';
import { fetchPayload } from '../provisioners/payload/fetch.ts';
import { newestRelease } from '../provisioners/payload/newest.ts';
import type { OnProgress } from '../provisioners/payload/progress.ts';
import { ProgressLine } from './progress-line.ts';

const root = resolve(import.meta.dirname, '..');
const { values: given } = parseArgs({
  options: {
    size: { type: 'string', default: 'ha' },
    cache: { type: 'string', default: '/var/cache/remuda' },
    state: { type: 'string', default: '/var/lib/remuda' },
    labs: { type: 'string', default: '/var/lib/remuda-lab' },
    'no-cluster': { type: 'boolean', default: false },
  },
});
const folders = {
  daemon: join(given.state, 'daemon'),
  agent: join(given.state, 'agent'),
  run: join(given.state, 'run'),
};
/** What the examples name, and what is built when nothing newer can be had: the last whole one among Debian's sources. */
const labVersion = 'v1.20.2';
const clusterName = given.size === 'small' ? 'lab-small' : 'lab-ha';
const server = 'https://127.0.0.1:8443';

/** Ends with what went wrong and how to go on. */
function fail(message: string): never {
  console.error(`scripts/up: ${message}`);
  process.exit(1);
}

/** Builds the web wizard; the daemon serves it from the clone. */
function buildWizard(): void {
  const { status } = spawnSync(join(root, 'scripts/wizard'), [], {
    stdio: 'inherit',
    env: { ...process.env, REMUDA_CACHE: given.cache },
  });
  if (status !== 0) fail('the web wizard could not be built; its last lines stand above.');
}

/** The version of control groups of this machine: a kubelet may refuse the older one. */
const cgroupMode = (): 1 | 2 => (existsSync('/sys/fs/cgroup/cgroup.controllers') ? 2 : 1);

/** What the cluster will run, and where kubectl of that version is. */
interface Supplies {
  /** `v1.20.2`. */
  readonly version: string;
  readonly kubectl: string;
}

/** Builds or fetches what is not in the cache yet, with progress and remaining time. */
async function prepareSupplies(): Promise<Supplies> {
  const line = new ProgressLine();
  const onProgress: OnProgress = ({ what, done, total, remaining }) =>
    line.show({ what, done, total, remaining });
  const image = await buildRootImage(given.cache, (done, total, what) => line.show({ what, done, total }));
  const isUsable = (version: string): boolean => minorFor(version).cgroupModes.includes(cgroupMode());
  const { release, why } = await newestRelease({ isUsable });
  const payload =
    release === undefined
      ? await buildPayload({ version: labVersion, cacheRoot: given.cache, onProgress })
      : await fetchPayload({ version: release.kubernetes, cacheRoot: given.cache, onProgress });
  line.end();
  const { kubernetes: version } = payload.manifest;
  console.log(`Kubernetes ${version}: ${why}\nlab root: ${image}\npayload:  ${payload.folder}`);
  return { version, kubectl: join(payload.folder, 'files/kubectl') };
}

/** The daemon runs as a user of its own that owns nothing but its state. */
function daemonUser(): { readonly uid: number; readonly gid: number } {
  const read = (flag: string): number =>
    Number(spawnSync('id', [flag, 'remuda'], { encoding: 'utf8' }).stdout);
  if (spawnSync('id', ['remuda']).status !== 0) {
    const { status, stderr } = spawnSync(
      'useradd',
      ['--system', '--no-create-home', '--home-dir', given.state, '--shell', '/usr/sbin/nologin', 'remuda'],
      { encoding: 'utf8' },
    );
    if (status !== 0) fail(`the system user "remuda" could not be made: ${stderr.trim()}`);
  }
  return { uid: read('-u'), gid: read('-g') };
}

/** Whether the process in the pid file of that name still runs the program we started. */
function isRunning(name: string): boolean {
  try {
    const pid = readFileSync(join(folders.run, `${name}.supervisor`), 'utf8').trim();
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(join(root, 'scripts/supervise'));
  } catch {
    return false;
  }
}

/** Starts a program under scripts/supervise, in a session of its own. */
function start(name: string, command: readonly string[]): void {
  if (isRunning(name)) return;
  const log = join(given.state, `${name}.log`);
  const output = openSync(log, 'a', 0o600);
  const child = spawn(join(root, 'scripts/supervise'), [log, join(folders.run, `${name}.pid`), ...command], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', output, output],
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      LANG: 'C.UTF-8',
      REMUDA_CACHE: given.cache,
      REMUDA_LAB_DIR: given.labs,
    },
  });
  writeFileSync(join(folders.run, `${name}.supervisor`), `${child.pid}\n`);
  child.unref();
}

/** Waits for a file or an answer; says what it waits for when that takes longer than it should. */
async function until(what: string, log: string, isThere: () => boolean | Promise<boolean>): Promise<void> {
  const began = Date.now();
  let hasSpoken = false;
  while (!(await isThere())) {
    const waited = Date.now() - began;
    if (waited > 5000 && !hasSpoken) {
      console.log(`waiting for ${what} (usually 2 s); its log is ${log}`);
      hasSpoken = true;
    }
    if (waited > 60_000)
      fail(`${what} did not come up within a minute; look at ${log}, then run scripts/up again.`);
    await sleep(100);
  }
}

/** Runs the CLI as whoever runs this script; what `remuda login` kept is what it uses. */
function remuda(
  args: readonly string[],
  stdio: 'inherit' | 'pipe',
): { readonly status: number; readonly stdout: string } {
  const { status, stdout } = spawnSync(join(root, 'remuda'), args, {
    cwd: root,
    encoding: 'utf8',
    stdio: stdio === 'inherit' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  });
  return { status: status ?? 1, stdout: stdout ?? '' };
}

/** Daemon (unprivileged) and agent (root: it makes namespaces), each restarted when it dies. */
async function startServices(): Promise<void> {
  for (const folder of [given.state, folders.run]) mkdirSync(folder, { recursive: true, mode: 0o755 });
  for (const folder of [folders.daemon, folders.agent]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const user = daemonUser();
  chownSync(folders.daemon, user.uid, user.gid);
  // The clone may lie where only root can go (/root). A bind mount in the daemon's own mount namespace lets its user
  // read the program there and nothing else of that folder.
  const program = '/run/remuda/program';
  mkdirSync(program, { recursive: true });
  const node = join(program, relative(root, process.execPath));
  const bind = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c'];
  const script = 'mount --bind "$0" "$1" && shift && exec "$@"';
  const becomeUser = [
    'setpriv',
    `--reuid=${user.uid}`,
    `--regid=${user.gid}`,
    '--clear-groups',
    '--no-new-privs',
    '--',
  ];
  const asDaemon = [...bind, script, root, program, ...becomeUser, node];
  start('daemon', [...asDaemon, join(program, 'daemon/main.ts'), '--state', folders.daemon]);
  const token = join(folders.daemon, 'admin-token');
  const logIn = ['login', server, '--token-file', token];
  await until(
    'the daemon',
    join(given.state, 'daemon.log'),
    () => existsSync(token) && remuda(logIn, 'pipe').status === 0,
  );
  const agent = [
    process.execPath,
    join(root, 'appliance/agent/main.ts'),
    '--state',
    folders.agent,
    '--server',
    server,
  ];
  const enrolment = join(folders.agent, 'enrolment-token');
  if (!existsSync(join(folders.agent, 'enrolment.json'))) {
    writeFileSync(enrolment, remuda(['agent', 'token', 'local'], 'pipe').stdout, { mode: 0o600 });
  }
  start('agent', [...agent, '--enrol-file', enrolment]);
  await until('the agent', join(given.state, 'agent.log'), () =>
    remuda(['get', 'agents', '-o', 'json'], 'pipe').stdout.includes('"state": "connected"'),
  );
}

/** The line that uses the cluster. */
function printHowToUse(kubectl: string): void {
  const kubeconfig = join(given.state, `${clusterName}.kubeconfig`);
  const { status, stdout } = remuda(['kubeconfig', clusterName], 'pipe');
  if (status !== 0)
    fail(
      `the cluster is there, but its kubeconfig could not be made; try: ./remuda kubeconfig ${clusterName}`,
    );
  writeFileSync(kubeconfig, stdout, { mode: 0o600 });
  console.log(
    `\nYour cluster is ready. Use it:\n\n  export KUBECONFIG=${kubeconfig}\n  ${kubectl} get nodes\n`,
  );
  console.log(
    `See how it was made:   ./remuda describe cluster ${clusterName}\nIn a browser:          ${server}/\nRemove everything:     ./scripts/down`,
  );
}

/** Where the wizard is, and what a first visitor needs; nothing when somebody has claimed the server already. */
function printWizard(): void {
  const setupCode = join(folders.daemon, 'setup-code');
  console.log(`\nThe wizard, in a browser:   ${server}/`);
  if (!existsSync(setupCode)) return;
  const authority = new X509Certificate(readFileSync(join(folders.daemon, 'authority', 'ca.crt')));
  const hash = createHash('sha256')
    .update(authority.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
  console.log(
    `Set-up code (makes the first administrator, once):   ${readFileSync(setupCode, 'utf8').trim()}`,
  );
  console.log(
    `The page shows this fingerprint of the server; compare it before you type a password:\n  ${hash}`,
  );
}

/** The example, or a copy of it with the version that was chosen here. */
function answerFile(version: string): string {
  const example = `ui/docs/examples/${clusterName}.yaml`;
  if (version === labVersion) return example;
  const copy = join(given.state, `${clusterName}.yaml`);
  const text = readFileSync(join(root, example), 'utf8');
  writeFileSync(copy, text.replace(labVersion.slice(1), version.slice(1)));
  return copy;
}

const { version, kubectl } = await prepareSupplies();
buildWizard();
await startServices();
printWizard();
if (!given['no-cluster']) {
  const answers = answerFile(version);
  console.log(`\nremuda apply -f ${answers} --wait`);
  const { status } = remuda(['apply', '-f', answers, '--wait'], 'inherit');
  if (status !== 0) {
    console.error(
      `\nNothing is lost: run scripts/up again and it goes on. Look first:  ./remuda describe cluster ${clusterName}`,
    );
    process.exit(status);
  }
  printHowToUse(kubectl);
}
