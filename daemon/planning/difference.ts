import type { EtcdMember, Observed } from '../../provisioners/contract/observed.ts';
import { Blocked } from '../../provisioners/contract/problem.ts';
import { type Hold, whyNotAdd, whyNotRemove } from '../../provisioners/kubernetes/membership.ts';
import { minorFor } from '../../provisioners/kubernetes/versions.ts';
import type { ClusterDocument } from '../spec/documents.ts';
import { isSameMachine } from './config-digest.ts';
import { isEtcdApart } from '../spec/rules/etcd.ts';
import { hasEtcdApart, hasEtcdChanged, isEtcdFinished, isVoter } from './etcd-machines.ts';
import type { LeavingMachine } from './leaving-machine.ts';
import type { WantedMachine } from './wanted-machine.ts';

/** What has to happen to the machines. */
export interface Difference {
  /** Not there, or not finished: their whole road is planned, and what is done already is seen so at once. */
  readonly unfinished: readonly WantedMachine[];
  /** Finished but switched off. */
  readonly off: readonly WantedMachine[];
  /** Finished, with other labels or taints than asked. */
  readonly relabelled: readonly WantedMachine[];
  /** Finished, of another version than asked, and upgraded where they stand. */
  readonly outdated: readonly WantedMachine[];
  /** Finished and cordoned by us, though they stay: an operation that was to send them away did not. */
  readonly cordoned: readonly WantedMachine[];
  /** Machines that are not wanted any more and of which something is still there. */
  readonly leaving: readonly LeavingMachine[];
  /** Masters that stay, run and can be asked, in the order to try. */
  readonly masters: readonly WantedMachine[];
}

/**
 * Refuses to plan on what was not seen: absent is never zero.
 * @throws Blocked naming what must answer first
 */
export function requireSight(observed: Observed, isEstablished: boolean): void {
  const why = observed.unseen.join(' ');
  if (observed.machines === undefined || observed.infrastructure.state === 'unknown')
    throw new Blocked('PLAN-002', `The provider could not be asked what machines there are. ${why}`.trim(), {
      remedy: 'Bring the provider back into reach, then apply again: nothing is made or removed on a guess.',
    });
  if (observed.nodes === undefined && isEstablished)
    throw new Blocked(
      'PLAN-003',
      `The cluster has run before, and its nodes could not be seen. ${why}`.trim(),
      {
        remedy:
          'See to what is said there, or bring a master back if none is on; then apply again. Nothing is made or removed on a guess.',
      },
    );
}

/** A machine on its way out is neither there nor gone. @throws Blocked */
function refuseTransition(wanted: readonly WantedMachine[]): void {
  const leaving = wanted.find(({ machine }) => machine?.state === 'deleting');
  if (leaving === undefined) return;
  throw new Blocked('PLAN-008', `${leaving.name} is being removed at the provider just now`, {
    machine: leaving.name,
    remedy: 'Apply again when it is gone.',
  });
}

/**
 * Whether a machine is through. A master of which etcd knows nothing is not, whatever its Node says: after a restore
 * that Node is as old as the data.
 */
function isFinished(one: WantedMachine, observed: Observed): boolean {
  const { name, role, machine, node } = one;
  if (role === 'etcd') return isEtcdFinished(one, observed);
  const { voters } = observed;
  const needsMember = role === 'control-plane' && voters !== undefined && !hasEtcdApart(observed);
  if (machine === undefined || node?.configDigest === undefined) return false;
  return !needsMember || voters.some((voter) => voter.name === name);
}

/** Sorts the machines by what has to happen to them. @throws UserProblem for what this release cannot do */
export function differenceOf(
  wanted: readonly WantedMachine[],
  leaving: readonly LeavingMachine[],
  observed: Observed,
): Difference {
  refuseTransition(wanted);
  const finished = wanted.filter((one) => isFinished(one, observed));
  // Who is to be replaced leaves, and is wanted no more: of those that are, only the version may be another.
  const outdated = finished.filter((one) => {
    const { role, node, digest } = one;
    if (role === 'etcd') return hasEtcdChanged(one, observed);
    return node?.configDigest !== undefined && !isSameMachine(node.configDigest, digest);
  });
  const current = finished.filter((one) => !outdated.includes(one));
  return {
    unfinished: wanted.filter((one) => !isFinished(one, observed)),
    off: finished.filter(({ machine }) => machine?.state === 'off'),
    relabelled: current.filter(({ role, node, digest }) => role !== 'etcd' && node?.configDigest !== digest),
    outdated,
    cordoned: current.filter(({ node }) => node?.unschedulable === true && node.cordonedBy !== undefined),
    leaving,
    masters: wanted.filter(
      ({ name, role, node, machine }) =>
        role === 'control-plane' &&
        node?.controlPlane === true &&
        machine !== undefined &&
        observed.references[name] !== undefined,
    ),
  };
}

