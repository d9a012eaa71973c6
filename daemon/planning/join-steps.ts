import { type PlannedStep, stepId } from '../../provisioners/contract/plan.ts';
import { apiServerConfigure } from '../../provisioners/kubernetes/steps/api-server-configure.ts';
import { authoritiesFollow } from '../../provisioners/kubernetes/steps/authorities-follow.ts';
import { clusterAccessGrant } from '../../provisioners/kubernetes/steps/cluster-access-grant.ts';
import { controlPlaneInit } from '../../provisioners/kubernetes/steps/control-plane-init.ts';
import { controlPlaneJoin } from '../../provisioners/kubernetes/steps/control-plane-join.ts';
import { kubeadmConfigUpload } from '../../provisioners/kubernetes/steps/kubeadm-config-upload.ts';
import { kubeProxyUpdate } from '../../provisioners/kubernetes/steps/kube-proxy-update.ts';
import { kubeletAuthoritiesFollow } from '../../provisioners/kubernetes/steps/kubelet-authorities-follow.ts';
import { kubeletServingApprove } from '../../provisioners/kubernetes/steps/kubelet-serving-approve.ts';
import { nodeVerify } from '../../provisioners/kubernetes/steps/node-verify.ts';
import { nodeLabel } from '../../provisioners/kubernetes/steps/node-label.ts';
import { pkiInstall } from '../../provisioners/kubernetes/steps/pki-install.ts';
import { workerJoin } from '../../provisioners/kubernetes/steps/worker-join.ts';
import { apiReady, type PlanContext, referenceTo } from './cluster-plan.ts';
import { compared, endpointReady, mastersOf } from './endpoint-steps.ts';
import { etcdReady } from './etcd-steps.ts';
import { beforeEquipment, prepared } from './machine-steps.ts';
import { about, aboutCluster, aboutPart, planStep } from './planned-step.ts';
import type { WantedMachine } from './wanted-machine.ts';

const granted = stepId(clusterAccessGrant.kind, 'cluster');

/**
 * After what machines join. kubeadm init makes the token they join with, so where this plan surely runs it, because its
 * machine is still to be made, nobody waits for more; else the token may have run out, and the grant renews it.
 */
const joinable = (context: PlanContext): string[] =>
  context.first !== undefined && context.first.machine === undefined ? apiReady(context) : [granted];

/** What a new master has beside the endpoint before kubeadm runs: authorities and policies. */
function masterFiles(context: PlanContext, machine: WantedMachine): PlannedStep[] {
  const reference = referenceTo(machine, context);
  const after = beforeEquipment(context, machine.name);
  const { kubernetesVersion } = context.settings;
  return [
    planStep(pkiInstall, about(machine.name), { machine: reference }, after),
    planStep(apiServerConfigure, about(machine.name), { machine: reference, kubernetesVersion }, after),
  ];
}

/** What must be done on a master before kubeadm runs there. */
function preparedMaster(context: PlanContext, name: string): string[] {
  const own = [pkiInstall.kind, apiServerConfigure.kind].map((kind) => stepId(kind, name));
  return [...prepared(name), ...own, ...endpointReady(context, name), compared(name)];
}

/** The first control plane. Masters that may have joined one are looked at, so that there never is a second one. */
function initStep(context: PlanContext, first: WantedMachine): PlannedStep {
  const { observed, settings } = context;
  const others = mastersOf(context).flatMap(({ name, machine }) => {
    const known = observed.references[name];
    const isOther = context.mayHaveJoined && name !== first.name && machine !== undefined;
    return isOther && known !== undefined ? [known] : [];
  });
  const input = { machine: referenceTo(first, context), settings, others };
  const after = [...preparedMaster(context, first.name), ...etcdReady(context)];
  return planStep(controlPlaneInit, about(first.name), input, after);
}

/** What masters of the new version are to run, before the first of them joins. */
function uploadSteps({ isUpgrade, settings, access }: PlanContext): PlannedStep[] {
  const [machine] = access.masters;
  if (!isUpgrade || machine === undefined) return [];
  const { kubernetesVersion } = settings;
  return [
    planStep(kubeadmConfigUpload, aboutCluster, { machine, settings, access }, []),
    planStep(kubeProxyUpdate, aboutPart('new machines'), { access, kubernetesVersion, rollout: 'new' }, []),
  ];
}

/**
 * kube-proxy as kubeadm leaves it, when no machine of another version is there any more. Looked at in every plan that
 * does anything: an upgrade that was cut short may have left it as it was meanwhile.
 */
export function proxySteps(context: PlanContext, before: readonly string[]): PlannedStep[] {
  const { isEstablished, settings, accessAfter: access } = context;
  if (!isEstablished) return [];
  const { kubernetesVersion } = settings;
  const input = { access, kubernetesVersion, rollout: 'all' } as const;
  return [planStep(kubeProxyUpdate, aboutPart('all machines'), input, before)];
}

