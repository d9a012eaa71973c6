import type { JsonObject } from '../../provisioners/contract/json.ts';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import type { Plan, PlannedStep } from '../../provisioners/contract/plan.ts';
import { payloadPreflight } from '../../provisioners/kubernetes/preflight/payload-preflight.ts';
import { steps as everyStep } from '../../provisioners/kubernetes/steps.ts';
import { controlPlaneVerify } from '../../provisioners/kubernetes/steps/control-plane-verify.ts';
import { machineDestroy } from '../../provisioners/kubernetes/steps/machine-destroy.ts';
import {
  compareVersions,
  type VersionNumbers,
  versionNumbers,
} from '../../provisioners/kubernetes/version-skew.ts';
import { probeImage, tagOf } from '../../provisioners/kubernetes/versions.ts';
import type { ClusterDocument } from '../spec/documents.ts';
import { wantedAddons } from './addon-steps.ts';
import { settingsFor } from './cluster-plan.ts';
import { premisesOf } from './creation.ts';
import { about, aboutCluster, planStep } from './planned-step.ts';
import type { ClusterRequest } from './request.ts';
import { keptForTheWayBack, runningVersions } from './upgrade.ts';

const ofVersion = (document: ClusterDocument, version: string): ClusterDocument => ({
  ...document,
  spec: { ...document.spec, kubernetes: { ...document.spec.kubernetes, version } },
});

/** Minors that lie between what runs and a version, and have to be stopped at: `1.36` from 1.35 to 1.37. */
export function minorsBetween(version: string, observed: Observed): readonly string[] {
  const target = versionNumbers(version);
  const [oldest] = runningVersions(observed);
  if (target === undefined || oldest === undefined) return [];
  const count = Math.max(0, target.minor - oldest.minor - 1);
  return Array.from({ length: count }, (_, index) => `1.${oldest.minor + 1 + index}`);
}

const known = (texts: readonly string[]): VersionNumbers[] =>
  texts.flatMap((text) => versionNumbers(text) ?? []).toSorted(compareVersions);

/** The newest version of each of these minors among those that are on board. */
export const newestOf = (minors: readonly string[], onBoard: readonly string[]): string[] =>
  minors.flatMap((minor) => known(onBoard).findLast(({ text }) => text.startsWith(`${minor}.`))?.text ?? []);

/** Where an upgrade goes by way of other minors. */
interface Path {
  /** Stops that are still to be reached, or to be left, the next one first. */
  readonly stops: readonly string[];
  /** Everything runs the first of them. */
  readonly isThere: boolean;
}

/** Whether machines that run a version are on their way out for a newer one: then its stop was left. */
const isBeingLeft = (version: string, { retired, nodes = [] }: Observed): boolean =>
  nodes.some(
    ({ name, kubeletVersion }) =>
      retired[name]?.reason === 'upgraded' && versionNumbers(kubeletVersion)?.text === version,
  );

/**
 * The way that is left to the asked version, by the stops that the document names (`spec.upgrade.through`). A stop where
 * everything runs that version already may still have something to be done before it is left. Empty where the next step
 * is the asked version itself, or no stop leads there. Pure.
 */
export function pathOf(document: ClusterDocument, observed: Observed): Path {
  const target = versionNumbers(document.spec.kubernetes.version);
  const running = runningVersions(observed);
  const [oldest, newest] = [running[0], running.at(-1)];
  const none: Path = { stops: [], isThere: false };
  if (target === undefined || oldest === undefined || newest === undefined) return none;
  if (compareVersions(newest, target) >= 0) return none;
  const between = minorsBetween(target.text, observed);
  const named = known(document.spec.upgrade.through).filter(
    (stop) => compareVersions(stop, target) < 0 && compareVersions(stop, newest) >= 0,
  );
  const stops = named.filter(({ text }) => between.some((minor) => text.startsWith(`${minor}.`)));
  const isAlike = compareVersions(oldest, newest) === 0 && !isBeingLeft(newest.text, observed);
  const here = isAlike ? named.find(({ text }) => text === newest.text) : undefined;
  if (stops.length < between.length) return none;
  if (here === undefined) return { stops: stops.map(({ text }) => text), isThere: false };
  return { stops: [here, ...stops.filter((stop) => stop !== here)].map(({ text }) => text), isThere: true };
}

/** What of the machines of a stage is destroyed by the stages after it: said, and agreed to, when it begins. */
function destroyedLater({ steps, retires = {} }: Plan, request: ClusterRequest, stop: string): string[] {
  const { desired, observed } = request;
  const { keep, strategy } = desired.spec.upgrade;
  if (strategy === 'InPlace') return [];
  const retired = { ...observed.retired, ...retires };
  const kept = Object.entries(retired).filter(
    ([, { mode, reason }]) => mode === 'off' && reason === 'upgraded',
  );
  const made = steps
    .filter(({ kind, subject }) => kind === 'machine.create' && retired[subject] === undefined)
    .map(({ subject, input }) => ({ name: subject, role: String((input as JsonObject)['role']) }));
  const there = (observed.nodes ?? [])
    .filter(({ name, kubeletVersion }) => kubeletVersion === tagOf(stop) && retired[name] === undefined)
    .map(({ name, controlPlane }) => ({ name, role: controlPlane ? 'control-plane' : 'worker' }));
  const leaves = ({ role }: { readonly role: string }): boolean =>
    keep === 'none' || (keep === 'controlPlane' && role === 'worker');
  const replaced = [...made, ...there].filter(leaves).map(({ name }) => name);
  return [...new Set([...kept.map(([name]) => name), ...replaced])];
}

