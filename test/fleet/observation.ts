import type { AgentQuestions } from '../../appliance/agent/protocol.ts';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { Observed, ObservedNode } from '../../provisioners/contract/observed.ts';
import type { ControlPlaneAccess, KubernetesObject, Ports } from '../../provisioners/contract/ports.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import { field, textMap } from './model/kubernetes.ts';

type Request = Parameters<AgentQuestions['observe']>[0];
type Answer = Omit<Observed, 'references' | 'incarnations'>;

/** What could not be seen is left out, and why is said. */
async function unlessUnseen<T>(unseen: string[], what: string, look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    unseen.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function nodeOf(object: KubernetesObject): ObservedNode {
  const conditions = (field(object, 'status', 'conditions') ?? []) as readonly {
    status: string;
    message: string;
  }[];
  const addresses = (field(object, 'status', 'addresses') ?? []) as readonly {
    type: string;
    address: string;
  }[];
  const labels = textMap(object, 'metadata', 'labels');
  const ready = conditions[0];
  const address = addresses.find(({ type }) => type === 'InternalIP')?.address;
  const configDigest = object.metadata.annotations?.['remuda.dev/config'];
  return {
    name: object.metadata.name,
    ready: ready?.status === 'True',
    unschedulable: field(object, 'spec', 'unschedulable') === true,
    kubeletVersion: String(field(object, 'status', 'nodeInfo', 'kubeletVersion')),
    controlPlane: 'node-role.kubernetes.io/control-plane' in labels,
    labels,
    taints: (field(object, 'spec', 'taints') ?? []) as ObservedNode['taints'],
    ...(ready?.status === 'True' || ready === undefined ? {} : { notReadyBecause: ready.message }),
    ...(address === undefined ? {} : { internalAddress: address }),
    ...(configDigest === undefined ? {} : { configDigest }),
  };
}

async function lookInside(
  ports: Ports,
  access: ControlPlaneAccess,
  unseen: string[],
): Promise<Pick<Answer, 'nodes' | 'apiVersion' | 'voters' | 'marks'>> {
  const [nodes, marks, voters] = await Promise.all([
    unlessUnseen(unseen, 'nodes', ports.kubernetes.list(access, { apiVersion: 'v1', kind: 'Node' })),
    unlessUnseen(
      unseen,
      'marks',
      ports.kubernetes.get(access, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        namespace: 'kube-system',
        name: 'remuda',
      }),
    ),
    unlessUnseen(unseen, 'etcd', ports.etcd.members(access)),
  ]);
  const versions = await Promise.all(
    access.masters.map((master) => ports.kubernetes.version(access, master)),
  );
  const apiVersion = versions.find((version) => version !== undefined);
  return {
    ...(nodes === undefined ? {} : { nodes: nodes.map(nodeOf), marks: textMap(marks, 'data') }),
    ...(voters === undefined ? {} : { voters }),
    ...(apiVersion === undefined ? {} : { apiVersion }),
  };
}

/** The agent's answer to `observe`, made from the ports: a stand-in for the agent's own, in the simulation. */
export async function observeThroughPorts(ports: Ports, request: Request, now: Instant): Promise<Answer> {
  const { cluster } = request.context;
  const unseen: string[] = [];
  const [infrastructure, machines] = await Promise.all([
    unlessUnseen(
      unseen,
      'infrastructure',
      ports.provider.infrastructure.observe(cluster, request.nodeNetwork),
    ),
    unlessUnseen(unseen, 'machines', ports.provider.machines.list(cluster)),
  ]);
  const masters = (machines ?? [])
    .filter(({ role, state }) => role === 'control-plane' && state === 'running')
    .map(({ name }) => request.references[name])
    .filter((reference): reference is MachineRef => reference !== undefined);
  const inside =
    masters.length === 0 ? {} : await lookInside(ports, { masters, apiPort: request.apiPort }, unseen);
  return {
    cluster,
    at: now,
    infrastructure: infrastructure ?? { state: 'unknown', detail: 'the provider did not answer' },
    ...(machines === undefined ? {} : { machines }),
    ...inside,
    unseen,
  };
}
