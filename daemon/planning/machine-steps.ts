import { factOf, type PlannedStep, stepId } from '../../provisioners/contract/plan.ts';
import { hostKeyGenerate } from '../../provisioners/kubernetes/steps/host-key-generate.ts';
import { hostKeyReplace } from '../../provisioners/kubernetes/steps/host-key-replace.ts';
import { containerdStart } from '../../provisioners/kubernetes/steps/containerd-start.ts';
import { kubeletInstall } from '../../provisioners/kubernetes/steps/kubelet-install.ts';
import { machineConfigure } from '../../provisioners/kubernetes/steps/machine-configure.ts';
import { machineCreate } from '../../provisioners/kubernetes/steps/machine-create.ts';
import { payloadInstall } from '../../provisioners/kubernetes/steps/payload-install.ts';
import { machinePreflight } from '../../provisioners/kubernetes/preflight/machine-preflight.ts';
import { type PlanContext, referenceTo } from './cluster-plan.ts';
import { about, planStep } from './planned-step.ts';
import type { WantedMachine } from './wanted-machine.ts';

/** Makes the machine, or finds it again by its token, or switches it on. */
export function createStep(context: PlanContext, machine: WantedMachine): PlannedStep {
  const { observed, nodeNetwork, keys } = context;
  const { name, role, incarnation, token, shape, address } = machine;
  return planStep(
    machineCreate,
    about(name),
    {
      cluster: observed.cluster,
      name,
      role,
      incarnation,
      token,
      shape,
      ...(address === undefined || nodeNetwork === undefined
        ? {}
        : { address: `${address}/${nodeNetwork.prefix}` }),
      authorizedKey: keys.sshPublicKey,
      labels: {},
    },
    [stepId('infrastructure.prepare', 'cluster'), ...(context.succession.entries.get(name) ?? [])],
  );
}

/** From nothing to a machine whose host key is its own and known. */
function meetingSteps(context: PlanContext, machine: WantedMachine): PlannedStep[] {
  const { name } = machine;
  const provisional = factOf(machineCreate, name, 'provisionalHostKey');
  // A machine met before may show either key: the one it was created with, or its own.
  const known = context.observed.references[name]?.hostKeys ?? [];
  const reached = { name, address: factOf(machineCreate, name, 'address'), port: 22, user: 'root' };
  const generate = planStep(
    hostKeyGenerate,
    about(name),
    { machine: { ...reached, hostKeys: [...known, provisional] } },
    [],
  );
  const own = factOf(hostKeyGenerate, name, 'publicKey');
  const replace = planStep(
    hostKeyReplace,
    about(name),
    { machine: { ...reached, hostKeys: [...known, provisional, own] }, publicKey: own },
    [],
  );
  return [createStep(context, machine), generate, replace];
}

const isEtcd = (wanted: PlanContext['wanted'], name: string): boolean =>
  wanted.some((machine) => machine.name === name && machine.role === 'etcd');

/**
 * Before Kubernetes comes to a machine: it is configured, and in a new cluster the first master is equipped, because
 * everything waits for its control plane; until that is up the others have time enough.
 */
export function beforeEquipment({ first, unfinished, wanted }: PlanContext, name: string): string[] {
  const configured = stepId(machineConfigure.kind, name);
  if (first === undefined || first.name === name || isEtcd(wanted, name) || !unfinished.has(first.name))
    return [configured];
  return [configured, stepId(payloadInstall.kind, first.name)];
}

/** The road of one machine up to the point where it could join: the same for masters and workers. */
export function preparationSteps(context: PlanContext, machine: WantedMachine): PlannedStep[] {
  const { settings, bypass } = context;
  const { name, role } = machine;
  const { kubernetesVersion } = settings;
  const reference = referenceTo(machine, context);
  const checked = [stepId(machinePreflight.kind, name)];
  const before = beforeEquipment(context, name);
  // etcd's image is part of what a master gets.
  const share = role === 'worker' ? 'worker' : 'control-plane';
  // Containerd's files come with the kubelet's units.
  const installed = [stepId(payloadInstall.kind, name), stepId(kubeletInstall.kind, name)];
  return [
    ...meetingSteps(context, machine),
    planStep(machinePreflight, about(name), { machine: reference, role, settings, bypass }, []),
    planStep(machineConfigure, about(name), { machine: reference, role }, checked),
    planStep(payloadInstall, about(name), { machine: reference, kubernetesVersion, role: share }, before),
    planStep(containerdStart, about(name), { machine: reference, kubernetesVersion }, installed),
    // Only units are laid out, which wait for their configuration: no need to wait for the binary.
    planStep(kubeletInstall, about(name), { machine: reference, kubernetesVersion }, before),
  ];
}

/** What must be done on a machine before kubeadm runs there. */
export const prepared = (name: string): string[] => [stepId(containerdStart.kind, name)];
