import type { MachineRef, MachineRole } from '../../provisioners/contract/machine.ts';
import type { Observed, ObservedCertificate } from '../../provisioners/contract/observed.ts';
import type { PlanChange, PlannedStep } from '../../provisioners/contract/plan.ts';
import type { ControlPlaneAccess } from '../../provisioners/contract/ports/etcd.ts';
import { Blocked, UserProblem } from '../../provisioners/contract/problem.ts';
import type { ProviderMachine } from '../../provisioners/contract/provider.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { ClusterSettings } from '../../provisioners/kubernetes/cluster-settings.ts';
import { keeperOf } from '../../provisioners/kubernetes/kubeadm-certificates.ts';
import { newEnoughSince, type RenewalGoal, renewalGoal } from '../../provisioners/kubernetes/renewal-goal.ts';
import { certificatesRenew } from '../../provisioners/kubernetes/steps/certificates-renew.ts';
import { clusterAccessGrant } from '../../provisioners/kubernetes/steps/cluster-access-grant.ts';
import { controlPlaneVerify } from '../../provisioners/kubernetes/steps/control-plane-verify.ts';
import { kubeletClientRenew } from '../../provisioners/kubernetes/steps/kubelet-client-renew.ts';
import { kubeletRevive } from '../../provisioners/kubernetes/steps/kubelet-revive.ts';
import { settingsFor } from './cluster-plan.ts';
import { etcdReferences } from './etcd-machines.ts';
import type { IntentPlan, IntentRequest } from './request.ts';
import { about, aboutCluster, planStep } from './planned-step.ts';

/** A master whose certificates were seen. */
interface SeenMaster {
  readonly machine: MachineRef;
  /** Those that kubeadm renews, the first to end first. */
  readonly renewable: readonly ObservedCertificate[];
  /** The certificate has run out with which its kubelet speaks to the API: started anew, it would not start. */
  readonly isKubeletOver: boolean;
}

/** A machine with certificates that kubeadm made. */
type RenewedMachine = Pick<ProviderMachine, 'name' | 'role' | 'state'>;

/** Masters and machines of etcd on duty: those that were kept for the way back, or that leave, are renewed by nobody. */
function mastersOf({ machines, retired, unseen }: Observed): readonly RenewedMachine[] {
  if (machines === undefined)
    throw new Blocked(
      'PLAN-002',
      `The provider could not be asked what machines there are. ${unseen.join(' ')}`.trim(),
      { remedy: 'See that the provider answers, then ask again.' },
    );
  const masters = machines.filter(({ name, role }) => role !== 'worker' && retired[name] === undefined);
  if (masters.length === 0)
    throw new Blocked('PLAN-050', 'There is no master whose certificates could be renewed', {
      remedy: 'Apply the answer file: masters that are made anew get new certificates.',
    });
  return masters;
}

/** Machines of a role that are on duty, run and were met. */
function reachedOf({ machines = [], references, retired }: Observed, role: MachineRole): MachineRef[] {
  return machines
    .filter((machine) => machine.role === role && machine.state === 'running' && !(machine.name in retired))
    .flatMap(({ name }) => references[name] ?? []);
}

/** Those that are asked for; all when nobody is named. @throws UserProblem when there is no such master */
function chosenOf<Master extends { readonly name: string; readonly role: MachineRole }>(
  masters: readonly Master[],
  names: readonly string[] | undefined,
): readonly Master[] {
  if (names === undefined) return masters;
  const stranger = names.find((name) => !masters.some((master) => master.name === name));
  if (stranger === undefined)
    return names.flatMap((name) => masters.find((master) => master.name === name) ?? []);
  const isApart = masters.some(({ role }) => role === 'etcd');
  const [none, some] = isApart
    ? ['no master and no machine of etcd', 'masters or machines of etcd']
    : ['no master', 'masters'];
  throw new UserProblem('PLAN-051', `${stranger} is ${none} on duty of this cluster`, {
    value: stranger,
    remedy: `Name ${some} (${masters.map(({ name }) => name).join(', ')}). Workers have no certificate but their kubelet's, which it renews by itself.`,
  });
}

