import type { PlanChange, PlannedStep } from '../../provisioners/contract/plan.ts';
import { stepId } from '../../provisioners/contract/plan.ts';
import { UserProblem } from '../../provisioners/contract/problem.ts';
import { payloadPreflight } from '../../provisioners/kubernetes/preflight/payload-preflight.ts';
import { apiServerConfigure } from '../../provisioners/kubernetes/steps/api-server-configure.ts';
import { containerdStart } from '../../provisioners/kubernetes/steps/containerd-start.ts';
import { controlPlaneUpgrade } from '../../provisioners/kubernetes/steps/control-plane-upgrade.ts';
import { controlPlaneVerify } from '../../provisioners/kubernetes/steps/control-plane-verify.ts';
import { kubeadmConfigUpload } from '../../provisioners/kubernetes/steps/kubeadm-config-upload.ts';
import { kubeletInstall } from '../../provisioners/kubernetes/steps/kubelet-install.ts';
import { kubeletUpgrade } from '../../provisioners/kubernetes/steps/kubelet-upgrade.ts';
import { machineCreate } from '../../provisioners/kubernetes/steps/machine-create.ts';
import { nodeCordon } from '../../provisioners/kubernetes/steps/node-cordon.ts';
import { nodeDrain } from '../../provisioners/kubernetes/steps/node-drain.ts';
import { nodeLabel } from '../../provisioners/kubernetes/steps/node-label.ts';
import { nodeUncordon } from '../../provisioners/kubernetes/steps/node-uncordon.ts';
import { nodeVerify } from '../../provisioners/kubernetes/steps/node-verify.ts';
import { payloadInstall } from '../../provisioners/kubernetes/steps/payload-install.ts';
import { payloadStage } from '../../provisioners/kubernetes/steps/payload-stage.ts';
import { groupOf, type ReadyFloor } from '../../provisioners/kubernetes/ready-floor.ts';
import type { ClusterDocument } from '../spec/documents.ts';
import { type PlanContext, referenceTo } from './cluster-plan.ts';
import type { Difference } from './difference.ts';
import { etcdUpgradeEnd, etcdUpgradeSteps } from './in-place-etcd.ts';
import { exitOf } from './leaving-machine.ts';
import { drainPolicyOf, readyFloorOf } from './maintenance-rules.ts';
import { about, planStep } from './planned-step.ts';
import type { WantedMachine } from './wanted-machine.ts';

const isMaster = ({ role }: { readonly role: string }): boolean => role === 'control-plane';

const isWorker = ({ role }: { readonly role: string }): boolean => role === 'worker';

/** What of the payload a machine gets: etcd's image is part of what a master gets. */
const roleOf = (machine: Pick<WantedMachine, 'role'>): 'control-plane' | 'worker' =>
  isWorker(machine) ? 'worker' : 'control-plane';

/** Whose turn was begun goes first: an upgrade that was cut off is finished before another one begins. */
const begunFirst = (one: WantedMachine, other: WantedMachine): number => {
  const begun = ({ node }: WantedMachine): number =>
    Number(node?.unschedulable === true && node.cordonedBy !== undefined) + Number(node?.ready === false);
  return begun(other) - begun(one) || one.name.localeCompare(other.name, 'en', { numeric: true });
};

/** What comes before any master is touched: the others are whole, and know what masters are to run. */
function before({ difference, isUpgrade }: PlanContext): string[] {
  return [
    ...difference.unfinished.filter(isMaster).map(({ name }) => stepId(nodeLabel.kind, name)),
    ...difference.leaving.filter(isMaster).map(exitOf),
    ...(isUpgrade ? [stepId(kubeadmConfigUpload.kind, 'cluster')] : []),
  ];
}

/** Images and kubeadm, to every machine at once: nothing runs differently by that. */
function stageSteps(context: PlanContext): PlannedStep[] {
  const { difference, settings } = context;
  const { kubernetesVersion } = settings;
  return difference.outdated.map((machine) => {
    const { name } = machine;
    const input = { machine: referenceTo(machine, context), kubernetesVersion, role: roleOf(machine) };
    const isOff = difference.off.includes(machine);
    const after = [stepId(payloadPreflight.kind, 'cluster')];
    return planStep(payloadStage, about(name), input, [
      ...after,
      ...(isOff ? [stepId(machineCreate.kind, name)] : []),
    ]);
  });
}