/**
 * Unfinished machines whose etcd member is not a started voter yet, masters or machines of etcd alone: those that change
 * the membership.
 */
export const membersToJoin = (unfinished: readonly WantedMachine[], observed: Observed): WantedMachine[] =>
  hasEtcdApart(observed)
    ? unfinished.filter(({ name, role }) => role === 'etcd' && !isVoter(observed, name))
    : mastersToJoin(unfinished, observed);

const mastersToJoin = (unfinished: readonly WantedMachine[], observed: Observed): WantedMachine[] =>
  unfinished.filter(
    ({ name, role, node }) =>
      role === 'control-plane' &&
      !(
        node?.controlPlane === true &&
        observed.voters?.some((voter) => voter.name === name && voter.started && !voter.learner)
      ),
  );

/**
 * Looks at every change of etcd's members that the plan makes, one after the other, each against what the one before it
 * leaves, in the order of the succession: who does not answer, who only leaves, who joins, who makes room for them. A master may join only if the result
 * keeps quorum even if it never starts; with etcd's learners it has no vote until it has caught up. From one to two there
 * is no such way without learners: the plan says so instead.
 * @throws Blocked naming the members that hold it up
 */
export function requireQuorum(
  document: ClusterDocument,
  observed: Observed,
  joining: readonly WantedMachine[],
  leaving: readonly LeavingMachine[],
): void {
  const goes = leaving.filter(({ member }) => member !== undefined);
  if (joining.length + goes.length === 0) return;
  if (observed.voters === undefined)
    throw new Blocked(
      'PLAN-009',
      `etcd did not say who its members are. ${observed.unseen.join(' ')}`.trim(),
      {
        remedy:
          'Members of etcd come and go only when it is seen to be well. Bring it back, then apply again.',
      },
    );
  // Machines of etcd alone are added by us, without a vote first; masters by kubeadm.
  const hasEtcdLearners = isEtcdApart(document) || minorFor(document.spec.kubernetes.version).hasEtcdLearners;
  const isJoining = (member: EtcdMember): boolean =>
    joining.some(
      ({ name, address }) =>
        member.name === name || member.peerURLs.some((url) => url.includes(`//${address ?? name}:`)),
    );
  let members = observed.voters;
  const remove = ({ name, member }: LeavingMachine): void => {
    const hold = member && whyNotRemove(members, member.id);
    if (hold !== undefined) throw heldRemoval(name, hold);
    members = members.filter(({ id }) => id !== member?.id);
  };
  const row = goes.filter(({ isDead }) => !isDead);
  const shrinkage = Math.max(0, row.length - joining.length);
  for (const machine of goes) if (machine.isDead) remove(machine);
  for (const machine of row.slice(0, shrinkage)) remove(machine);
  const hold = joining.length === 0 ? undefined : whyNotAdd(members, hasEtcdLearners, isJoining);
  if (hold !== undefined)
    throw new Blocked('PLAN-010', hold.why, { remedy: wayToAdd(document.metadata.name, members, hold) });
  const joined = joining.map(
    ({ name }): EtcdMember => ({
      id: `joining ${name}`,
      name,
      peerURLs: [],
      started: true,
      learner: false,
      healthy: true,
      leader: false,
    }),
  );
  members = [...members.filter((member) => !isJoining(member)), ...joined];
  for (const machine of row.slice(shrinkage)) remove(machine);
}

/**
 * What makes room for another member: who does not answer comes back, or leaves for a new one where the rest can spare it.
 * Where it cannot, the majority is gone.
 */
function wayToAdd(cluster: string, members: readonly EtcdMember[], { unwell }: Hold): string {
  const named = members.filter(({ name }) => name !== '' && unwell.includes(name));
  const spare = named.find(({ id }) => whyNotRemove(members, id) === undefined);
  const replacement = spare && `put a new one in its place (remuda machine replace ${cluster} ${spare.name})`;
  const lost = named.map(({ name }) => ` --lost ${name}`).join('');
  const other =
    replacement ?? `where they are lost for ever, restore (remuda restore ${cluster} --from survivor${lost})`;
  return `Bring ${unwell.join(', ')} back first, then apply again; or ${other}.`;
}

const heldRemoval = (name: string, { why, unwell }: Hold): Blocked =>
  new Blocked('PLAN-015', `${name} cannot leave: ${why}`, {
    machine: name,
    remedy: `${unwell.length === 0 ? 'Add another one first' : `Bring ${unwell.join(', ')} back first`}, then try again. Nothing was changed.`,
  });
