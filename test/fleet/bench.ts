import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { StepContext } from '../../provisioners/contract/step.ts';
import type { Bench, ControlPlaneBench, WorkOf } from '../contract/bench.ts';
import type { ComponentBench } from '../contract/components.ts';
import type { DrainBench } from '../contract/drain.ts';
import type { EtcdBench } from '../contract/etcd.ts';
import { callFleet } from './model/calls.ts';
import { cordonAsSomebody } from './model/drain-calls.ts';
import { Fleet } from './model/fleet.ts';
import { Door, type DoorOptions } from './ports/door.ts';
import { fakeSecrets, fleetPorts } from './ports/ports.ts';

const cluster = { uid: 'contract', name: 'contract' };
/** Version of what the machines run. */
export const version = 'v1.20.2';

/** A fleet whose time moves with every wait of whoever calls: the suites know nothing of model time. */
class FleetBench implements Bench {
  readonly fleet = new Fleet();
  readonly #lines: string[] = [];
  readonly #machines = new Map<string, MachineRef>();
  readonly absent: MachineRef = {
    name: 'nobody',
    address: '10.9.250.1',
    port: 22,
    user: 'root',
    hostKeys: [],
  };

  /** Called around every effect: where tests cut. */
  around: DoorOptions['around'];

  /** What a step gets, for one attempt. */
  context(work: WorkOf = {}): StepContext {
    const { operation = 'operation', step = 'step', attempt = 1 } = work;
    return {
      ...this.ports(work),
      cluster,
      operation,
      step,
      attempt,
      key: `${operation}/${step}`,
      signal: new AbortController().signal,
      now: () => new Date(this.fleet.now).toISOString(),
      sleep: async (duration) => this.fleet.settle(this.fleet.now + duration),
      log: (text) => this.#lines.push(text),
      progress: () => {},
      waiting: () => {},
    };
  }

  ports(work: WorkOf = {}) {
    const { operation = 'operation', step = 'step', attempt = 1, epoch = 1 } = work;
    const door = new Door({
      by: { operation, step, attempt, epoch },
      carry: async (name, given, by) => callFleet(this.fleet, name, given, by),
      sleep: async (duration) => this.fleet.settle(this.fleet.now + duration),
      ...(this.around === undefined ? {} : { around: this.around }),
    });
    return fleetPorts(door, fakeSecrets({ dc1: { password: 'model' } }), (text) => this.#lines.push(text));
  }

  get machine(): MachineRef {
    return this.of('m1');
  }

  get impostor(): MachineRef {
    return { ...this.machine, hostKeys: ['ssh-ed25519 AAAAsomebodyelse'] };
  }

  lines(): readonly string[] {
    return this.#lines;
  }

  of(name: string): MachineRef {
    const found = this.#machines.get(name);
    if (found === undefined) throw new Error(`no machine ${name}`);
    return found;
  }

  async add(name: string): Promise<void> {
    const { provider } = this.ports();
    const made = await provider.machines.create(
      {
        cluster,
        name,
        role: 'control-plane',
        incarnation: 1,
        token: name,
        shape: { cpus: 2, memory: 2 ** 32, disks: [] },
        authorizedKey: 'ssh-ed25519 AAAA',
        labels: {},
      },
      new AbortController().signal,
    );
    this.#machines.set(name, {
      name,
      address: made.address ?? '',
      port: 22,
      user: 'root',
      hostKeys: [made.provisionalHostKey ?? ''],
    });
    this.fleet.settle(this.fleet.now + 60_000);
  }

  /** kubeadm init or join with the least configuration. */
  async enter(name: string): Promise<void> {
    const ports = this.ports({ step: `enter ${name}` });
    const machine = this.of(name);
    const verb = name === 'm1' ? 'init' : 'join';
    const kind = name === 'm1' ? 'InitConfiguration' : 'JoinConfiguration';
    const content = `apiVersion: kubeadm.k8s.io/v1beta2\nkind: ${kind}\nnodeRegistration: { name: ${name} }\n${name === 'm1' ? '' : 'controlPlane: {}\n'}`;
    const config = '/etc/kubernetes/remuda/kubeadm.yaml';
    await ports.payload.install(machine, version, 'control-plane');
    await ports.service.start(machine, 'containerd.service');
    await ports.service.start(machine, 'kubelet.service');
    await ports.file.write(machine, [{ path: config, content, mode: 0o600 }]);
    await ports.kubeadm.run(machine, { verb, config, skipPhases: [], ignorePreflightErrors: [] });
    this.fleet.settle(this.fleet.now + 60_000);
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

/** A control plane of the model, as {@link EtcdBench} and {@link ComponentBench} have it. */
export class FleetControlPlane
  extends FleetBench
  implements ControlPlaneBench, EtcdBench, ComponentBench, DrainBench
{
  masters: readonly string[] = [];

  readonly component = {
    name: 'etcd',
    argument: '--cert-file=/etc/kubernetes/pki/etcd/server.crt',
    files: ['/etc/kubernetes/pki/etcd/server.crt'],
    port: 2379,
  } as const;

  get access() {
    return { masters: this.masters.map((name) => this.of(name)), apiPort: 6444 };
  }

  async stopMember(name: string): Promise<void> {
    const machine = this.fleet.byAddress.get(this.of(name).address);
    if (machine !== undefined) this.fleet.setPower(machine, 'off');
    for (const each of this.fleet.clusters.values()) this.fleet.refresh(each, undefined);
  }

  async cordonAsSomebody(node: string, isUnschedulable: boolean): Promise<void> {
    for (const each of this.fleet.clusters.values()) cordonAsSomebody(each, node, isUnschedulable);
  }

  async reportRunning({ namespace, name }: { namespace: string; name: string }): Promise<void> {
    const of = { apiVersion: 'v1', kind: 'Pod', namespace, name };
    for (const { objects } of this.fleet.clusters.values())
      objects.patch(of, { status: { phase: 'Running' } }, { manager: 'kubelet' });
  }

  async addUnstarted(): Promise<void> {
    for (const each of this.fleet.clusters.values()) each.etcd.add('nobody', '10.9.250.2', false);
  }
}

/** One machine, and nothing on it. */
export async function oneMachine(): Promise<FleetBench> {
  const bench = new FleetBench();
  await bench.add('m1');
  return bench;
}

/** One machine with a payload installed. */
export async function withPayload(): Promise<FleetBench> {
  const bench = await oneMachine();
  await bench.ports().payload.install(bench.machine, version, 'control-plane');
  return bench;
}

/** Masters that have entered one cluster one after another. */
export async function controlPlane(names: readonly string[]): Promise<FleetControlPlane> {
  const bench = new FleetControlPlane();
  for (const name of names) await bench.add(name);
  for (const name of names) await bench.enter(name);
  bench.masters = names;
  return bench;
}
