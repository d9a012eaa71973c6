import { z } from 'zod';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { Observed, ObservedNode } from '../../provisioners/contract/observed.ts';
import type { ControlPlaneAccess } from '../../provisioners/contract/ports/etcd.ts';
import type { KubernetesObject } from '../../provisioners/contract/ports/kubernetes.ts';
import type { Ports } from '../../provisioners/contract/ports.ts';
import { Problem } from '../../provisioners/contract/problem.ts';
import type { ProviderMachine } from '../../provisioners/contract/provider.ts';
import { cordonOf } from '../../provisioners/kubernetes/cordon.ts';
import { configAnnotation } from '../../provisioners/kubernetes/node-mark.ts';
import type { Clock } from './clock.ts';
import type { AgentQuestions } from './protocol/questions.ts';

type Request = Parameters<AgentQuestions['observe']>[0];
type Seen = Awaited<ReturnType<AgentQuestions['observe']>>;

const nodeSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  spec: z
    .looseObject({
      unschedulable: z.boolean().optional(),
      taints: z
        .array(z.looseObject({ key: z.string(), value: z.string().optional(), effect: z.string() }))
        .default([]),
    })
    .prefault({}),
  status: z
    .looseObject({
      conditions: z
        .array(
          z.looseObject({
            type: z.string(),
            status: z.string(),
            reason: z.string().optional(),
            message: z.string().optional(),
          }),
        )
        .default([]),
      addresses: z.array(z.looseObject({ type: z.string(), address: z.string() })).default([]),
      nodeInfo: z.looseObject({ kubeletVersion: z.string() }).optional(),
    })
    .prefault({}),
});

const marksSchema = z.looseObject({ data: z.record(z.string(), z.string()).default({}) });

/** One look at a cluster, for planning: a constant number of list calls; what could not be seen is said, never guessed. */
export class Looking {
  readonly #ports: Ports;
  readonly #clock: Clock;
  readonly #request: Request;
  readonly #unseen: string[] = [];

  constructor(ports: Ports, clock: Clock, request: Request) {
    this.#ports = ports;
    this.#clock = clock;
    this.#request = request;
  }

  async observe(): Promise<Seen> {
    const { cluster } = this.#request.context;
    const at = this.#clock.now();
    const [infrastructure, machines] = await Promise.all([this.#infrastructure(), this.#machines()]);
    const inside = await this.#inside(machines);
    return {
      cluster,
      at,
      infrastructure,
      ...(machines === undefined ? {} : { machines }),
      ...inside,
      unseen: this.#unseen,
    };
  }

  async #infrastructure(): Promise<Observed['infrastructure']> {
    const { context, nodeNetwork } = this.#request;
    try {
      const { state, detail } = await this.#ports.provider.infrastructure.observe(
        context.cluster,
        nodeNetwork,
      );
      return { state, detail };
    } catch (error) {
      const why = this.#note(`The infrastructure could not be looked at`, error);
      return { state: 'unknown', detail: why };
    }
  }

