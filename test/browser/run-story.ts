import type { OperationDetail, StepView } from '../../daemon/operations/answers.ts';
import { fakeOperation } from '../integration/api/fake-engine.ts';
import type { FakeSite } from '../integration/api/fake-site.ts';

/** A run in the middle of its work, told by a fake engine: every standing that a step can have is in it. */
export interface RunStory {
  readonly operation: OperationDetail;
  readonly masters: readonly string[];
  readonly workers: readonly string[];
}

const began = Date.now() - 95_000;
const at = (seconds: number): string => new Date(began + seconds * 1000).toISOString();

type Phase = StepView['phase'];
type Change = Partial<StepView>;

const ended = (from: number, took: number): Change => ({
  state: 'succeeded',
  attempt: 1,
  startedAt: at(from),
  endedAt: at(from + took),
  changed: true,
});
const running = (from: number, more: Change = {}): Change => ({
  state: 'running',
  attempt: 1,
  startedAt: at(from),
  ...more,
});

function step(kind: string, subject: string, phase: Phase, title: string, change: Change = {}): StepView {
  return {
    id: `${kind}/${subject}`,
    kind,
    title,
    phase,
    subject,
    after: [],
    destructive: false,
    state: 'planned',
    attempt: 0,
    ...change,
  };
}

/** A create of a cluster: two masters are in, the third waits for etcd; one worker is in, one failed if asked for. */
export function runStory(options: { readonly workers?: number; readonly isFailed?: boolean } = {}): RunStory {
  const { workers: workerCount = 2, isFailed = false } = options;
  const masters = ['demo-m1', 'demo-m2', 'demo-m3'];
  const workers = Array.from({ length: workerCount }, (_, index) => `demo-w${index + 1}`);
  const all = [...masters, ...workers];
  const each = (
    kind: string,
    phase: Phase,
    title: (name: string) => string,
    change: (name: string, index: number) => Change,
    names: readonly string[] = all,
  ): StepView[] => names.map((name, index) => step(kind, name, phase, title(name), change(name, index)));
  const stepList: StepView[] = [
    step(
      'provider.preflight',
      'cluster',
      'preflight',
      'Check that the provider can make 5 machines',
      ended(0, 2),
    ),
    step('infrastructure.prepare', 'cluster', 'infrastructure', 'Prepare the infrastructure', ended(2, 3)),
    ...each(
      'machine.create',
      'machines',
      (name) => `Make the machine ${name}`,
      (_name, index) => ended(5, 8 + (index % 4)),
    ),
    ...each(
      'host-key.replace',
      'machines',
      (name) => `Pin the host key of ${name}`,
      () => ended(16, 2),
    ),
    ...each(
      'machine.configure',
      'preparation',
      (name) => `Configure ${name}`,
      () => ended(18, 4),
    ),
    ...each(
      'payload.install',
      'preparation',
      (name) => `Bring Kubernetes 1.37.1 to ${name}`,
      (_name, index) => ended(22, 14 + (index % 5)),
    ),
    ...each(
      'kubelet.install',
      'preparation',
      (name) => `Install the kubelet on ${name}`,
      () => ended(40, 3),
    ),
    step(
      'control-plane.init',
      'demo-m1',
      'control plane',
      'Start the control plane on demo-m1',
      ended(43, 24),
    ),
    step(
      'control-plane.join',
      'demo-m2',
      'control plane',
      'Join demo-m2 to the control plane',
      ended(67, 12),
    ),
    step(
      'control-plane.join',
      'demo-m3',
      'control plane',
      'Join demo-m3 to the control plane',
      running(80, {
        waiting: {
          what: 'the etcd member demo-m3 to be promoted',
          lastSeen: 'learner, 41 % of the leader’s log',
          since: at(84),
          usually: 6_000,
          youCould: 'look at the disk of demo-m3: etcd wants fsync below 10 ms',
        },
      }),
    ),
    ...each(
      'endpoint.configure',
      'control plane',
      (name) => `Serve 10.77.0.100:6443 from ${name}`,
      (_name, index) => (index < 2 ? ended(69 + index, 3) : {}),
      masters,
    ),
    ...each(
      'worker.join',
      'workers',
      (name) => `Join ${name}`,
      (_name, index) => workerChange(index, isFailed),
      workers,
    ),
    step('addon.install', 'cluster', 'add-ons', 'Install Cilium 1.19.2'),
    step('addon.install-dns', 'cluster', 'add-ons', 'Install CoreDNS 1.13.1'),
    step(
      'cluster.verify',
      'cluster',
      'verification',
      `Prove that the cluster works on all ${all.length} machines`,
    ),
  ];
  const count = (...states: StepView['state'][]): number =>
    stepList.filter(({ state }) => states.includes(state)).length;
  const operation = fakeOperation({
    kind: 'create',
    principal: 'user:ada',
    state: isFailed ? 'failed' : 'running',
    isResumable: isFailed,
    createdAt: at(0),
    startedAt: at(0),
    ...(isFailed ? { endedAt: at(95) } : {}),
    duration: 95_000,
    stepList,
    steps: {
      total: stepList.length,
      ended: count('succeeded', 'failed'),
      running: count('running'),
      failed: count('failed'),
    },
  });
  return { operation, masters, workers };
}

