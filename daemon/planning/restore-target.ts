import { factOf, type PlannedStep, stepId } from '../../provisioners/contract/plan.ts';
import type { ClusterSettings } from '../../provisioners/kubernetes/cluster-settings.ts';
import { authoritiesFollow } from '../../provisioners/kubernetes/steps/authorities-follow.ts';
import { controlPlaneInit } from '../../provisioners/kubernetes/steps/control-plane-init.ts';
import { controlPlaneStart } from '../../provisioners/kubernetes/steps/control-plane-start.ts';
import { etcdMemberStart } from '../../provisioners/kubernetes/steps/etcd-member-start.ts';
import { hostKeyReplace } from '../../provisioners/kubernetes/steps/host-key-replace.ts';
import { kubeletAuthoritiesFollow } from '../../provisioners/kubernetes/steps/kubelet-authorities-follow.ts';
import { machineDestroy } from '../../provisioners/kubernetes/steps/machine-destroy.ts';
import { nodeLabel } from '../../provisioners/kubernetes/steps/node-label.ts';
import { type MachineReference, planContext, settingsFor } from './cluster-plan.ts';
import { creationSteps } from './creation.ts';
import type { IntentRequest } from './request.ts';
import { about, planStep } from './planned-step.ts';
import { planCluster } from './planner.ts';
import type { RestoreMachines } from './restore-machines.ts';
import { machinesOnDuty } from './wanted.ts';
import type { WantedMachine } from './wanted-machine.ts';

type Request = IntentRequest<'restore'>;

/** A machine of a restore, which may still have to be met. */
interface Place {
  readonly name: string;
  readonly reference: MachineReference;
}

/** Where the data of a restore goes, and who serves it. */
export interface RestoreTarget extends Place {
  /** What the cluster's machines have in common: where etcd stands apart, with the target as its only member. */
  readonly settings: ClusterSettings;
  /** Roads of machines that are made for it, up to where they would touch the data; empty where all are there. */
  readonly road: readonly PlannedStep[];
  /** What starts etcd on the data where it stands apart; else it starts with its control plane. */
  readonly etcd?: PlannedStep;
  /** Masters whose API servers serve it first. */
  readonly masters: readonly Place[];
  /** Ids of the steps after which all of them serve. */
  readonly served: readonly string[];
  /** Machines that are made for it, by name. */
  readonly newMaster?: string;
  readonly newEtcd?: string;
  /** What starts the control planes of `masters`, when these steps are through. */
  start(after: readonly string[]): PlannedStep[];
}

/** What comes before a step, by whatever way. */
function before(steps: readonly PlannedStep[], last: PlannedStep): PlannedStep[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const found = new Set<string>();
  const open = [...last.after];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    open.push(...(byId.get(id)?.after ?? []));
  }
  return steps.filter(({ id }) => found.has(id));
}

const stepOf = (steps: readonly PlannedStep[], id: string): PlannedStep => {
  const found = steps.find((step) => step.id === id);
  if (found === undefined) throw new Error(`a cluster from nothing is made without ${id}`);
  return found;
};

const met = (name: string): Place => ({ name, reference: factOf(hostKeyReplace, name, 'reference') });

/** What is planned of a new master while authorities are rotated, each after the one before it. */
const ofRotation = [authoritiesFollow.kind, kubeletAuthoritiesFollow.kind];

/**
 * What starts the control plane of a machine that never had one, tells it of all authorities that are believed, and marks it
 * as finished.
 */
function initSteps(steps: readonly PlannedStep[], name: string) {
  const init = stepOf(steps, stepId(controlPlaneInit.kind, name));
  const row = [init];
  for (const kind of ofRotation) {
    const told = steps.find(({ id }) => id === stepId(kind, name));
    if (told !== undefined) row.push({ ...told, after: row.slice(-1).map(({ id }) => id) });
  }
  const label = { ...stepOf(steps, stepId(nodeLabel.kind, name)), after: row.slice(-1).map(({ id }) => id) };
  return (after: readonly string[]): PlannedStep[] => [
    { ...init, after: [...new Set([...init.after, ...after])].toSorted() },
    ...row.slice(1),
    label,
  ];
}

/** One of the masters that are there, each with a member of its own. */
function masterThere({ desired, provider }: Request, machine: Place): RestoreTarget {
  const settings = settingsFor(desired, provider);
  const { apiPort } = settings;
  const start = (after: readonly string[]): PlannedStep[] => [
    planStep(controlPlaneStart, about(machine.name), { machine: machine.reference, apiPort }, after),
  ];
  const served = [stepId(controlPlaneStart.kind, machine.name)];
  return { ...machine, settings, road: [], masters: [machine], served, start };
}

/**
 * The road of a new first master: that of a cluster of one that is made from nothing, up to its control plane. Who is
 * given up is destroyed only when all is ready: until then the names of new machines follow from who is there.
 */
function masterMade(request: Request): RestoreTarget {
  const { observed, desired, provider } = request;
  const { spec } = desired;
  const alone = { ...desired, spec: { ...spec, controlPlane: { ...spec.controlPlane, replicas: 1 } } };
  const fromNothing = {
    ...request,
    desired: alone,
    observed: { ...observed, nodes: [], voters: [], marks: {} },
    isEstablished: false,
    mayHaveJoined: false,
    halfJoined: [],
  };
  const isExit = (id: string): boolean => id.startsWith(`${machineDestroy.kind}/`);
  const steps = planCluster(fromNothing)
    .steps.filter(({ id }) => !isExit(id))
    .map((step) => ({ ...step, after: step.after.filter((id) => !isExit(id)) }));
  const init = steps.find(({ kind }) => kind === controlPlaneInit.kind);
  if (init === undefined) throw new Error('a cluster from nothing begins without a control plane');
  const machine = met(init.subject);
  return {
    ...machine,
    settings: settingsFor(desired, provider),
    road: before(steps, init),
    masters: [machine],
    served: [stepId(nodeLabel.kind, machine.name)],
    newMaster: machine.name,
    start: initSteps(steps, machine.name),
  };
}