/** Every API server, one master after another, before any kubelet: that is never newer than one it may speak to. */
function controlPlaneSteps(context: PlanContext, staged: readonly PlannedStep[]): PlannedStep[] {
  const { difference, settings, access } = context;
  const masters = difference.outdated
    .filter(isMaster)
    .toSorted((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true }));
  let last = [...before(context), ...staged.map(({ id }) => id)];
  return masters.flatMap((master) => {
    const machine = referenceTo(master, context);
    const { kubernetesVersion } = settings;
    const files = planStep(apiServerConfigure, about(master.name), { machine, kubernetesVersion }, last);
    const input = { machine, settings, access };
    const upgrade = planStep(controlPlaneUpgrade, about(master.name), input, [files.id]);
    last = [upgrade.id];
    return [files, upgrade];
  });
}

/**
 * How many of a worker's group go on serving while it is upgraded. Nobody comes in its place, so one at least is away,
 * whatever share is asked for; a number is kept as it was written.
 * @throws UserProblem PLAN-060 where that number leaves none to be upgraded
 */
function floorInPlace(document: ClusterDocument, name: string): ReadyFloor | undefined {
  const floor = readyFloorOf(document, name);
  const { metadata, spec } = document;
  const group = spec.workers.find((one) => `${metadata.name}-${one.name}` === groupOf(name));
  if (floor === undefined || group === undefined || floor.ready < group.replicas) return floor;
  const { minimumReady } = spec.maintenance;
  if (typeof minimumReady === 'number')
    throw new UserProblem(
      'PLAN-060',
      `${minimumReady} machines of each group must go on serving, and group ${group.name} has ${group.replicas}: none of them could be upgraded where it stands`,
      {
        value: String(minimumReady),
        place: { field: 'spec.maintenance.minimumReady' },
        remedy: `Write ${group.replicas - 1} or less, or a share: at least one machine of a group may be away then.`,
      },
    );
  const ready = group.replicas - 1;
  return ready < 1 ? undefined : { ...floor, ready };
}

/** The way of one machine's kubelet and runtime to the new version: empty, and back at work before the next. */
function kubeletRoad(context: PlanContext, machine: WantedMachine, start: readonly string[]): PlannedStep[] {
  const { settings, document, access, wanted } = context;
  const { name, labels, taints, digest } = machine;
  const role = roleOf(machine);
  const { endpoint, kubernetesVersion } = settings;
  const reference = referenceTo(machine, context);
  const steps: PlannedStep[] = [];
  const end = (): readonly string[] => (steps.length === 0 ? start : steps.slice(-1).map(({ id }) => id));
  const others = wanted.filter((one) => isMaster(one) && one.name !== name);
  if (others.length > 0) {
    const machines = others.map((master) => referenceTo(master, context));
    const gate = { machines, endpoint, access, kubernetesVersion };
    steps.push(planStep(controlPlaneVerify, { id: `before-${name}`, subject: name }, gate, end()));
  }
  const floor = role === 'worker' ? floorInPlace(document, name) : undefined;
  const cordon = { node: name, access, ...(floor === undefined ? {} : { floor }) };
  const drain = { node: name, access, policy: drainPolicyOf(document) };
  const files = { machine: reference, kubernetesVersion };
  steps.push(planStep(nodeCordon, about(name), cordon, end()));
  steps.push(planStep(nodeDrain, about(name), drain, end()));
  steps.push(planStep(payloadInstall, about(name), { ...files, role }, end()));
  steps.push(planStep(kubeletInstall, about(name), files, end()));
  steps.push(planStep(containerdStart, about(name), files, end()));
  const upgrade = { machine: reference, role, settings, access };
  steps.push(planStep(kubeletUpgrade, about(name), upgrade, end()));
  const work = { machine: reference, role, kubernetesVersion, access };
  steps.push(planStep(nodeVerify, about(name), work, end()));
  steps.push(planStep(nodeUncordon, about(name), { node: name, access }, end()));
  const label = { name, role, labels, taints, configDigest: digest, access };
  steps.push(planStep(nodeLabel, about(name), label, end()));
  return steps;
}

