import type { Plan, PlannedStep } from '../../provisioners/contract/plan.ts';
import { factIfKnown } from '../../provisioners/contract/plan.ts';
import { machinesPreflight } from '../../provisioners/kubernetes/preflight/machines-preflight.ts';
import { payloadPreflight } from '../../provisioners/kubernetes/preflight/payload-preflight.ts';
import { clusterVerify, verifiedDigest } from '../../provisioners/kubernetes/steps/cluster-verify.ts';
import { hostKeyReplace } from '../../provisioners/kubernetes/steps/host-key-replace.ts';
import { nodeUncordon } from '../../provisioners/kubernetes/steps/node-uncordon.ts';
import { infrastructurePrepare } from '../../provisioners/kubernetes/steps/infrastructure-prepare.ts';
import { providerPreflight } from '../../provisioners/kubernetes/steps/provider-preflight.ts';
import { accessMark, verifiedMark } from '../../provisioners/kubernetes/marks.ts';
import { accessDigest } from '../../provisioners/kubernetes/steps/cluster-access-grant.ts';
import { probeImage } from '../../provisioners/kubernetes/versions.ts';
import { addonSteps, wantedAddons } from './addon-steps.ts';
import { type PlanContext, referenceTo } from './cluster-plan.ts';
import { endpointSteps, settleSteps } from './endpoint-steps.ts';
import { inPlaceSteps } from './in-place.ts';
import { controlPlaneSteps, labelSteps, proxySteps, workerSteps } from './join-steps.ts';
import { etcdLeavingSteps, etcdSettleSteps, etcdSteps } from './etcd-steps.ts';
import { leavingSteps } from './leaving-steps.ts';
import { createStep, preparationSteps } from './machine-steps.ts';
import { about, aboutCluster, planStep } from './planned-step.ts';
import type { WantedMachine } from './wanted-machine.ts';

/** What a machine takes at its provider. */
function roomFor({ name, shape, address }: WantedMachine) {
  const { cpus, memory } = shape;
  return address === undefined ? { name, cpus, memory } : { name, cpus, memory, address };
}

/** What is checked before anything is made: room at the provider for the peak of this plan (row H5), and the payload. */
function preflightSteps(context: PlanContext): PlannedStep[] {
  const { difference, nodeNetwork, bypass } = context;
  // Who waits until another has left finds room then.
  const isFirst = ({ name }: WantedMachine): boolean =>
    (context.succession.entries.get(name) ?? []).length === 0;
  const machines = difference.unfinished.filter(isFirst).map(roomFor);
  const network = nodeNetwork === undefined ? {} : { network: nodeNetwork };
  return [
    planStep(providerPreflight, aboutCluster, { machines, ...network, bypass }, []),
    payloadCheck(context),
  ];
}

/** Whether everything of the asked version is on board. */
function payloadCheck({ document, settings }: PlanContext): PlannedStep {
  const { kubernetesVersion } = settings;
  const images = [...wantedAddons(document).flatMap((addon) => addon.images), probeImage(kubernetesVersion)];
  return planStep(payloadPreflight, aboutCluster, { kubernetesVersion, wantedImages: images }, []);
}

/** Up to this many new machines every pair is tried; beyond, work must not grow with the pairs. */
const everyPairUpTo = 50;

/** Whom of the new machines one is compared with: everyone, or beyond fifty its next eight neighbours. */
function comparedWith(one: WantedMachine, all: readonly WantedMachine[]): readonly WantedMachine[] {
  if (all.length <= everyPairUpTo) return all.filter((machine) => machine !== one);
  const at = all.indexOf(one);
  return [...all, ...all].slice(at + 1, at + 9);
}

/**
 * Each new machine against the masters that are there or come first, and against the other new ones: no more than that
 * (complaint 18). New ones that were not met yet are left out: of two machines, the one met later names the other.
 */
function mutualChecks(context: PlanContext): PlannedStep[] {
  const { difference, first, settings, bypass, unfinished } = context;
  const serving = difference.masters.filter(({ name }) => !unfinished.has(name));
  return difference.unfinished.map((machine) => {
    const { name } = machine;
    const comesFirst = first !== undefined && first.name !== name && !serving.includes(first);
    const before = comesFirst ? [...serving, first] : serving;
    const others = comparedWith(machine, difference.unfinished).filter((other) => !before.includes(other));
    const input = {
      machine: referenceTo(machine, context),
      others: others.map((other) => factIfKnown(hostKeyReplace, other.name, 'reference')),
      masters: [...before.map((master) => referenceTo(master, context)), ...context.leavingMasters],
      settings,
      bypass,
    };
    return planStep(machinesPreflight, about(name), input, []);
  });
}