/**
 * The cluster as if it began with one machine of etcd and those masters that serve the data: who of both is there stays,
 * and who is missing is made.
 */
function beginning(request: Request, { target, starters, holders, masters }: RestoreMachines) {
  const { desired, provider, observed, keys, bypass = [] } = request;
  const { spec } = desired;
  const isThere = ({ name }: { readonly name: string }): boolean =>
    name === target?.name || starters.some((one) => one.name === name);
  // They keep their names, and are not counted.
  const others = [...holders, ...masters].filter((one) => !isThere(one));
  const aside = { mode: 'destroy', reason: 'replaced', since: observed.at, isFenced: false } as const;
  const retired = {
    ...Object.fromEntries(Object.entries(observed.retired).filter(([name]) => !isThere({ name }))),
    ...Object.fromEntries(others.map(({ name }) => [name, aside] as const)),
  };
  const blank = { ...observed, retired, nodes: [], voters: [], marks: {} };
  const document = {
    ...desired,
    spec: {
      ...spec,
      controlPlane: { ...spec.controlPlane, replicas: Math.max(1, starters.length) },
      etcd: { ...spec.etcd, replicas: 1 },
    },
  };
  const { wanted } = machinesOnDuty(document, provider, blank);
  const unfinished = wanted.filter((one) => one.role !== 'worker' && !isThere(one));
  const serving = wanted.filter((one) => one.role === 'control-plane' && isThere(one));
  const nobody: readonly never[] = [];
  const difference = {
    unfinished,
    off: nobody,
    relabelled: nobody,
    outdated: nobody,
    cordoned: nobody,
    leaving: nobody,
    masters: serving,
  };
  const context = planContext({
    document,
    provider,
    observed: blank,
    keys,
    bypass,
    wanted,
    difference,
    isEstablished: false,
    mayHaveJoined: false,
  });
  const madeOf = (role: WantedMachine['role']): string | undefined =>
    unfinished.find((one) => one.role === role)?.name;
  const steps = creationSteps(context);
  return { settings: context.settings, steps, etcd: madeOf('etcd'), master: madeOf('control-plane') };
}

/** Where etcd stands apart: one of its machines has the data, and every master that is there serves it. */
function etcdTarget(request: Request, found: RestoreMachines): RestoreTarget {
  const { settings, steps, etcd, master } = beginning(request, found);
  const { apiPort, etcd: { endpoints: etcdServers } = { endpoints: [] } } = settings;
  const there = found.target === undefined ? [] : [{ name: found.target.name, reference: found.target }];
  const [place] = [...(etcd === undefined ? [] : [met(etcd)]), ...there];
  if (place === undefined) throw new Error('nobody is there for the data, and nobody is made for it');
  const alone = { machine: place.reference, settings, peers: [], isFirst: true, others: [] };
  const member =
    etcd === undefined
      ? planStep(etcdMemberStart, about(place.name), alone, [])
      : stepOf(steps, stepId(etcdMemberStart.kind, etcd));
  const init = master === undefined ? undefined : stepOf(steps, stepId(controlPlaneInit.kind, master));
  const roads = new Set(
    [member, ...(init === undefined ? [] : [init])].flatMap((last) => before(steps, last)),
  );
  const masters =
    master === undefined
      ? found.starters.map((reference): Place => ({ name: reference.name, reference }))
      : [met(master)];
  const startThere = (after: readonly string[]): PlannedStep[] =>
    masters.map(({ name, reference }) =>
      planStep(controlPlaneStart, about(name), { machine: reference, apiPort, etcdServers }, after),
    );
  const kind = master === undefined ? controlPlaneStart.kind : nodeLabel.kind;
  return {
    ...place,
    settings,
    road: steps.filter((step) => step.id !== member.id && roads.has(step)),
    etcd: member,
    masters,
    served: masters.map(({ name }) => stepId(kind, name)),
    start: master === undefined ? startThere : initSteps(steps, master),
    ...(master === undefined ? {} : { newMaster: master }),
    ...(etcd === undefined ? {} : { newEtcd: etcd }),
  };
}

/** As if those had been sent away before: nobody of them is counted any more. */
const withRetired = (request: Request, { asked }: { readonly asked: RestoreAsked }): Request => {
  const { observed } = request;
  const since = observed.at;
  const retired = Object.entries(asked).map(
    ([name, retirement]) => [name, { ...retirement, since, isFenced: false }] as const,
  );
  return {
    ...request,
    observed: { ...observed, retired: { ...observed.retired, ...Object.fromEntries(retired) } },
  };
};

type RestoreAsked = NonNullable<Parameters<typeof planCluster>[0]['retire']>;

/** Where the data goes, who serves it, and the roads of whoever is made for that. Pure. */
export function restoreTarget(
  request: Request,
  found: RestoreMachines & { readonly asked: RestoreAsked },
): RestoreTarget {
  if (found.isEtcdApart) return etcdTarget(withRetired(request, found), found);
  const { target } = found;
  if (target !== undefined) return masterThere(request, { name: target.name, reference: target });
  return masterMade(withRetired(request, found));
}