const endOf = (road: readonly PlannedStep[]): string[] => road.slice(-1).map(({ id }) => id);

/** Masters' kubelets, one after another; then machines of etcd alone, likewise; then workers, as many of a group at once as may be missing. */
function kubeletSteps(context: PlanContext, start: readonly string[]): PlannedStep[] {
  const { difference, document } = context;
  const inOrder = difference.outdated.toSorted(begunFirst);
  const steps: PlannedStep[] = [];
  let last = start;
  for (const master of inOrder.filter(isMaster)) {
    const road = kubeletRoad(context, master, last);
    steps.push(...road);
    last = endOf(road);
  }
  const width = Math.max(1, document.spec.upgrade.maxUnavailable);
  const etcd = etcdUpgradeSteps(context, last);
  steps.push(...etcd);
  last = etcd.length === 0 ? last : endOf(etcd);
  const workers = inOrder.filter(isWorker);
  for (const group of new Set(workers.map(({ name }) => groupOf(name)))) {
    const ends: string[][] = [];
    for (const worker of workers.filter(({ name }) => groupOf(name) === group)) {
      const road = kubeletRoad(context, worker, [...last, ...(ends.at(-width) ?? [])]);
      steps.push(...road);
      ends.push(endOf(road));
    }
  }
  return steps;
}

/**
 * Upgrades machines where they stand, as kubeadm does it
 * (https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-upgrade/): control planes one after another, then
 * kubelets. Empty where no machine is outdated. Pure.
 */
export function inPlaceSteps(context: PlanContext): PlannedStep[] {
  if (context.difference.outdated.length === 0) return [];
  const staged = stageSteps(context);
  const controlPlanes = controlPlaneSteps(context, staged);
  const start = controlPlanes.length > 0 ? endOf(controlPlanes) : staged.map(({ id }) => id);
  return [...staged, ...controlPlanes, ...kubeletSteps(context, [...start, ...before(context)])];
}

/** Ids of the steps after which no machine is outdated any more. */
export const inPlaceEnds = ({ outdated }: Difference): string[] =>
  outdated.map(({ name, role }) => (role === 'etcd' ? etcdUpgradeEnd(name) : stepId(nodeLabel.kind, name)));

/** The machines that are upgraded, in the user's terms. */
export const changesInPlace = ({ difference, settings }: PlanContext): PlanChange[] =>
  difference.outdated.map(({ name, role, node }) => ({
    action: 'change',
    subject: name,
    detail:
      role === 'etcd'
        ? `etcd, upgraded where it stands, to what comes with ${settings.kubernetesVersion}`
        : `${role}, upgraded where it stands: ${node?.kubeletVersion ?? 'unknown'} to ${settings.kubernetesVersion}`,
  }));

/** What to know before machines are upgraded where they stand. */
export function noticesInPlace({ document, difference }: PlanContext): string[] {
  const { outdated, leaving } = difference;
  const { strategy } = document.spec.upgrade;
  const replaced = leaving.filter(({ reason }) => reason === 'changed' || reason === 'upgraded');
  const names = replaced.map(({ name }) => name).join(', ');
  const told =
    strategy === 'InPlace' && replaced.length > 0
      ? [
          `${names} ${replaced.length === 1 ? 'is' : 'are'} replaced, whatever spec.upgrade.strategy says: only another version of Kubernetes is brought to a machine where it stands, and what is asked for differs in size or settings as well, or the machine was never finished.`,
        ]
      : [];
  if (outdated.length === 0) return told;
  const masters = outdated.filter(isMaster);
  const { version } = document.spec.kubernetes;
  return [
    `${outdated.length === 1 ? 'One machine is' : `${outdated.length} machines are`} upgraded to ${version} where they stand. There is no way back from there: kubeadm has none, and what remains is the backup of etcd that is taken before the first master, without what is written after it.`,
    ...(masters.length === 1 && difference.masters.length === 1
      ? ['There is one master: the API is away for a minute or two while it is upgraded. What runs goes on.']
      : []),
    ...(outdated.some(({ role }) => role === 'etcd') && document.spec.etcd.replicas === 1
      ? ['There is one machine of etcd: the API is away for some seconds while it is upgraded.']
      : []),
    ...told,
  ];
}
