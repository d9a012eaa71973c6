/**
 * What looking after clusters costs an agent (K6: cheap at 200 clusters): 200 clusters of 3 masters and 2 workers, one
 * look each 30 s. First the agent's own work, with ports that answer at once and clusters in which nothing happens; then
 * one question over TLS with a client certificate, as each is asked in life (without the share of SSH, whose connection
 * stays open). Prints processor time and messages; asserts nothing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { ClientCertificates } from '../../appliance/agent/client-certificates.ts';
import { Watching } from '../../appliance/agent/health/watching.ts';
import { drawClusterKeys } from '../../appliance/agent/pki.ts';
import type { WatchedCluster } from '../../appliance/agent/protocol/watch.ts';
import { KeptConnections } from '../../appliance/agent/kept-connections.ts';
import { Snapshots } from '../../appliance/agent/snapshots.ts';
import { callOver } from '../../appliance/agent/tunnel.ts';
import type { KubernetesObject } from '../../provisioners/contract/ports/kubernetes.ts';
import type { Ports } from '../../provisioners/contract/ports.ts';
import { scaledClock } from '../faults/scaled-clock.ts';
import { issue } from '../fleet/etcd-processes.ts';
import { fakeSecrets } from '../fleet/ports/ports.ts';
import { row, say } from './table.ts';

const clusters = 200;
const every = 30_000;
/** Model milliseconds a real one: an hour in a minute. */
const scale = 60;
const rounds = 20;

const machinesOf = (cluster: string): string[] =>
  ['cp-1', 'cp-2', 'cp-3', 'w-1', 'w-2'].map((name) => `${cluster}-${name}`);

/** A Node of the size that kubelets report: some kilobytes of images, conditions and annotations. */
const nodeNamed = (name: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'node-role.kubernetes.io/control-plane': '' }, annotations: {} },
  spec: {},
  status: {
    conditions: [
      { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready' },
    ],
    addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    nodeInfo: { kubeletVersion: 'v1.20.2' },
    images: Array.from({ length: 20 }, (_, index) => ({
      names: [`registry/image-${index}:v1`],
      sizeBytes: 1e8,
    })),
  },
});

let calls = 0;
const counted = <Value>(value: Value): Promise<Value> => {
  calls += 1;
  return Promise.resolve(value);
};

/** Ports of a cluster in which all is well and nothing happens. */
function quietPorts(cluster: string): Ports {
  const names = machinesOf(cluster);
  const members = names.slice(0, 3).map((name, index) => ({
    id: `${index + 1}`,
    name,
    peerURLs: [],
    started: true,
    learner: false,
    healthy: true,
    leader: index === 0,
    dbSize: 40_000_000,
  }));
  const machines = names.map((name) => ({
    name,
    role: name.includes('cp') ? 'control-plane' : 'worker',
    state: 'running',
  }));
  // Only what a look uses is there: anything else that is touched throws.
  return {
    secrets: fakeSecrets(),
    provider: { machines: { list: () => counted(machines) } },
    host: {
      certificates: () =>
        counted([{ name: 'apiserver', notAfter: '2036-01-01T00:00:00.000Z', fingerprint: '' }]),
      facts: () => counted({ freeDisk: { '/': 60e9 } }),
    },
    kubernetes: {
      version: () => counted('v1.20.2'),
      versionAtEndpoint: () => counted('v1.20.2'),
      list: () => counted(names.map(nodeNamed)),
    },
    etcd: { members: () => counted(members) },
  } as never as Ports;
}

function watchedCluster(index: number): WatchedCluster {
  const name = `team-${index}`;
  return {
    context: {
      cluster: { uid: name, name },
      provider: { name: 'lab', type: 'lab', config: {} },
      secrets: {},
    },
    references: Object.fromEntries(
      machinesOf(name).map((one) => [
        one,
        { name: one, address: '10.0.0.1', port: 22, user: 'root', hostKeys: ['k'] },
      ]),
    ),
    endpoint: { host: '10.0.0.100', port: 6443 },
    apiPort: 6443,
    kubernetesVersion: '1.20.2',
    isChanging: false,
  };
}

