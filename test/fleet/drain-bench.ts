import type { Outcome } from '../../appliance/agent/protocol/dispatch.ts';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { ControlPlaneAccess } from '../../provisioners/contract/ports/etcd.ts';
import type { KubernetesObject } from '../../provisioners/contract/ports/kubernetes.ts';
import type { Ports } from '../../provisioners/contract/ports.ts';
import type { AnyStep, StepContext } from '../../provisioners/contract/step.ts';
import { seconds } from '../../provisioners/contract/time.ts';
import { nodeCordon } from '../../provisioners/kubernetes/steps/node-cordon.ts';
import { nodeDrain } from '../../provisioners/kubernetes/steps/node-drain.ts';
import { nodeUncordon } from '../../provisioners/kubernetes/steps/node-uncordon.ts';
import { audited } from './audit.ts';
import { callFleet } from './model/calls.ts';
import { VirtualClock } from './model/clock.ts';
import type { ModelCluster } from './model/cluster.ts';
import { Fleet } from './model/fleet.ts';
import { field } from './model/kubernetes.ts';
import { podsIn } from './model/pods.ts';
import { Door, type DoorOptions } from './ports/door.ts';
import { fakeSecrets, fleetPorts } from './ports/ports.ts';
import { type RunningStep, startStep } from './running-step.ts';

const identity = { uid: 'u1', name: 'demo' };
const config = '/etc/kubernetes/kubeadm.yaml';

/** Where an agent dies: around which of its effects, counted from 1. */
export interface Cut {
  readonly nth: number;
  readonly when: 'before' | 'after';
}

/** An attempt whose agent may be cut. */
interface CutStep extends Omit<RunningStep, 'ended'> {
  /** Resolves with its end, or with `died` when the agent was cut. */
  readonly ended: Promise<Outcome | 'died'>;
}

/** A cluster of the model with one master and some workers, and an agent that runs steps on it. */
export class DrainBench {
  readonly clock = new VirtualClock();
  readonly fleet = new Fleet();
  readonly #references = new Map<string, MachineRef>();
  readonly #steps: readonly AnyStep[];
  #attempts = 0;

