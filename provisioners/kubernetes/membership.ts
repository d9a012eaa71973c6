import type { EtcdMember } from '../contract/observed.ts';

/**
 * What a change of etcd's members may be, by one rule for planners, for steps just before they act, and for the adapter
 * that carries it out (DESIGN §5): it is the *result* that must keep quorum.
 */

/** Voters needed for a majority of `voters` (Raft, §5.1: more than half). */
export const quorumOf = (voters: number): number => Math.floor(voters / 2) + 1;

/** Why a change is held, for a person: the sentence, and who has to be well first. */
export interface Hold {
  readonly why: string;
  /** Members that do not answer or never started, by name, or by id where they have none. */
  readonly unwell: readonly string[];
}

const isWell = ({ started, healthy }: EtcdMember): boolean => started && healthy;

const nameOf = ({ name, id }: EtcdMember): string => (name === '' ? `unstarted ${id}` : name);

const unwellOf = (members: readonly EtcdMember[]): string[] =>
  members.filter((member) => !isWell(member)).map(nameOf);

const notAnswering = (unwell: readonly string[]): string =>
  unwell.length === 0 ? '' : ` (not answering: ${unwell.join(', ')})`;

/**
 * Why no member may be added, or undefined when one may. The voters that are there must be a majority even if the new
 * one never starts; a learner has no vote until it has caught up (etcd 3.4). One voter alone has nothing to spare:
 * that it goes from one to two is said in the plan instead.
 *
 * `isJoining`: members that are left of the joiner's own earlier try do not count.
 */
export function whyNotAdd(
  members: readonly EtcdMember[],
  hasLearners: boolean,
  isJoining: (member: EtcdMember) => boolean = () => false,
): Hold | undefined {
  const voters = members.filter((member) => !member.learner && !isJoining(member));
  const well = voters.filter(isWell);
  const needed = quorumOf(hasLearners ? voters.length : voters.length + 1);
  if (well.length >= needed || (voters.length === 1 && well.length === 1)) return undefined;
  const unwell = unwellOf(voters);
  return {
    why:
      `etcd has ${well.length} healthy voters of ${voters.length}${notAnswering(unwell)};` +
      ' one more that does not start would cost its quorum',
    unwell,
  };
}

/**
 * Why a member must not be removed, or undefined when it may. Among the voters that stay, those that are started and
 * healthy must be a majority. Members that never started and learners give no vote for the better: they may always go
 * first. The last voter never goes: without it there is no cluster.
 */
export function whyNotRemove(members: readonly EtcdMember[], id: string): Hold | undefined {
  const member = members.find((each) => each.id === id);
  if (member === undefined || !member.started || member.learner) return undefined;
  // A member that was added and never started counts among the voters, and votes for nothing.
  const stay = members.filter((each) => each.id !== id && !each.learner);
  const well = stay.filter(isWell);
  const needed = quorumOf(stay.length);
  if (well.length >= needed) return undefined;
  const unwell = unwellOf(stay);
  return {
    why:
      `without ${nameOf(member)}, ${well.length} of ${stay.length} etcd voters would answer and ${needed} are needed` +
      notAnswering(unwell),
    unwell,
  };
}

/** A healthy voter that leadership can go to, other than `id`. */
export function successorOf(members: readonly EtcdMember[], id: string): EtcdMember | undefined {
  return members.find((each) => each.id !== id && isWell(each) && !each.learner);
}