/**
 * The control plane: the first master, then the others (DESIGN §6). They join one at a time, which the step itself sees
 * to; in the plan none waits for another, so that one that is unplugged holds up nobody.
 */
export function controlPlaneSteps(context: PlanContext): PlannedStep[] {
  const { first, settings, access } = context;
  const joining = mastersOf(context).filter(({ name }) => context.unfinished.has(name));
  const steps = joining.flatMap((machine) => masterFiles(context, machine));
  if (first !== undefined) steps.push(initStep(context, first));
  steps.push(planStep(clusterAccessGrant, aboutCluster, { access }, apiReady(context)));
  const upload = uploadSteps(context);
  steps.push(...upload);
  for (const machine of joining.filter(({ name }) => name !== first?.name)) {
    const input = { machine: referenceTo(machine, context), settings, access: context.accessFor(machine) };
    const after = [
      ...joinable(context),
      ...preparedMaster(context, machine.name),
      ...upload.map(({ id }) => id),
    ];
    steps.push(planStep(controlPlaneJoin, about(machine.name), input, after));
  }
  return steps;
}

/** Workers, side by side, as soon as there is one master: they do not wait for the others (DESIGN §6). */
export const workerSteps = (context: PlanContext): PlannedStep[] =>
  context.difference.unfinished
    .filter(({ role }) => role === 'worker')
    .map((machine) => {
      const { settings } = context;
      const input = { machine: referenceTo(machine, context), settings, access: context.accessFor(machine) };
      const after = [...prepared(machine.name), compared(machine.name), ...joinable(context)];
      return planStep(workerJoin, about(machine.name), input, after);
    });

/** The step that makes the machine a Node of the cluster. */
function joinedBy({ first }: PlanContext, { name, role }: WantedMachine): string {
  if (role === 'worker') return stepId(workerJoin.kind, name);
  return stepId(name === first?.name ? controlPlaneInit.kind : controlPlaneJoin.kind, name);
}

/** What new Nodes serve with, then labels, taints and the mark "finished"; of old ones that are asked to have others, too. */
export function labelSteps(context: PlanContext): PlannedStep[] {
  const { difference, unfinished } = context;
  // Machines of etcd alone are no Nodes.
  const nodes = difference.unfinished.filter((machine) => machine.role !== 'etcd');
  const served = nodes.map((machine) => servingStep(context, machine));
  const told = nodes.flatMap((machine) => followSteps(context, machine));
  const labelled = [...nodes, ...difference.relabelled].flatMap((machine) => {
    const { name, role, labels, taints, digest } = machine;
    if (role === 'etcd') return [];
    const access = context.accessFor(machine);
    const input = { name, role, labels, taints, configDigest: digest, access };
    if (!unfinished.has(name)) return [planStep(nodeLabel, about(name), input, [])];
    const proof = verifySteps(context, machine);
    const proven = proof.length > 0 ? proof.map(({ id }) => id) : [servedBy(machine)];
    const after = [...proven, ...followSteps(context, machine).map(({ id }) => id)];
    return [...proof, planStep(nodeLabel, about(name), input, after)];
  });
  return [...served, ...told, ...labelled];
}

/**
 * kubeadm lets the components of a new master believe the one authority that signs: while the authorities are rotated they
 * are told of both before the master counts. Who joins takes his kubelet's from the cluster, which names both; the first of a
 * control plane, after a restore, has nobody to take them from.
 */
function followSteps(context: PlanContext, machine: WantedMachine): PlannedStep[] {
  if (machine.role !== 'control-plane' || context.keys.rotation === undefined) return [];
  const { settings } = context;
  const input = { machine: referenceTo(machine, context), settings, access: context.accessFor(machine) };
  const follow = planStep(authoritiesFollow, about(machine.name), input, [servedBy(machine)]);
  if (machine.name !== context.first?.name) return [follow];
  const kubelet = { machine: referenceTo(machine, context), endpoint: settings.endpoint };
  return [follow, planStep(kubeletAuthoritiesFollow, about(machine.name), kubelet, [follow.id])];
}

/** Nobody reads logs of a machine whose kubelet was not given anything to serve with: it is not finished before. */
function servingStep(context: PlanContext, machine: WantedMachine): PlannedStep {
  const input = { machine: referenceTo(machine, context), access: context.accessFor(machine) };
  return planStep(kubeletServingApprove, about(machine.name), input, [joinedBy(context, machine)]);
}

const servedBy = ({ name }: WantedMachine): string => stepId(kubeletServingApprove.kind, name);

/** Where others leave, a machine counts as finished only when it does its work. */
function verifySteps(context: PlanContext, machine: WantedMachine): PlannedStep[] {
  const { difference, settings } = context;
  if (difference.leaving.every(({ isDead }) => isDead)) return [];
  const { name, role } = machine;
  if (role === 'etcd') return [];
  const { kubernetesVersion } = settings;
  const access = context.accessFor(machine);
  const input = { machine: referenceTo(machine, context), role, kubernetesVersion, access };
  return [planStep(nodeVerify, about(name), input, [servedBy(machine)])];
}