  async #machines(): Promise<readonly ProviderMachine[] | undefined> {
    return this.#try('The machines could not be listed', () =>
      this.#ports.provider.machines.list(this.#request.context.cluster),
    );
  }

  /** What only the cluster itself can tell. */
  async #inside(machines: readonly ProviderMachine[] | undefined): Promise<Partial<Seen>> {
    const access = this.#access(machines);
    if (access === undefined || !(await this.#canOpenKeys())) return {};
    const [apiVersion, certificates] = await Promise.all([
      this.#apiVersion(access),
      this.#certificates(access),
    ]);
    const [nodes, voters, marks] = await Promise.all([
      apiVersion === undefined ? undefined : this.#nodes(access),
      this.#try('etcd did not answer', () => this.#ports.etcd.members(access)),
      apiVersion === undefined ? undefined : this.#marks(access),
    ]);
    return {
      ...(apiVersion === undefined ? {} : { apiVersion }),
      ...(nodes === undefined ? {} : { nodes }),
      ...(voters === undefined ? {} : { voters }),
      ...(marks === undefined ? {} : { marks }),
      ...(certificates === undefined ? {} : { certificates }),
    };
  }

  /** One visit a master, beside the other questions. A master that cannot be visited is spoken of elsewhere. */
  async #certificates({ masters, etcd = [] }: ControlPlaneAccess): Promise<Observed['certificates']> {
    const visits = await Promise.allSettled(
      [...new Set([...masters, ...etcd])].map(async (master) => {
        const found = await this.#ports.host.certificates(master);
        return found.map(({ fingerprint: _fingerprint, ...one }) => ({ machine: master.name, ...one }));
      }),
    );
    for (const visit of visits)
      if (visit.status === 'rejected' && !(visit.reason instanceof Problem)) throw visit.reason;
    const seen = visits.flatMap((visit) => (visit.status === 'fulfilled' ? [visit.value] : []));
    return seen.length === 0 ? undefined : seen.flat();
  }

  /** Without them nothing inside can be asked, and a silent API server would be the wrong thing to look for. */
  async #canOpenKeys(): Promise<boolean> {
    try {
      await this.#ports.secrets.clusterKeys();
      return true;
    } catch (error) {
      const remedy = error instanceof Problem ? (error.report.remedy ?? '') : '';
      const sentence = this.#note('Nodes and etcd were not looked at', error);
      this.#unseen.splice(-1, 1, `${sentence} ${remedy}`.trim());
      return false;
    }
  }

  /** The masters that were met before; undefined when there is none, or no key to speak to them. */
  #access(machines: readonly ProviderMachine[] | undefined): ControlPlaneAccess | undefined {
    const { references, context, apiPort } = this.#request;
    const known = Object.values(references);
    const roleOf = new Map(machines?.map(({ name, role }) => [name, role]));
    const masters = known.filter(
      ({ name, hostKeys }: MachineRef) =>
        hostKeys.length > 0 &&
        (roleOf.get(name) ?? 'control-plane') === 'control-plane' &&
        this.#isUp(machines, name),
    );
    // Not asked of a provider that is silent: then every machine is taken for a master.
    const etcd = known.filter(({ name }) => roleOf.get(name) === 'etcd' && this.#isUp(machines, name));
    const apart = etcd.length === 0 ? {} : { etcd };
    if (masters.length > 0 && context.keys !== undefined) return { masters, apiPort, ...apart };
    if (etcd.length > 0 && context.keys !== undefined) return { masters: etcd, apiPort, etcd };
    this.#unseen.push(
      'Nodes and etcd were not looked at: no master of the cluster has been met yet, or none is there.',
    );
    return undefined;
  }

  /** Machines that are known to be off or gone are not waited for. */
  #isUp(machines: readonly ProviderMachine[] | undefined, name: string): boolean {
    if (machines === undefined) return true;
    return machines.some((machine) => machine.name === name && machine.state === 'running');
  }

  async #apiVersion(access: ControlPlaneAccess): Promise<string | undefined> {
    const versions = await Promise.all(
      access.masters.map((master) => this.#ports.kubernetes.version(access, master).catch(() => undefined)),
    );
    const found = versions.find((version) => version !== undefined);
    if (found === undefined)
      this.#unseen.push(
        `No API server answers (asked: ${access.masters.map(({ name }) => name).join(', ')}), so no node could be seen.`,
      );
    return found;
  }

  async #nodes(access: ControlPlaneAccess): Promise<readonly ObservedNode[] | undefined> {
    return this.#try('The nodes could not be listed', async () => {
      const list = await this.#ports.kubernetes.list(access, { apiVersion: 'v1', kind: 'Node' });
      return list.map(nodeOf);
    });
  }

  async #marks(access: ControlPlaneAccess): Promise<Readonly<Record<string, string>> | undefined> {
    return this.#try('Our marks in the cluster could not be read', async () => {
      const found = await this.#ports.kubernetes.get(access, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        namespace: 'kube-system',
        name: 'remuda',
      });
      return found === undefined ? {} : marksSchema.parse(found).data;
    });
  }

  async #try<Value>(what: string, look: () => Promise<Value>): Promise<Value | undefined> {
    try {
      return await look();
    } catch (error) {
      this.#note(what, error);
      return undefined;
    }
  }

  #note(what: string, error: unknown): string {
    // Our own mistakes must not hide behind "could not be seen".
    if (!(error instanceof Problem) && !(error instanceof DOMException)) throw error;
    const why = `${what}: ${error.message}`;
    this.#unseen.push(why);
    return why;
  }
}

/** A Node as the API tells it, with what planning and health need of it. */
export function nodeOf(object: KubernetesObject): ObservedNode {
  const { metadata, spec, status } = nodeSchema.parse(object);
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  const isReady = ready?.status === 'True';
  const address = status.addresses.find(({ type }) => type === 'InternalIP')?.address;
  const digest = metadata.annotations[configAnnotation];
  const cordon = cordonOf(object);
  const labels = Object.keys(metadata.labels);
  return {
    name: metadata.name,
    ready: isReady,
    ...(isReady
      ? {}
      : { notReadyBecause: `${ready?.reason ?? 'Unknown'}: ${ready?.message ?? 'no word from it'}` }),
    unschedulable: spec.unschedulable === true,
    ...(cordon.state === 'ours' ? { cordonedBy: cordon.by } : {}),
    kubeletVersion: status.nodeInfo?.kubeletVersion ?? '',
    // The label is `master` up to 1.23 and `control-plane` from 1.20 on (KEP-2067).
    controlPlane:
      labels.includes('node-role.kubernetes.io/control-plane') ||
      labels.includes('node-role.kubernetes.io/master'),
    ...(address === undefined ? {} : { internalAddress: address }),
    ...(digest === undefined ? {} : { configDigest: digest }),
    labels: metadata.labels,
    taints: spec.taints.map(taintOf),
  };
}

function taintOf(taint: {
  key: string;
  value?: string | undefined;
  effect: string;
}): ObservedNode['taints'][number] {
  const { key, value, effect } = taint;
  return value === undefined ? { key, effect } : { key, value, effect };
}
