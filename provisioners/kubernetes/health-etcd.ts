import type { HealthCondition, HealthLook } from '../contract/health.ts';
import type { EtcdMember } from '../contract/observed.ts';
import { quorumOf } from './membership.ts';

const type = 'EtcdHealthy';

const nameOf = ({ name, id }: EtcdMember): string => (name === '' ? `unstarted ${id}` : name);

/** How many more may fail before nothing can be written. */
function marginText(well: number, voters: number): string {
  const margin = well - quorumOf(voters);
  if (margin < 0) return 'quorum is lost: nothing can be written';
  if (margin === 0) return 'none more may fail';
  return margin === 1 ? 'one more may fail' : `${margin} more may fail`;
}

/** Each member, and how far the voters are from losing quorum. A learner has no vote, and is on its way to be one. */
export function etcdHealthy({
  cluster,
  members: sight,
}: Pick<HealthLook, 'cluster' | 'members'>): HealthCondition {
  if ('unseen' in sight) return { type, status: 'Unknown', reason: 'NotSeen', message: sight.unseen };
  const voters = sight.seen.filter(({ learner }) => !learner);
  const well = voters.filter(({ healthy, started }) => healthy && started);
  const unwell = sight.seen.filter(({ healthy, started }) => !healthy || !started);
  const margin = marginText(well.length, voters.length);
  if (well.length < quorumOf(voters.length))
    return {
      type,
      status: 'False',
      severity: 'critical',
      reason: 'QuorumLost',
      message: `${well.length} of ${voters.length} voters are healthy: ${margin}. Not healthy: ${unwell.map(nameOf).join(', ')}.`,
      // Masters, or machines of etcd; those that answer are no healthier than the others while there is no majority.
      remedy: 'Bring the machines back that do not answer; remove none of them meanwhile.',
      ...machineOf(unwell),
    };
  if (unwell.length > 0)
    return {
      type,
      status: 'False',
      severity: 'warning',
      reason: 'MemberUnhealthy',
      message: `${unwell.map(nameOf).join(', ')} ${unwell.length === 1 ? 'is' : 'are'} not healthy; ${well.length} of ${voters.length} voters are, ${margin}.`,
      remedy: `Look at the machine; if it is lost: remuda machine replace ${cluster} ${unwell.map(({ name }) => name).find((name) => name !== '') ?? 'NAME'}`,
      ...machineOf(unwell),
    };
  const members = voters.length === 1 ? 'The only member is' : `All ${voters.length} members are`;
  return { type, status: 'True', reason: 'AllHealthy', message: `${members} healthy; ${margin}.` };
}

function machineOf(members: readonly EtcdMember[]): { machine?: string } {
  const [first] = members;
  return members.length === 1 && first !== undefined && first.name !== '' ? { machine: first.name } : {};
}
