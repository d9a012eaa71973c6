import type { ControlPlaneAccess } from '../../provisioners/contract/ports/etcd.ts';
import type { KubernetesObject, KubernetesPort } from '../../provisioners/contract/ports/kubernetes.ts';
import { setTimeout as sleep } from 'node:timers/promises';

/** Patches the status of an object as a kubelet does. */
export type PatchStatus = (path: string, status: object) => Promise<void>;

/**
 * A fake kubelet: it keeps a Node alive and calls its pods running and ready, or ended. It runs nothing.
 */
export class FakeKubelet {
  readonly node: string;
  readonly #kubernetes: KubernetesPort;
  readonly #access: ControlPlaneAccess;
  readonly #patchStatus: PatchStatus;
  #isOn = true;
  #life: Promise<void> = Promise.resolve();

  constructor(
    node: string,
    kubernetes: KubernetesPort,
    access: ControlPlaneAccess,
    patchStatus: PatchStatus,
  ) {
    this.node = node;
    this.#kubernetes = kubernetes;
    this.#access = access;
    this.#patchStatus = patchStatus;
  }

  /** Registers the Node and begins. */
  async start(): Promise<void> {
    await this.#kubernetes.apply(this.#access, [
      {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: this.node, labels: { 'kubernetes.io/hostname': this.node } },
      },
    ]);
    await this.#beat();
    this.#life = this.#live();
  }

  /** The plug: nothing of it is heard any more. */
  async stop(): Promise<void> {
    this.#isOn = false;
    await this.#life;
  }

  async #live(): Promise<void> {
    for (let turn = 1; this.#isOn; turn += 1) {
      await sleep(250);
      if (turn % 8 === 0) await this.#beat();
      const pods = await this.#kubernetes.list(this.#access, {
        apiVersion: 'v1',
        kind: 'Pod',
        fieldSelector: `spec.nodeName=${this.node}`,
      });
      for (const pod of pods) if (this.#isOn) await this.#tend(pod);
    }
  }

  async #beat(): Promise<void> {
    const now = new Date().toISOString();
    await this.#patchStatus(`nodes/${this.node}`, {
      capacity: { cpu: '4', memory: '8Gi', pods: '110' },
      allocatable: { cpu: '4', memory: '8Gi', pods: '110' },
      conditions: [
        { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'fake', lastHeartbeatTime: now },
      ],
    });
  }

  async #tend(pod: KubernetesObject): Promise<void> {
    const { name, namespace = 'default', uid, deletionTimestamp } = pod.metadata;
    const { phase } = (pod['status'] ?? {}) as { readonly phase?: string };
    if (deletionTimestamp !== undefined) {
      await this.#kubernetes.deletePod(this.#access, { namespace, name, uid: String(uid) }, 0);
      return;
    }
    if (phase === 'Running') return;
    const condition = (type: string) => ({
      type,
      status: 'True',
      lastTransitionTime: new Date().toISOString(),
    });
    await this.#patchStatus(`namespaces/${namespace}/pods/${name}`, {
      phase: 'Running',
      conditions: ['Initialized', 'ContainersReady', 'PodScheduled', 'Ready'].map(condition),
    });
  }
}
