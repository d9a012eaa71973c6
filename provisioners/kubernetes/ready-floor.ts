import { z } from 'zod';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import type { KubernetesObject } from '../contract/ports/kubernetes.ts';
import type { StepContext } from '../contract/step.ts';

/** How many machines of a group must go on serving (Ready, and taking pods) while one more is closed to new pods. */
export const readyFloorSchema = z.strictObject({
  /** What the names of the group's machines begin with: `demo-general` for `demo-general-3`. */
  group: z.string().min(1),
  /** As many machines as that, without the one that is to be closed. */
  ready: z.int().min(1),
});
export type ReadyFloor = z.infer<typeof readyFloorSchema>;

/** `prod-general-3` belongs to `prod-general`: machines are numbered within their group. */
export const groupOf = (name: string): string => name.replace(/-\d+$/, '');

/** A group with fewer serving machines than it needs, in words. */
export interface Shortfall {
  /** What is awaited; the same words as long as the same is awaited. */
  readonly what: string;
  readonly why: string;
  readonly remedy: string;
}

/** What a group has, as the planner or a step sees it. */
export interface GroupMember {
  readonly name: string;
  /** Why it does not serve; absent when it is Ready and takes pods. */
  readonly idle?: string;
}

const shown = (members: readonly GroupMember[]): string => {
  const some = members.slice(0, 5).map(({ name, idle }) => `${name} (${idle ?? ''})`);
  const more = members.length > 5 ? ` and ${members.length - 5} more` : '';
  return some.length === 0 ? 'no other machine is there' : `${some.join(', ')}${more}`;
};

/**
 * What a group lacks before one more of its machines may be closed to new pods; undefined when it may be. A machine that
 * is not Ready itself serves nobody, and sending it away costs nothing. Pure.
 */
export function shortfallAmong(
  { group, ready: floor }: ReadyFloor,
  members: readonly GroupMember[],
  candidate: string,
): Shortfall | undefined {
  if (members.some(({ name, idle }) => name === candidate && idle !== undefined)) return undefined;
  const others = members.filter(({ name }) => name !== candidate);
  const idle = others.filter((member) => member.idle !== undefined);
  const serving = others.length - idle.length;
  if (serving >= floor) return undefined;
  return {
    what: `${floor} other machines of ${group} to be Ready and take pods`,
    why: `without ${candidate}, ${serving} of ${group} would serve, and ${floor} must; not among them: ${shown(idle)}`,
    remedy:
      'Mend what is not Ready and uncordon what somebody cordoned; it goes on by itself then. Or ask for less in spec.maintenance.minimumReady.',
  };
}

const nodeSchema = z.object({
  spec: z.looseObject({ unschedulable: z.boolean().optional() }).optional(),
  status: z
    .object({
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), message: z.string().optional() }))
        .optional(),
    })
    .optional(),
});

function memberOf(node: KubernetesObject, candidate: string): GroupMember {
  const { name } = node.metadata;
  const { spec, status } = nodeSchema.parse(node);
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status !== 'True') return { name, idle: ready?.message ?? 'not Ready' };
  const isClosed = spec?.unschedulable === true && name !== candidate;
  return isClosed ? { name, idle: 'takes no new pods' } : { name };
}

/** As {@link shortfallAmong}, from a look at the cluster's Nodes just now. */
export async function lookForShortfall(
  context: StepContext,
  access: ControlPlaneAccess,
  floor: ReadyFloor,
  candidate: string,
): Promise<Shortfall | undefined> {
  const nodes = await context.kubernetes.list(access, { apiVersion: 'v1', kind: 'Node' });
  const members = nodes
    .filter(({ metadata }) => groupOf(metadata.name) === floor.group)
    .map((node) => memberOf(node, candidate));
  return shortfallAmong(floor, members, candidate);
}