/** What the final proof is about: the machines that are to be there, at their version. */
function expectedOf({ wanted, settings }: PlanContext) {
  const nodes = wanted.filter(({ role }) => role !== 'etcd').map(({ name }) => name);
  const memberRole = settings.etcd === undefined ? 'control-plane' : 'etcd';
  const voters = wanted.filter(({ role }) => role === memberRole).map(({ name }) => name);
  return { nodes, voters, kubernetesVersion: settings.kubernetesVersion };
}

/** Whether just this was proven to work last. */
const isProven = (context: PlanContext): boolean =>
  context.observed.marks?.[verifiedMark] === verifiedDigest(expectedOf(context));

/** What of the final proof is due: everything that changes the cluster comes before it. */
function verifyStep(context: PlanContext, before: readonly PlannedStep[]): PlannedStep[] {
  const { wanted, settings, observed, unfinished } = context;
  if (isProven(context) && before.length === 0) return [];
  const masters = wanted.filter(({ role }) => role === 'control-plane');
  const { endpoint, apiPort } = settings;
  const reached = masters.filter(
    ({ name }) => unfinished.has(name) || observed.references[name] !== undefined,
  );
  const access = {
    ...context.accessAfter,
    masters: reached.map((machine) => referenceTo(machine, context)),
    apiPort,
  };
  const input = { ...expectedOf(context), endpoint, access };
  return [planStep(clusterVerify, aboutCluster, input, leaves(before))];
}

/** What is put in order when all machines have come and gone, and the proof of it all. */
function lastSteps(context: PlanContext, before: readonly PlannedStep[]): PlannedStep[] {
  const steps = [...before];
  if (!isProven(context)) steps.push(...proxySteps(context, leaves(steps)));
  steps.push(...etcdSettleSteps(context, leaves(steps)));
  steps.push(...settleSteps(context, leaves(steps)));
  return [...steps, ...verifyStep(context, steps)];
}

/** Steps that no other step comes after. */
function leaves(steps: readonly PlannedStep[]): string[] {
  const followed = new Set(steps.flatMap(({ after }) => after));
  return steps.map(({ id }) => id).filter((id) => !followed.has(id));
}

/** Lets pods onto machines again that stay, and that an operation of ours had closed to them. */
const releaseSteps = ({ difference, access }: PlanContext): PlannedStep[] =>
  difference.cordoned.map(({ name }) => planStep(nodeUncordon, about(name), { node: name, access }, []));

/** Whether people's rights inside the cluster are those that this release gives. */
export const isGranted = ({ observed }: PlanContext): boolean =>
  observed.marks?.[accessMark] === accessDigest;

/** Every step of the difference, in the order people read them. */
export function creationSteps(context: PlanContext): PlannedStep[] {
  const { difference, nodeNetwork } = context;
  const isGrowing = difference.unfinished.length > 0;
  const addons = addonSteps(context);
  const labels = labelSteps(context);
  const leaving = [...releaseSteps(context), ...leavingSteps(context), ...etcdLeavingSteps(context)];
  const inPlace = inPlaceSteps(context);
  const others = [addons, labels, difference.off, leaving, inPlace].flat().length;
  if (!isGrowing && others === 0 && isGranted(context)) return lastSteps(context, []);
  const network = nodeNetwork === undefined ? {} : { network: nodeNetwork };
  const supplies = inPlace.length > 0 ? [payloadCheck(context)] : [];
  const checks = isGrowing ? preflightSteps(context) : supplies;
  const prepare = planStep(
    infrastructurePrepare,
    aboutCluster,
    network,
    checks.map(({ id }) => id),
  );
  const machines = difference.unfinished.flatMap((machine) => preparationSteps(context, machine));
  const power = difference.off.map((machine) => createStep(context, machine));
  const needsInfrastructure = machines.length + power.length > 0;
  const speaksToCluster = isGrowing || inPlace.length > 0 || addons.length > 0 || !isGranted(context);
  const steps = [
    ...checks,
    ...(needsInfrastructure ? [prepare] : []),
    ...power,
    ...machines,
    ...mutualChecks(context),
    ...endpointSteps(context),
    ...etcdSteps(context),
    ...(speaksToCluster ? controlPlaneSteps(context) : []),
    ...workerSteps(context),
    ...labels,
    ...leaving,
    ...inPlace,
    ...addons,
  ];
  return lastSteps(context, steps);
}

/** What the plan was made from. */
export function premisesOf(
  observed: PlanContext['observed'],
  revision: string,
  kubernetesVersion: string,
): Plan['premises'] {
  const members = observed.voters?.map(({ id, name }): [string, string] => [id, name]);
  return {
    revision,
    observedAt: observed.at,
    machines: Object.fromEntries((observed.machines ?? []).map(({ name, token }) => [name, token])),
    ...(members === undefined ? {} : { members: Object.fromEntries(members) }),
    versions: {
      kubernetes: kubernetesVersion,
      ...(observed.apiVersion === undefined ? {} : { apiServer: observed.apiVersion }),
    },
  };
}
