import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { Observed, ObservedCertificate } from '../../provisioners/contract/observed.ts';
import type { PlanChange, PlannedStep } from '../../provisioners/contract/plan.ts';
import { Blocked, UserProblem } from '../../provisioners/contract/problem.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import { keeperOf } from '../../provisioners/kubernetes/kubeadm-certificates.ts';
import { newEnoughSince, type RenewalGoal, renewalGoal } from '../../provisioners/kubernetes/renewal-goal.ts';
import { certificatesRenew } from '../../provisioners/kubernetes/steps/certificates-renew.ts';
import { controlPlaneVerify } from '../../provisioners/kubernetes/steps/control-plane-verify.ts';
import { settingsFor } from './cluster-plan.ts';
import type { IntentPlan, IntentRequest } from './intents.ts';
import { about, aboutCluster, planStep } from './planned-step.ts';

/** A master whose certificates were seen. */
interface SeenMaster {
  readonly machine: MachineRef;
  /** Those that kubeadm renews, the first to end first. */
  readonly renewable: readonly ObservedCertificate[];
}

/** Masters on duty: those that were kept for the way back, or that leave, are renewed by nobody. */
function mastersOf({ machines, retired, unseen }: Observed): readonly { name: string; state: string }[] {
  if (machines === undefined)
    throw new Blocked(
      'PLAN-002',
      `The provider could not be asked what machines there are. ${unseen.join(' ')}`.trim(),
      { remedy: 'See that the provider answers, then ask again.' },
    );
  const masters = machines.filter(
    ({ name, role }) => role === 'control-plane' && retired[name] === undefined,
  );
  if (masters.length === 0)
    throw new Blocked('PLAN-050', 'There is no master whose certificates could be renewed', {
      remedy: 'Apply the answer file: masters that are made anew get new certificates.',
    });
  return masters;
}

/** Those that are asked for; all when nobody is named. @throws UserProblem when there is no such master */
function chosenOf<Master extends { readonly name: string }>(
  masters: readonly Master[],
  names: readonly string[] | undefined,
): readonly Master[] {
  if (names === undefined) return masters;
  const stranger = names.find((name) => !masters.some((master) => master.name === name));
  if (stranger === undefined)
    return names.flatMap((name) => masters.find((master) => master.name === name) ?? []);
  throw new UserProblem('PLAN-051', `${stranger} is no master on duty of this cluster`, {
    value: stranger,
    remedy: `Name masters (${masters.map(({ name }) => name).join(', ')}). Workers have no certificate but their kubelet's, which it renews by itself.`,
  });
}

/** How a master is reached and what was read on it. @throws Blocked when it could not be visited */
function seenMaster(
  { references, certificates = [] }: Observed,
  { name, state }: { name: string; state: string },
): SeenMaster {
  const machine = references[name];
  const renewable = certificates
    .filter((one) => one.machine === name && keeperOf(one.name) === 'kubeadm')
    .toSorted((one, other) => Date.parse(one.notAfter) - Date.parse(other.notAfter));
  if (machine !== undefined && renewable.length > 0) return { machine, renewable };
  const why = state === 'running' ? 'it could not be visited, or has none' : `it is ${state}`;
  throw new Blocked('PLAN-052', `The certificates of ${name} were not seen: ${why}`, {
    machine: name,
    remedy: `Bring ${name} back or replace it, or renew only the others: name them with --machine.`,
  });
}

/** One master after another, each well again before the next; in a rescue all are well only together. */
function renewalSteps(
  { desired, provider }: IntentRequest<'renew'>,
  masters: readonly MachineRef[],
  everybody: readonly MachineRef[],
  { endsAfter, isRescue }: RenewalGoal,
): PlannedStep[] {
  const settings = settingsFor(desired, provider);
  const { endpoint, apiPort } = settings;
  const access = { masters: everybody, apiPort };
  const steps: PlannedStep[] = [];
  const last = (): string[] => steps.slice(-1).map(({ id }) => id);
  for (const machine of masters) {
    const input = { machine, settings, access, endsAfter, isRescue };
    steps.push(planStep(certificatesRenew, about(machine.name), input, last()));
    if (isRescue) continue;
    steps.push(
      planStep(controlPlaneVerify, about(machine.name), { machines: [machine], endpoint, access }, last()),
    );
  }
  if (isRescue)
    steps.push(
      planStep(controlPlaneVerify, aboutCluster, { machines: [...masters], endpoint, access }, last()),
    );
  return steps;
}

function noticesOf(observed: Observed, masters: number, { isRescue }: RenewalGoal): string[] {
  if (isRescue)
    return [
      'Certificates have run out on so many masters that neither etcd nor the API can answer. That is why nodes and members were not seen; it keeps nothing from being renewed, and the last step proves that all is well again.',
      ...observed.unseen,
    ];
  if (masters > 2) return [];
  return [
    `With ${masters === 1 ? 'one master' : 'two masters'} the API is away for some seconds while etcd or the API server of ${masters === 1 ? 'it' : 'one of them'} restarts.`,
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
  const isDue = ({ renewable }: SeenMaster): boolean =>
    renewable.some(({ notAfter }) => Date.parse(notAfter) <= Date.parse(goal.endsAfter));
  // What runs may still have the old ones where a renewal was cut: files do not tell. The step looks.
  const isCut = ({ machine }: SeenMaster): boolean =>
    intent.since !== undefined || unfinished?.(certificatesRenew.kind).includes(machine.name) === true;
  const isAnyoneDue = masters.some((master) => isDue(master) || isCut(master));
  const machines = isAnyoneDue ? masters.map(({ machine }) => machine) : [];
  const reached = all.flatMap(({ name, state }) =>
    state === 'running' ? (observed.references[name] ?? []) : [],
  );
  return {
    intent: { ...intent, since, machines: masters.map(({ machine }) => machine.name) },
    steps: renewalSteps(request, machines, reached, goal),
    destroys: [],
    notices: isAnyoneDue ? noticesOf(observed, all.length, goal) : [],
    changes: isAnyoneDue ? masters.filter(isDue).map(changeOf) : [],
  };
}

const changeOf = ({ machine, renewable }: SeenMaster): PlanChange => ({
  action: 'change',
  subject: machine.name,
  detail: `${renewable.length} certificates anew; the first ends on ${renewable[0]?.notAfter.slice(0, 10) ?? ''}`,
});