const clock = { ...scaledClock({ start: Date.now(), scale }), random: Math.random };
const watching = new Watching({
  ports: ({ context }) => quietPorts(context.cluster.name),
  clock,
  epoch: 1,
  logger: { warn: (problem: unknown) => say(JSON.stringify(problem)) },
  snapshots: new Snapshots(clock),
});
let messages = 0;
watching.linked(async () => {
  messages += 1;
});
const set = Array.from({ length: clusters }, (_, index) => watchedCluster(index));
say(`${clusters} clusters, the first look at each`);
watching.set({ epoch: 1, every, all: set.map(({ context }) => context.cluster.uid), set });
const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
while (watching.looks < clusters) await pause(50);
const first = {
  looks: watching.looks,
  calls,
  messages,
  at: Date.parse(clock.now()),
  cpu: process.cpuUsage(),
};
say(`${rounds} rounds in which nothing happens`);
while (watching.looks - first.looks < clusters * rounds) await pause(50);
const spent = process.cpuUsage(first.cpu);
const looks = watching.looks - first.looks;
const hours = (Date.parse(clock.now()) - first.at) / 3_600_000;
const perLook = (spent.user + spent.system) / 1000 / looks;
const callsPerLook = (calls - first.calls) / looks;
watching.stop();

say('one question over TLS with a client certificate');
const perHandshake = await questionCost(300);
const perQuestion = await questionCost(1000, new KeptConnections());
const looksASecond = (clusters * 1000) / every;
/** Each version is two requests; etcd's members are one list, and two requests a member. */
const questions = 3 * 2 + 2 + 1 + 1 + 3 * 2;
const share = (looksASecond * (perLook + questions * perQuestion)) / 10;
row(`health: agent's processor time a look at 3+2, its own work (of ${looks})`, `${perLook.toFixed(2)} ms`);
row('health: calls of ports a look, whatever the number of workers', callsPerLook.toFixed(1));
row(
  `health: messages to the daemon, ${clusters} clusters, nothing happens`,
  `${first.messages} at first, then ${Math.round((messages - first.messages) / hours)} an hour`,
);
row(
  'health: one question over TLS, client certificate and all, over a connection that is kept',
  `${perQuestion.toFixed(2)} ms (${perHandshake.toFixed(2)} ms with a handshake of its own)`,
);
row(
  `health: ${clusters} clusters each ${every / 1000} s: share of one core (${questions} questions a look, without SSH)`,
  `${share.toFixed(0)} %, ${Math.round((100 * perLook) / (perLook + questions * perQuestion))} % of it our own work`,
);

/** Processor time of this process for one question, milliseconds; the server is another process. */
async function questionCost(count: number, kept?: KeptConnections): Promise<number> {
  const keys = await drawClusterKeys('bench');
  const { certificate, key } = await issue(keys.etcd, 'm1', '127.0.0.1');
  const program = `
    const { cert, key, ca } = JSON.parse(process.env.SERVED);
    const server = require('node:https').createServer({ cert, key, ca, requestCert: true }, (_, response) => response.end('{}'));
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;
  const served = JSON.stringify({ cert: certificate, key, ca: keys.etcd.certificate });
  const server = spawn(process.execPath, ['-e', program], {
    env: { SERVED: served },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(server.stdout, 'data')) as [Buffer];
  const port = Number(said.toString());
  const identity = await new ClientCertificates(async () => keys).etcd();
  const ask = () =>
    callOver(
      () => connect({ host: '127.0.0.1', port }),
      identity,
      { method: 'GET', path: '/' },
      { patience: 5000, signal: new AbortController().signal, what: 'the server', kept, server: 'one' },
    );
  for (let warm = 0; warm < 20; warm += 1) await ask();
  const before = process.cpuUsage();
  for (let asked = 0; asked < count; asked += 1) await ask();
  const { user, system } = process.cpuUsage(before);
  kept?.close();
  server.kill();
  return (user + system) / 1000 / count;
}
