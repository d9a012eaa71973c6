import type { MachineRef, MachineRole } from '../../contract/machine.ts';
import type { StepContext } from '../../contract/step.ts';
import type { ClusterSettings } from '../cluster-settings.ts';
import type { Expectation, Subject } from './check.ts';

/** Ports that must be free, by https://kubernetes.io/docs/reference/networking/ports-and-protocols/. */
const workerPorts: readonly number[] = [10250];
const controlPlanePorts: readonly number[] = [...workerPorts, 2379, 2380, 10257, 10259];

/** What a machine of this role is asked to be in this cluster. */
export function expectationOf(
  context: StepContext,
  machine: MachineRef,
  role: MachineRole,
  settings: ClusterSettings,
): Expectation {
  const isMaster = role === 'control-plane';
  const isHeldByUs = settings.apiPort !== settings.endpoint.port;
  const apiPorts = isMaster
    ? [...new Set([settings.apiPort, ...(isHeldByUs ? [settings.endpoint.port] : [])])]
    : [];
  return {
    cluster: context.cluster,
    role,
    minor: settings.kubernetesVersion.replace(/^v/, '').split('.').slice(0, 2).join('.'),
    name: machine.name,
    address: machine.address,
    ports: [...apiPorts, ...(isMaster ? controlPlanePorts : workerPorts)],
    podCidr: settings.podCidr,
    serviceCidr: settings.serviceCidr,
    ...(isHeldByUs ? { virtualAddress: settings.endpoint.host } : {}),
  };
}

/** Whether the machine was prepared for this very cluster before: an operation that goes on after a stop. */
export const isPrepared = ({ facts, expected }: Subject): boolean => facts.ownedBy === expected.cluster.uid;

/** Looks at one machine; etcd's disk is measured only before etcd lives there, because the measurement is a load. */
export async function lookAt(
  context: StepContext,
  machine: MachineRef,
  expected: Expectation,
): Promise<Subject> {
  const subject: Subject = { facts: await context.host.facts(machine), expected };
  if (expected.role === 'worker' || isPrepared(subject)) return subject;
  return { ...subject, disk: await context.host.measureDisk(machine, '/var/lib/etcd') };
}