/** How a master is reached and what was read on it. @throws Blocked when it could not be visited */
function seenMaster(
  { references, certificates = [], at }: Observed,
  { name, state }: { name: string; state: string },
): SeenMaster {
  const machine = references[name];
  const renewable = certificates
    .filter((one) => one.machine === name && keeperOf(one.name) === 'kubeadm')
    .toSorted((one, other) => Date.parse(one.notAfter) - Date.parse(other.notAfter));
  const isKubeletOver = certificates.some(
    (one) =>
      one.machine === name && one.name === 'kubelet/client' && Date.parse(one.notAfter) <= Date.parse(at),
  );
  if (machine !== undefined && renewable.length > 0) return { machine, renewable, isKubeletOver };
  const why = state === 'running' ? 'it could not be visited, or has none' : `it is ${state}`;
  throw new Blocked('PLAN-052', `The certificates of ${name} were not seen: ${why}`, {
    machine: name,
    remedy: `Bring ${name} back or replace it, or renew only the others: name them with --machine.`,
  });
}

/** What the steps of a renewal are made from. */
interface Renewal {
  readonly settings: ClusterSettings;
  readonly access: ControlPlaneAccess;
  /** In the order in which they are renewed. */
  readonly masters: readonly SeenMaster[];
  /** Workers that run and were met: their kubelets are looked at where certificates have run out. */
  readonly workers: readonly MachineRef[];
  readonly goal: RenewalGoal;
  /** Kubelets are seen to as well. */
  readonly hasKubelets: boolean;
}

/** One master after another, each well again before the next; in a rescue all are well only together. */
function renewalSteps({ settings, access, masters, workers, goal, hasKubelets }: Renewal): PlannedStep[] {
  const { endpoint } = settings;
  const everyMachine = masters.map(({ machine }) => machine);
  // A machine of etcd alone has no API server, and its kubelet belongs to no cluster.
  const isApart = ({ name }: MachineRef): boolean => access.etcd?.some((one) => one.name === name) === true;
  const machines = everyMachine.filter((machine) => !isApart(machine));
  const silent = masters.filter(({ isKubeletOver }) => isKubeletOver).map(({ machine }) => machine);
  // Nothing of a master starts while its kubelet does not.
  const revivals = silent.map((machine) =>
    planStep(kubeletRevive, about(machine.name), { machine, endpoint }, []),
  );
  const steps: PlannedStep[] = [];
  const last = (): string[] => (steps.length === 0 ? revivals : steps.slice(-1)).map(({ id }) => id);
  for (const machine of everyMachine) {
    const input = { machine, settings, access, ...goal };
    steps.push(planStep(certificatesRenew, about(machine.name), input, last()));
    if (goal.isRescue || isApart(machine)) continue;
    const proof = { machines: [machine], endpoint, access };
    steps.push(planStep(controlPlaneVerify, about(machine.name), proof, last()));
  }
  const proof = { machines: machines.length > 0 ? machines : [...access.masters], endpoint, access };
  if (goal.isRescue) steps.push(planStep(controlPlaneVerify, aboutCluster, proof, last()));
  if (!hasKubelets) return steps;
  // The token with which a kubelet asks has run out long ago.
  const grant = planStep(clusterAccessGrant, aboutCluster, { access }, last());
  const kubelets = workers.map((machine) =>
    planStep(kubeletClientRenew, about(machine.name), { machine, endpoint }, [grant.id]),
  );
  steps.push(grant);
  for (const machine of machines) {
    steps.push(planStep(kubeletClientRenew, about(machine.name), { machine, endpoint }, last()));
    const well = { id: `kubelet-of-${machine.name}`, subject: machine.name };
    steps.push(planStep(controlPlaneVerify, well, { machines: [machine], endpoint, access }, last()));
  }
  return [...revivals, ...steps, ...kubelets];
}

