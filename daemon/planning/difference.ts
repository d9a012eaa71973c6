import type { EtcdMember, Observed } from '../../provisioners/contract/observed.ts';
import { Blocked, UserProblem } from '../../provisioners/contract/problem.ts';
import { minorFor } from '../../provisioners/kubernetes/versions.ts';
import type { ClusterDocument } from '../spec/documents.ts';
import { isSameMachine } from './config-digest.ts';
import type { WantedMachine } from './wanted.ts';

/** What has to happen to the machines. */
export interface Difference {
  /** Not there, or not finished: their whole road is planned, and what is done already is seen so at once. */
  readonly unfinished: readonly WantedMachine[];
  /** Finished but switched off. */
  readonly off: readonly WantedMachine[];
  /** Finished, with other labels or taints than asked. */
  readonly relabelled: readonly WantedMachine[];
  /** Masters that run and can be asked, in the order to try. Empty = there is no control plane yet. */
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

/** Machines that the document no longer wants. @throws UserProblem: this release removes no single machine */
function refuseRemovals(wanted: readonly WantedMachine[], observed: Observed): void {
  const names = new Set(wanted.map(({ name }) => name));
  const extra = (observed.machines ?? []).filter(({ name }) => !names.has(name));
  const [first] = extra;
  if (first === undefined) return;
  const isMaster = first.role === 'control-plane';
  const field = isMaster ? 'spec.controlPlane.replicas' : 'spec.workers';
  const list = extra.map(({ name }) => name).join(', ');
  throw new UserProblem(
    'PLAN-006',
    `The document no longer asks for ${list}; this release removes no single machine`,
    {
      place: { field },
      remedy:
        'Ask for as many machines as there are. Removing single ones safely (drain, etcd, fence) comes with "remuda machine remove".',
    },
  );
}

/** Finished machines that were configured from something else. @throws UserProblem: that is a replacement */
function refuseChanges(wanted: readonly WantedMachine[]): void {
  const changed = wanted.filter(
    ({ node, digest }) => node?.configDigest !== undefined && !isSameMachine(node.configDigest, digest),
  );
  if (changed.length === 0) return;
  const list = changed.map(({ name }) => name).join(', ');
  throw new UserProblem(
    'PLAN-007',
    `The document asks for another Kubernetes version, size or configuration than ${list} ${changed.length === 1 ? 'has' : 'have'}`,
    {
      remedy:
        'Take the change back for now: machines are changed by replacing them, which comes with "remuda machine replace" and "remuda upgrade". Nothing was changed.',
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

const isFinished = ({ machine, node }: WantedMachine): boolean =>
  machine !== undefined && node?.configDigest !== undefined;

/** Sorts the machines by what has to happen to them. @throws UserProblem for what this release cannot do */
export function differenceOf(wanted: readonly WantedMachine[], observed: Observed): Difference {
  refuseRemovals(wanted, observed);
  refuseTransition(wanted);
  refuseChanges(wanted);
  const finished = wanted.filter(isFinished);
  return {
    unfinished: wanted.filter((one) => !isFinished(one)),
    off: finished.filter(({ machine }) => machine?.state === 'off'),
    relabelled: finished.filter(({ node, digest }) => node?.configDigest !== digest),
    masters: wanted.filter(
      ({ name, role, node, machine }) =>
        role === 'control-plane' &&
        node?.controlPlane === true &&
        machine !== undefined &&
        observed.references[name] !== undefined,
    ),
  };
}

/** Unfinished masters whose etcd member is not a started voter yet: those that change the membership. */
export const mastersToJoin = (unfinished: readonly WantedMachine[], observed: Observed): WantedMachine[] =>
  unfinished.filter(
    ({ name, role, node }) =>
      role === 'control-plane' &&
      !(
        node?.controlPlane === true &&
        observed.voters?.some((voter) => voter.name === name && voter.started && !voter.learner)
      ),
  );

const quorum = (voters: number): number => Math.floor(voters / 2) + 1;

/**
 * A master may join only if the result keeps quorum even if it never starts; with etcd's learners it has no vote until
 * it has caught up. From one to two there is no such way without learners: the plan says so instead.
 * @throws Blocked naming the members that hold it up
 */
export function requireQuorum(
  document: ClusterDocument,
  observed: Observed,
  joining: readonly WantedMachine[],
): void {
  if (observed.voters === undefined)
    throw new Blocked(
      'PLAN-009',
      `etcd did not say who its members are. ${observed.unseen.join(' ')}`.trim(),
      {
        remedy: 'A master joins only when etcd is seen to be well. Bring it back, then apply again.',
      },
    );
  const isJoining = (member: EtcdMember): boolean =>
    joining.some(
      ({ name, address }) =>
        member.name === name || member.peerURLs.some((url) => url.includes(`//${address ?? name}:`)),
    );
  const rest = observed.voters.filter((member) => !member.learner && !isJoining(member));
  const healthy = rest.filter(({ started, healthy: isHealthy }) => started && isHealthy);
  const voters = minorFor(document.spec.kubernetes.version).hasEtcdLearners ? rest.length : rest.length + 1;
  if (healthy.length >= quorum(voters) || (rest.length === 1 && healthy.length === 1)) return;
  const unwell = rest
    .filter((member) => !healthy.includes(member))
    .map(({ id, name }) => (name === '' ? id : name));
  throw new Blocked(
    'PLAN-010',
    `etcd has ${healthy.length} healthy voters of ${rest.length}; one more that does not start would cost its quorum`,
    { remedy: `Bring ${unwell.join(', ')} back first, then apply again.` },
  );
}
