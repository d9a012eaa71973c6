import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { pino } from 'pino';
import { createSecretsPort } from '../../appliance/agent/adapters/secrets.ts';
import { AttemptRunner } from '../../appliance/agent/attempts.ts';
import { enrol } from '../../appliance/agent/enrolment.ts';
import { createHandOverQuestions } from '../../appliance/agent/hand-over.ts';
import { createInspectQuestions } from '../../appliance/agent/inspection.ts';
import { createRotationQuestions } from '../../appliance/agent/key-rotation.ts';
import { AgentLinkClient } from '../../appliance/agent/link-client.ts';
import { requestCertificate } from '../../appliance/agent/pki.ts';
import type { PayloadListing } from '../../appliance/agent/protocol/questions.ts';
import { protocolVersion } from '../../appliance/agent/protocol/dispatch.ts';
import { createBackupQuestions } from '../../appliance/agent/backup/questions.ts';
import { createDirectoryQuestions } from '../../appliance/agent/directory/directory.ts';
import { createQuestions } from '../../appliance/agent/questions.ts';
import { createAlertQuestions } from '../../appliance/agent/health/alerts.ts';
import { Watching } from '../../appliance/agent/health/watching.ts';
import { Snapshots } from '../../appliance/agent/snapshots.ts';
import { AttemptStore } from '../../appliance/agent/store.ts';
import type { PortsFactory, Work } from '../../appliance/agent/work.ts';
import type { Ports } from '../../provisioners/contract/ports.ts';
import { steps } from '../../provisioners/kubernetes/steps.ts';
import { scaledClock } from '../faults/scaled-clock.ts';
import { callFleet } from '../fleet/model/calls.ts';
import { Fleet } from '../fleet/model/fleet.ts';
import { Door } from '../fleet/ports/door.ts';
import { fleetPorts } from '../fleet/ports/ports.ts';
import { insecureFetch } from './insecure-fetch.ts';

const root = resolve(import.meta.dirname, '../..');
/** Model milliseconds a real one: a cluster that takes minutes is there in seconds, and can still be watched. */
const usualScale = 60;

/** A payload that the model has, as an agent lists it. */
const payload: PayloadListing = {
  name: 'kubernetes-v1.20.2-model',
  kubernetesVersion: 'v1.20.2',
  flavour: 'lab',
  bytes: 734_003_200,
  digest: `sha256:${'5a'.repeat(32)}`,
  provenance: 'the model of the tests',
};

/** A real daemon, with a real agent's link and step loop over the fleet model in place of machines. */
export interface FleetSite extends AsyncDisposable {
  readonly url: string;
  /** Folder of the daemon's state, where the set-up code is. */
  readonly folder: string;
  readonly fleet: Fleet;
  /** `<CA hash>.<secret>` of the administrator's token. */
  readonly token: string;
  /** Ends the daemon with SIGKILL; the agent stays. */
  kill(): Promise<void>;
  /** Starts the daemon again on its state and its ports. */
  restart(): Promise<void>;
}

/** Other ports than the model's, for some of the work; `identity` is the agent's. */
export type ChangePorts = (ports: Ports, work: Work, identity: string) => Ports;