function workerChange(index: number, isFailed: boolean): Change {
  if (index === 0) return ended(70, 9);
  if (index > 1) return index % 3 === 0 ? ended(70, 9) : {};
  if (!isFailed) return running(78, { progress: { done: 3, total: 5, what: 'Images imported' } });
  return {
    state: 'failed',
    attempt: 2,
    startedAt: at(78),
    endedAt: at(94),
    problem: {
      kind: 'blocked',
      code: 'WORKER-004',
      summary: 'The kubelet of demo-w2 does not reach the API server at 10.77.0.100:6443.',
      remedy: 'Let TCP 6443 through from demo-w2 to 10.77.0.100, then resume.',
      machine: 'demo-w2',
      command: 'kubeadm join',
      lastLines: ['[preflight] Running pre-flight checks', 'dial tcp 10.77.0.100:6443: i/o timeout'],
    },
  };
}

/** A deletion that has ended: of everything, or stopped at a worker that does not go. */
export function deletionStory({ isFailed = false } = {}): RunStory {
  const { operation, masters, workers } = runStory();
  const lost = workers.at(-1);
  const gone: Change = ended(90, 2);
  const machines = [...masters, ...workers].map((name) => {
    const problem = { kind: 'blocked', code: 'LAB-009', summary: `${name} does not stop` } as const;
    const change: Change = isFailed && name === lost ? { ...gone, state: 'failed', problem } : gone;
    const role = masters.includes(name) ? 'control-plane' : 'worker';
    return step('machine.destroy', name, 'teardown', `Remove the machine ${name}`, { ...change, role });
  });
  const facts = {
    gone: [...masters, ...workers].map((name) => ({ type: 'machine', id: name, name })),
    kept: [{ type: 'volume', id: 'data', name: 'data', policy: 'kept as deletion.volumes says' }],
    left: [],
  };
  const last: Change = isFailed ? { state: 'cancelled' } : gone;
  const stepList = [
    ...machines,
    step('infrastructure.remove', 'cluster', 'teardown', 'Remove the infrastructure', last),
    step(
      'teardown.prove',
      'cluster',
      'teardown',
      'Prove that nothing is left',
      isFailed ? last : { ...last, facts },
    ),
  ];
  const story = fakeOperation({
    ...operation,
    kind: 'delete',
    state: isFailed ? 'failed' : 'succeeded',
    endedAt: at(95),
    stepList,
    steps: { total: stepList.length, ended: stepList.length, running: 0, failed: isFailed ? 1 : 0 },
  });
  return { operation: story, masters, workers };
}

/** Puts the story behind the API of a site. */
export function tell(site: FakeSite, { operation, masters, workers }: RunStory): void {
  site.engine.clusters.set('demo', {
    uid: operation.cluster.uid,
    name: 'demo',
    provider: 'lab',
    phase: 'Provisioning',
    revision: 1,
    digest: 'sha256:0',
    createdAt: operation.createdAt,
    desired: { spec: { controlPlane: { endpoint: { host: '10.77.0.100', port: 6443 } } } },
    text: '',
    yaml: '',
    observed: {
      cluster: { uid: operation.cluster.uid, name: 'demo' },
      at: at(88),
      infrastructure: { state: 'present', detail: '' },
      references: {},
      incarnations: {},
      retired: {},
      apiVersion: 'v1.37.1',
      machines: [...masters, ...workers].map((name, index) => ({
        name,
        incarnation: 1,
        cluster: operation.cluster,
        token: name,
        role: masters.includes(name) ? ('control-plane' as const) : ('worker' as const),
        id: name,
        state: 'running' as const,
        address: `10.77.${Math.floor(index / 200)}.${10 + (index % 200)}`,
      })),
      voters: masters.map((name, index) => ({
        id: String(index),
        name,
        peerURLs: [],
        started: true,
        learner: index === 2,
        healthy: true,
        leader: index === 0,
      })),
      unseen: [],
    },
  });
  site.engine.put(operation);
}

/** Puts so many lines behind the API: machines in turn, every tenth an error, every ten thousandth with a needle. */
export function fillLog(site: FakeSite, count: number): void {
  const names = ['demo-m1', 'demo-m2', 'demo-m3', 'demo-w1', 'demo-w2'];
  for (let number = site.engine.lines.length + 1; number <= count; number += 1) {
    const machine = names[number % names.length] ?? '';
    // Errors go round the machines too: tens are met by each machine in turn.
    const isError = Math.floor(number / names.length) % 10 === 0;
    const words = isError
      ? 'E1121 dial tcp 10.77.0.100:6443: i/o timeout'
      : 'I1121 kubelet.go:73] syncing pod';
    const needle = number % 10_000 === 5_000 ? ' a needle in the hay' : '';
    const line = {
      number,
      at: new Date(began + number).toISOString(),
      step: number % 200 === 3 ? 'control-plane.join/demo-m3' : `machine.configure/${machine}`,
      machine,
      text: `${words} of namespace kube-system on ${machine}, line ${number}${needle}`,
    };
    site.engine.lines.push(line);
  }
}