function noticesOf(
  observed: Observed,
  machines: readonly RenewedMachine[],
  { isRescue }: RenewalGoal,
): string[] {
  const count = (role: MachineRole): number => machines.filter((one) => one.role === role).length;
  const [masters, etcd] = [count('control-plane'), count('etcd')];
  if (isRescue)
    return [
      `Certificates have run out on so many ${etcd === 0 ? 'masters' : 'machines'} that neither etcd nor the API can answer. That is why nodes and members were not seen; it keeps nothing from being renewed, and is proven well before the kubelets are seen to.`,
      ...observed.unseen,
    ];
  const awayWith = (what: string): string => `With ${what} the API is away for some seconds while`;
  if (etcd > 0)
    return [
      ...(masters === 1 ? [`${awayWith('one master')} its API server restarts.`] : []),
      ...(etcd <= 2
        ? [`${awayWith(`${etcd === 1 ? 'one machine' : 'two machines'} of etcd`)} etcd restarts there.`]
        : []),
    ];
  if (masters > 2) return [];
  return [
    `${awayWith(masters === 1 ? 'one master' : 'two masters')} etcd or the API server of ${masters === 1 ? 'it' : 'one of them'} restarts.`,
  ];
}

/**
 * Those whose certificates have run out come first: the others may be all that keeps the quorum. Then by name and never
 * by who leads etcd, which moves: each step moves the lead away before it restarts a member.
 */
const inOrder =
  (now: Instant) =>
  (one: SeenMaster, other: SeenMaster): number => {
    const isOver = ({ renewable }: SeenMaster): boolean =>
      renewable.some(({ notAfter }) => Date.parse(notAfter) <= Date.parse(now));
    return (
      Number(isOver(other)) - Number(isOver(one)) ||
      one.machine.name.localeCompare(other.machine.name, 'en', { numeric: true })
    );
  };

/**
 * New certificates for masters, without an outage of the API where there are three. The order is decided once and kept
 * in the intent: a plan made again must not find another master first while this one is at it. Needs no API server and
 * no quorum: that is the rescue. Pure.
 * @throws Blocked when a master could not be looked at; UserProblem when somebody is named who is no master
 */
export function planRenewal(request: IntentRequest<'renew'>): IntentPlan {
  const { observed, intent, unfinished } = request;
  const since = intent.since ?? newEnoughSince(observed.at);
  if (Date.parse(since) > Date.parse(observed.at))
    throw new UserProblem('PLAN-053', `No certificate can have been made since ${since}: that is to come`, {
      value: since,
      remedy: 'Name a moment that is over.',
    });
  const all = mastersOf(observed);
  const chosen = chosenOf(all, intent.machines).map((master) => seenMaster(observed, master));
  const masters = intent.since === undefined ? chosen.toSorted(inOrder(observed.at)) : chosen;
  const goal = renewalGoal(observed.certificates ?? [], observed.at, since);
  const isDue = ({ renewable, isKubeletOver }: SeenMaster): boolean =>
    isKubeletOver || renewable.some(({ notAfter }) => Date.parse(notAfter) <= Date.parse(goal.endsAfter));
  // What runs may still have the old ones where a renewal was cut: files do not tell. The steps look.
  const begun = new Set(
    [certificatesRenew.kind, kubeletClientRenew.kind].flatMap((kind) => unfinished?.(kind) ?? []),
  );
  const isCut = ({ machine }: SeenMaster): boolean => intent.since !== undefined || begun.has(machine.name);
  const hasKubelets =
    intent.kubelets === true || goal.isRescue || masters.some(({ isKubeletOver }) => isKubeletOver);
  const isAnyoneDue = hasKubelets || masters.some((master) => isDue(master) || isCut(master));
  const settings = settingsFor(request.desired, request.provider);
  const access = {
    masters: reachedOf(observed, 'control-plane'),
    apiPort: settings.apiPort,
    ...etcdReferences(observed),
  };
  const renewal = { settings, access, masters, workers: reachedOf(observed, 'worker'), goal, hasKubelets };
  return {
    intent: {
      ...intent,
      since,
      machines: masters.map(({ machine }) => machine.name),
      ...(hasKubelets ? { kubelets: true } : {}),
    },
    steps: isAnyoneDue ? renewalSteps(renewal) : [],
    destroys: [],
    notices: isAnyoneDue ? noticesOf(observed, all, goal) : [],
    changes: isAnyoneDue ? masters.filter(isDue).map(changeOf) : [],
  };
}

const changeOf = ({ machine, renewable }: SeenMaster): PlanChange => ({
  action: 'change',
  subject: machine.name,
  detail: `${renewable.length} certificates anew; the first ends on ${renewable[0]?.notAfter.slice(0, 10) ?? ''}`,
});