/** Starts one on free ports of loopback; it goes away with everything it wrote. `scale`: model milliseconds a real one. */
export async function startFleetSite(
  scale = usualScale,
  change: ChangePorts = (ports) => ports,
): Promise<FleetSite> {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-browser-'));
  const state = join(folder, 'daemon');
  let daemon = await startDaemon(state);
  const { port, linkPort } = daemon;
  const url = `https://127.0.0.1:${port}`;
  const token = readFileSync(join(state, 'admin-token'), 'utf8').trim();
  const fleet = new Fleet();
  const agent = await startAgent({ url, token, folder, fleet, scale, change });
  return {
    url,
    folder: state,
    fleet,
    token,
    kill: () => end(daemon.process, 'SIGKILL'),
    async restart() {
      daemon = await startDaemon(state, { port, linkPort });
    },
    async [Symbol.asyncDispose]() {
      await agent.stop();
      await end(daemon.process, 'SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface StartedDaemon {
  readonly process: ChildProcess;
  readonly port: number;
  readonly linkPort: number;
}

/** The daemon as it is started in life, by default on any free ports; it says which when it is ready. */
async function startDaemon(state: string, ports = { port: 0, linkPort: 0 }): Promise<StartedDaemon> {
  const address = (port: number): string => `127.0.0.1:${port}`;
  const listen = ['--listen', address(ports.port), '--link-listen', address(ports.linkPort)];
  const words = ['--state', state, ...listen, '--allow-root'];
  const child = spawn(process.execPath, [join(root, 'daemon/main.ts'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { promise, resolve: found, reject } = Promise.withResolvers<StartedDaemon>();
  let said = '';
  child.stdout.on('data', (part: Buffer) => {
    said += part.toString();
    const ready = /"port":(\d+),"linkPort":(\d+),"msg":"ready"/.exec(said);
    if (ready) found({ process: child, port: Number(ready[1]), linkPort: Number(ready[2]) });
  });
  child.stderr.on('data', (part: Buffer) => {
    said += part.toString();
  });
  child.once('exit', (code) => reject(new Error(`the daemon ended (${code}): ${said}`)));
  return promise;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((done) => child.once('exit', done));
  child.kill(signal);
  await gone;
}

async function startAgent(given: {
  readonly url: string;
  readonly token: string;
  readonly folder: string;
  readonly fleet: Fleet;
  readonly scale: number;
  readonly change: ChangePorts;
}): Promise<{ stop(): Promise<void> }> {
  const { url, token, folder, fleet, scale, change } = given;
  const clock = { ...scaledClock({ start: Date.now(), scale }), random: Math.random };
  const ports: PortsFactory = (work) => {
    const door = new Door({
      by: { ...work.key, epoch: work.epoch },
      sleep: (duration) => clock.sleep(duration),
      carry: async (name, call, caller) => callFleet(fleet, name, call, caller),
    });
    // Keys are as real as they are sealed; only what they open is a model.
    const secrets = createSecretsPort(work.context, identity, (secret) => work.hide(secret));
    const model = fleetPorts(door, secrets, (text, machine) => work.log(text, machine));
    return change(model, work, identity);
  };
  // The model moves by the clock: machines boot and kubelets start while nobody calls them.
  const settling = setInterval(() => fleet.settle(clock.milliseconds()), 20);
  const issued = await insecureFetch(`${url}/api/v1/agents/local/token`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: '{}',
  });
  const enrolment = JSON.parse(issued) as { readonly token: string };
  const identity = await generateIdentity();
  const recipient = await identityToRecipient(identity);
  const enrolled = await enrol({
    server: url,
    token: enrolment.token,
    recipient,
    release: '0.1.0',
    request: await requestCertificate(),
  });
  const store = new AttemptStore(join(folder, 'agent.db'));
  const kinds = new Map(steps.map((step) => [step.kind, step]));
  const { epoch } = enrolled;
  const logger = pino({ level: 'silent' });
  const snapshots = new Snapshots(clock);
  const runner = new AttemptRunner({ steps: kinds, store, epoch, clock, ports, snapshots });
  const watching = new Watching({ ports, clock, epoch, logger, snapshots });
  const client = new AgentLinkClient({
    url: `https://127.0.0.1:${enrolled.linkPort}`,
    identity: enrolled,
    hello: () => ({
      protocol: protocolVersion,
      release: '0.1.0',
      site: 'local',
      epoch,
      kinds: Object.fromEntries(steps.map(({ kind, version }) => [kind, version])),
      recipient,
      open: runner.open(),
    }),
    runner,
    watching,
    questions: {
      ...createQuestions({
        ports,
        steps: kinds,
        supply: { list: async () => [payload] },
        clock,
        epoch,
      }),
      ...createBackupQuestions({ ports, epoch }),
      ...createInspectQuestions({ ports, epoch, recipient }),
      ...createHandOverQuestions({ ports, epoch }),
      ...createRotationQuestions({
        ports,
        epoch,
        reach: { isLoopbackAllowed: true },
        now: () => new Date().toISOString(),
      }),
      // Servers of tests are on loopback.
      ...createDirectoryQuestions({ identity, reach: { isLoopbackAllowed: true } }),
      ...createAlertQuestions({ identity, reach: { isLoopbackAllowed: true } }),
    },
    logger,
  });
  runner.resume();
  client.start();
  return {
    async stop() {
      clearInterval(settling);
      watching.stop();
      await runner.stop();
      await client.stop();
      store.close();
    },
  };
}
