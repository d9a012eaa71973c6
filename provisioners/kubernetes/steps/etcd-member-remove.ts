import { z } from 'zod';
import type { EtcdMember } from '../../contract/observed.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import { accessSchema, type NoFacts } from '../cluster-settings.ts';
import { awaitsTurn, endTurn, othersJoining } from '../join-turn.ts';
import { memberChange } from '../limits.ts';
import { whyNotRemove } from '../membership.ts';

const inputSchema = z.strictObject({
  name: z.string(),
  /** Where the machine was reached: a member that never started has no name, only this address. */
  address: z.string().optional(),
  /** The masters that stay. */
  access: accessSchema,
});
type Input = z.infer<typeof inputSchema>;

/** An address alone may be somebody else's by now: it counts only for a member that has no name yet. */
const isMember = ({ name, address }: Input, member: EtcdMember): boolean =>
  member.name === '' && address !== undefined
    ? member.peerURLs.some((url) => url.includes(`//${address}:`))
    : member.name === name;

/** All members, and those of the machine; more than one when a former machine of its name left some. */
async function look(context: StepContext, input: Input) {
  const members = await context.etcd.members(input.access);
  return { members, own: members.filter((member) => isMember(input, member)) };
}

/**
 * Takes a master, or a machine of etcd, out of etcd. Looked at just before, and held while the voters that stay would be no healthy majority:
 * it says which of them are not well, and goes on by itself. Leadership moves first (the adapter sees to that). A turn
 * to join that the machine took and never ended goes with it.
 */
export const etcdMemberRemove = defineStep<Input, NoFacts>({
  kind: 'etcd-member.remove',
  version: 1,
  nature: 'ensure',
  phase: 'removal',
  destructive: true,
  title: ({ name }) => `Take ${name} out of etcd`,
  schema: inputSchema,
  limits: memberChange,
  async observe(context, input) {
    const { name, access } = input;
    const { members, own } = await look(context, input);
    const [member] = own;
    if (member === undefined) return { state: 'done', facts: {} };
    const hold = whyNotRemove(members, member.id);
    if (hold !== undefined) {
      const another = access.etcd === undefined ? 'master' : 'machine of etcd';
      return {
        state: 'blocked',
        what: `etcd to be able to spare ${name}`,
        why: hold.why,
        remedy: `Bring ${hold.unwell.join(', ') || `another ${another}`} back, or add a ${another} first; the removal goes on by itself.`,
      };
    }
    const joining = await othersJoining(context, input, access);
    if (joining.length > 0)
      return {
        state: 'pending',
        what: awaitsTurn(joining.join(', ')),
        since: context.now(),
        usually: seconds(60),
      };
    return { state: 'todo', why: `etcd counts ${name} among its ${members.length} members` };
  },
  async apply(context, input) {
    const { own } = await look(context, input);
    for (const { id } of own) await context.etcd.removeMember(input.access, id);
    await endTurn(context, input, input.access);
  },
});