/** Every payload that is still needed is looked for before anything moves. */
function payloadChecks(document: ClusterDocument, versions: readonly string[]): PlannedStep[] {
  return versions.map((version) => {
    const images = wantedAddons(ofVersion(document, version)).flatMap((addon) => addon.images);
    const input = { kubernetesVersion: tagOf(version), wantedImages: [...images, probeImage(version)] };
    return planStep(payloadPreflight, { id: version, subject: 'cluster' }, input, []);
  });
}

const arrow = (versions: readonly string[]): string => versions.join(', then ');

/** A plan up to a stop: what comes after is planned there, in the same operation. */
function upTo(plan: Plan, request: ClusterRequest, stop: string, ahead: readonly string[]): Plan {
  const { desired } = request;
  const { strategy } = desired.spec.upgrade;
  const checks = payloadChecks(desired, ahead);
  const ids = checks.map(({ id }) => id);
  const later = destroyedLater(plan, request, stop).filter((name) => !plan.destroys.includes(name));
  const path = `Goes to ${arrow([stop, ...ahead])}. At each stop the cluster must be whole and etcd well before it goes on; there is no way back over a stop but a backup of etcd, which is taken before each.`;
  const losses =
    strategy === 'InPlace'
      ? []
      : [
          `Every machine is exchanged ${ahead.length + 1} times. On the way these are destroyed as well, the masters that a stop kept among them: ${later.join(', ') || 'none'}.`,
        ];
  return {
    ...plan,
    steps: [
      ...checks,
      ...plan.steps.map((step) => (step.after.length === 0 ? { ...step, after: ids } : step)),
    ],
    destroys: [...plan.destroys, ...later],
    notices: [path, ...losses, ...plan.notices],
    changes: [
      { action: 'change', subject: 'cluster', detail: `Kubernetes ${arrow([stop, ...ahead])}` },
      ...plan.changes,
    ],
    stop,
    isPartial: true,
  };
}

/** Leaves a stop: who was kept for the way back is destroyed, when all masters are well at the stop's version. */
function leaveStop(request: ClusterRequest, stop: string, kept: readonly string[]): Plan {
  const { desired, provider, observed, revision } = request;
  const { endpoint, apiPort } = settingsFor(desired, provider);
  const machines = (observed.machines ?? []).flatMap(({ name, role, state }): MachineRef[] => {
    const reference = observed.references[name];
    const isOnDuty = role === 'control-plane' && state === 'running' && observed.retired[name] === undefined;
    return isOnDuty && reference !== undefined ? [reference] : [];
  });
  const proof = {
    machines,
    endpoint,
    kubernetesVersion: tagOf(stop),
    access: { masters: machines, apiPort },
  };
  const gate = planStep(controlPlaneVerify, aboutCluster, proof, []);
  return {
    kind: 'update',
    cluster: { uid: observed.cluster.uid, name: observed.cluster.name },
    premises: premisesOf(observed, revision, tagOf(stop)),
    steps: [
      gate,
      ...kept.map((name) => planStep(machineDestroy, about(name), { name }, [gate.id], 'removal')),
    ],
    destroys: kept,
    notices: [`At the stop at ${stop}: from here there is no way back but a backup of etcd.`],
    changes: kept.map((name) => ({ action: 'destroy', subject: name, detail: 'kept by the last stage' })),
    stop,
    isPartial: true,
  };
}

/**
 * Plans one stage of an upgrade over several minors, and the rest when its stop is reached; any other plan as it is.
 * `plan`: the planner of one version. Pure.
 * @throws UserProblem as the planner of one version, and PLAN-012 when an add-on is not there for a version ahead
 */
export function planByStages(request: ClusterRequest, plan: (request: ClusterRequest) => Plan): Plan {
  const { desired, observed } = request;
  const { stops, isThere } = pathOf(desired, observed);
  const [stop, ...rest] = stops;
  if (stop === undefined) return plan(request);
  const target = versionNumbers(desired.spec.kubernetes.version)?.text ?? '';
  const ahead = [...rest, target];
  const stage = plan({ ...request, desired: ofVersion(desired, stop) });
  if (!isThere || stage.steps.length > 0) return upTo(stage, request, stop, ahead);
  const kept = keptForTheWayBack(observed);
  if (kept.length > 0) return leaveStop(request, stop, kept);
  const [next] = rest;
  if (next === undefined) return plan(request);
  return upTo(plan({ ...request, desired: ofVersion(desired, next) }), request, next, ahead.slice(1));
}

const acts = new Set(everyStep.filter(({ nature }) => nature === 'act').map(({ kind }) => kind));

/**
 * What is done once a stage has other ids in each: a backup, and hooks of a machine. What is done once an operation has
 * not. By that a receipt of one stage is none of the next. Pure, and about any plan.
 */
export function namedByStage(plan: Plan): Plan {
  const { stop } = plan;
  if (stop === undefined) return plan;
  const isOwn = ({ kind, subject }: PlannedStep): boolean =>
    acts.has(kind) && (subject !== 'cluster' || kind.startsWith('etcd-snapshot') || kind.startsWith('etcd.'));
  const names = new Map(plan.steps.filter(isOwn).map(({ id }) => [id, `${id}@${stop}`]));
  const nameOf = (id: string): string => names.get(id) ?? id;
  const input = (value: PlannedStep['input']): PlannedStep['input'] =>
    JSON.parse(JSON.stringify(value), (key, part: unknown) =>
      key === 'step' && typeof part === 'string' ? nameOf(part) : part,
    ) as PlannedStep['input'];
  return {
    ...plan,
    steps: plan.steps.map((step) => ({
      ...step,
      id: nameOf(step.id),
      after: step.after.map(nameOf),
      input: input(step.input),
    })),
  };
}
