import type { EtcdMember } from '../../../provisioners/contract/observed.ts';

/** Voters needed for a majority of `voters` (Raft, §5.1: more than half). */
export const quorumOf = (voters: number): number => Math.floor(voters / 2) + 1;

/**
 * Why a member must not be removed, or undefined when it may. The result decides: among the voters that stay, those
 * that are started and healthy must be a majority. Members that never started and learners give no vote for the
 * better: they may always go first (DESIGN §5).
 */
export function whyKeep(members: readonly EtcdMember[], id: string): string | undefined {
  const member = members.find((each) => each.id === id);
  if (member === undefined || !member.started || member.learner) return undefined;
  // A member that was added and never started counts among the voters, and votes for nothing.
  const stay = members.filter((each) => each.id !== id && !each.learner);
  const healthy = stay.filter((each) => each.started && each.healthy);
  const needed = quorumOf(stay.length);
  if (stay.length > 0 && healthy.length >= needed) return undefined;
  const lost = stay
    .filter((each) => !healthy.includes(each))
    .map((each) => each.name || `unstarted ${each.id}`);
  return (
    `without ${member.name}, ${healthy.length} of ${stay.length} etcd voters would answer and ${needed} are needed` +
    (lost.length > 0 ? ` (not answering: ${lost.join(', ')})` : '')
  );
}

/** A healthy voter that leadership can go to, other than `id`. */
export function successorOf(members: readonly EtcdMember[], id: string): EtcdMember | undefined {
  return members.find((each) => each.id !== id && each.started && each.healthy && !each.learner);
}