  constructor() {
    this.clock.onAdvance = (to) => this.fleet.settle(to);
    this.#steps = audited([nodeCordon, nodeDrain, nodeUncordon], (kind, detail) =>
      this.fleet.violate(kind, detail),
    );
  }

  get cluster(): ModelCluster {
    return this.fleet.cluster(identity);
  }

  get access(): ControlPlaneAccess {
    return { masters: [this.machine('m1')], apiPort: 6444 };
  }

  machine(name: string): MachineRef {
    const found = this.#references.get(name);
    if (found === undefined) throw new Error(`no machine ${name}`);
    return found;
  }

  /** Ports of somebody who is no step under test. */
  ports(around?: DoorOptions['around']): Ports {
    return fleetPorts(
      new Door({
        carry: async (name, given, by) => callFleet(this.fleet, name, given, by),
        by: { operation: 'bench', step: 'bench', attempt: 1, epoch: 1 },
        sleep: (duration) => this.clock.sleep(duration),
        ...(around === undefined ? {} : { around }),
      }),
      fakeSecrets(),
    );
  }

  /** What a step gets that is called without its loop. */
  context(operation: string, around?: DoorOptions['around']): StepContext {
    return {
      ...this.ports(around),
      cluster: identity,
      operation,
      step: 'step',
      attempt: 1,
      key: `${operation}/step`,
      signal: new AbortController().signal,
      now: () => this.clock.now(),
      sleep: (duration) => this.clock.sleep(duration),
      log: () => {},
      progress: () => {},
      waiting: () => {},
    };
  }

  /** Makes the machines and lets them enter; every node is ready. */
  async open(workers: readonly string[]): Promise<void> {
    await this.clock.run(this.#enter('m1'));
    await this.clock.run(Promise.all(workers.map((name) => this.#enter(name))));
    await this.pass(seconds(60));
  }

  async #enter(name: string): Promise<void> {
    const ports = this.ports();
    const role = name.startsWith('m') ? 'control-plane' : 'worker';
    const made = await ports.provider.machines.create(
      {
        cluster: identity,
        name,
        role,
        incarnation: 1,
        token: name,
        shape: { cpus: 2, memory: 2 ** 32, disks: [] },
        authorizedKey: 'ssh-ed25519 AAAA',
        labels: {},
      },
      new AbortController().signal,
    );
    const { address = '', provisionalHostKey = '' } = made;
    const machine = { name, address, port: 22, user: 'root', hostKeys: [provisionalHostKey] };
    this.#references.set(name, machine);
    await this.clock.sleep(seconds(10));
    await ports.payload.install(machine, 'v1.20.2', role);
    await ports.service.start(machine, 'containerd');
    await ports.service.start(machine, 'kubelet');
    const kind = name === 'm1' ? 'InitConfiguration' : 'JoinConfiguration';
    const content = `apiVersion: kubeadm.k8s.io/v1beta2\nkind: ${kind}\nnodeRegistration: { name: ${name} }\n`;
    await ports.file.write(machine, [
      { path: config, content, mode: 0o600 },
      { path: '/etc/cni/net.d/10-net.conflist', content: '{}', mode: 0o644 },
    ]);
    const verb = name === 'm1' ? 'init' : 'join';
    await ports.kubeadm.run(machine, { verb, config, skipPhases: [], ignorePreflightErrors: [] });
  }

  /** Lets model time pass, in steps in which controllers have their say. */
  async pass(duration: number): Promise<void> {
    for (let left = duration; left > 0; left -= 1000) {
      await this.clock.run(this.clock.sleep(Math.min(left, 1000)));
      podsIn(this.fleet, this.cluster);
    }
  }

  /** Applies objects as a user does. */
  async apply(...objects: readonly KubernetesObject[]): Promise<void> {
    await this.clock.run(this.ports().kubernetes.apply(this.access, objects));
    await this.pass(seconds(10));
  }

  /** Names (`namespace/name`) of the pods on a node now. */
  podsOn(node: string): readonly string[] {
    return podsIn(this.fleet, this.cluster)
      .filter((pod) => field(pod, 'spec', 'nodeName') === node)
      .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`)
      .toSorted();
  }

  node(name: string): KubernetesObject {
    const found = this.cluster.objects.get({ apiVersion: 'v1', kind: 'Node', name });
    if (found === undefined) throw new Error(`no Node ${name}`);
    return found;
  }

  isUnschedulable(name: string): boolean {
    return field(this.node(name), 'spec', 'unschedulable') === true;
  }

  /** Starts one attempt of a step in an agent of its own. */
  start(
    kind: string,
    wish: object,
    given: { readonly operation?: string; readonly cut?: Cut } = {},
  ): CutStep {
    const { operation = 'op-1', cut } = given;
    const died = Promise.withResolvers<'died'>();
    let effects = 0;
    const around = async (_label: string, effect: () => Promise<unknown>): Promise<unknown> => {
      effects += 1;
      if (cut === undefined || effects < cut.nth) return effect();
      // The process is gone: nothing of it goes on, and nobody hears what came of this effect or of later ones.
      if (effects === cut.nth && cut.when === 'after') await effect();
      died.resolve('died');
      return new Promise(() => {});
    };
    const running = startStep({
      steps: this.#steps,
      kind,
      input: wish,
      cluster: identity,
      operation,
      attempt: (this.#attempts += 1),
      clock: {
        now: () => this.clock.now(),
        sleep: (time, signal) => this.clock.sleep(time, signal),
        random: () => 0.5,
      },
      ports: () => this.ports(around),
    });
    return { ...running, ended: Promise.race([running.ended, died.promise]) };
  }

  /** Runs one attempt of a step to its end. */
  run(
    kind: string,
    wish: object,
    given: { readonly operation?: string; readonly cut?: Cut } = {},
  ): Promise<Outcome | 'died'> {
    return this.clock.run(this.start(kind, wish, given).ended);
  }
}

/** A workload whose pods bear its name as a label. */
export const workload = (
  kind: 'Deployment' | 'StatefulSet' | 'DaemonSet',
  name: string,
  replicas: number,
  more: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly spec?: object;
    readonly finalizers?: readonly string[];
  } = {},
): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name, namespace: 'shop' },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: {
        labels: { app: name, ...more.labels },
        ...(more.finalizers === undefined ? {} : { finalizers: more.finalizers }),
      },
      spec: { ...more.spec },
    },
  },
});

/** A pod that nobody but its maker knows of. */
export const barePod = (
  name: string,
  nodeName: string,
  more: { readonly status?: object; readonly volumes?: readonly object[]; readonly owner?: string } = {},
): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'shop',
    labels: { app: name },
    ...(more.owner === undefined
      ? {}
      : { ownerReferences: [{ apiVersion: 'batch/v1', kind: more.owner, name: 'owner', controller: true }] }),
  },
  spec: { nodeName, ...(more.volumes === undefined ? {} : { volumes: more.volumes }) },
  ...(more.status === undefined ? {} : { status: more.status }),
});

/** A PodDisruptionBudget over the pods of one workload. */
export const budget = (name: string, spec: object, app = name): KubernetesObject => ({
  apiVersion: 'policy/v1beta1',
  kind: 'PodDisruptionBudget',
  metadata: { name, namespace: 'shop' },
  spec: { selector: { matchLabels: { app } }, ...spec },
});
